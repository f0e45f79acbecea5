package s3server

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
)

var silent = log.New(io.Discard, "", 0)

func decimal(n int) string { return strconv.Itoa(n) }

// body reads and checks the data of a PUT. An error is a code of the protocol.
func body(r *http.Request) (data []byte, code string) {
	raw, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength >= 0 && int64(len(raw)) != r.ContentLength {
		return nil, "IncompleteBody"
	}
	if sum := r.Header.Get("Content-Md5"); sum != "" {
		if is := md5.Sum(raw); sum != base64.StdEncoding.EncodeToString(is[:]) {
			return nil, "BadDigest"
		}
	}
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return raw, ""
	}
	data, trailer, ok := chunks(raw)
	if !ok || r.Header.Get("X-Amz-Decoded-Content-Length") != decimal(len(data)) {
		return nil, "IncompleteBody"
	}
	if r.Header.Get("X-Amz-Trailer") != "" {
		sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
		if trailer["x-amz-checksum-crc32c"] != base64.StdEncoding.EncodeToString(sum) {
			return nil, "BadDigest"
		}
	}
	return data, ""
}

// chunks decodes aws-chunked data: chunks of a hexadecimal length, perhaps a
// signature, and the bytes, the last one empty; then trailers.
func chunks(raw []byte) (data []byte, trailer map[string]string, ok bool) {
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, nil, false
		}
		length, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseUint(length, 16, 31)
		if err != nil || n > uint64(len(raw)) {
			return nil, nil, false
		}
		if n == 0 {
			break
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(in, chunk); err != nil || !bytes.HasSuffix(chunk, []byte("\r\n")) {
			return nil, nil, false
		}
		data = append(data, chunk[:n]...)
	}
	trailer = map[string]string{}
	for {
		line, err := in.ReadString('\n')
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			trailer[strings.ToLower(name)] = strings.TrimSpace(value)
		}
		if err != nil {
			return data, trailer, true
		}
	}
}
