package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Of a sample file at most this much is used.
const (
	maxSampleRecords = 100_000
	maxSampleBytes   = 16 << 20
)

// sampleValues reads the lines of a file, or makes some if there is none.
func sampleValues(file string) (values [][]byte, err error) {
	if file == "" {
		for n := range 1000 {
			values = append(values, fmt.Appendf(nil, `203.0.113.%d - - [10/Oct/2026:13:55:%02d +0000] "GET /item?id=%d HTTP/1.1" %d %d "-" "sample/1.0"`,
				n%254+1, n%60, n*7919%10_000, []int{200, 200, 200, 304, 404, 500}[n%6], n*271%50_000))
		}
		return values, nil
	}
	f, err := os.Open(file)
	if err == nil {
		defer f.Close()
		lines := bufio.NewScanner(io.LimitReader(f, maxSampleBytes))
		lines.Buffer(nil, maxSampleBytes+1)
		for len(values) < maxSampleRecords && lines.Scan() {
			values = append(values, slices.Clone(lines.Bytes()))
		}
		err = lines.Err()
	}
	if err != nil {
		return nil, &stream.Error{Code: stream.InputUnreadable, Where: file, Why: "the sample cannot be read", Err: err, Fix: "name a readable file with a record per line"}
	}
	if len(values) == 0 {
		return nil, &stream.Error{Code: stream.Usage, Where: file, Why: "the sample is empty", Fix: "name a file with a record per line"}
	}
	return values, nil
}
