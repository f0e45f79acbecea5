//go:build unix

package nexmark_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
)

// stateless is the pipeline of a query of nexmark-stateless.
const stateless = `name: nexmark-%[1]s
vertices:
  - name: bids
    source: {generator: {seed: 1, nexmark: {types: [bid]}}}
  - {name: %[1]s, udf: {plugin: nexmark, params: {query: %[1]s}}}
  - {name: out, sink: drop}
edges:
  - {from: bids, to: %[1]s}
  - {from: %[1]s, to: out}
`

// TestFigures measures how many records per second each query takes, with drop for its
// sink; make bench-nexmark runs it. It fails only where something cannot be measured.
func TestFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for minutes: run make bench-nexmark")
	}
	events, runs := setting(t, "EVENTS", 4_000_000), setting(t, "RUNS", 3)
	files := map[int]string{}
	for _, n := range []int{0, 1, 2, 14, 21, 22} {
		files[n] = filepath.Join(t.TempDir(), "pipeline.yaml")
		if err := os.WriteFile(files[n], fmt.Appendf(nil, stateless, "q"+strconv.Itoa(n)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range queries(t) {
		n, err := strconv.Atoi(query[1:])
		if err != nil {
			t.Fatal(err)
		}
		files[n] = query + ".yaml"
	}
	only := strings.Fields(os.Getenv("QUERIES"))
	var figures strings.Builder
	fmt.Printf("%-6s %12s %12s %12s %9s\n", "QUERY", "RECORDS/S", "PER CORE", "RECORDS", "SECONDS")
	for n := range 23 {
		name := "q" + strconv.Itoa(n)
		if files[n] == "" || len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		s := median(t, files[n], events, runs)
		rate := float64(s.records) / s.took.Seconds()
		fmt.Printf("%-6s %12.0f %12.0f %12d %9.2f\n", name, rate, float64(s.records)/s.used.Seconds(), s.records, s.took.Seconds())
		fmt.Fprintf(&figures, "figure nexmark_%s %.0f records/s\n", name, rate)
	}
	fmt.Print(figures.String())
}

// sample is a run: the records from its sources, how long it took, and how much time of
// processors, loading included.
type sample struct {
	records    uint64
	took, used time.Duration
}

// median runs a pipeline on so many events and returns the run that took a median time.
func median(t *testing.T, file string, events, runs int) sample {
	t.Helper()
	p, err := host.Load(file, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set := []string{"vertices.out.sink=drop"}
	for _, v := range p.Vertices {
		if v.Source != nil {
			set = append(set, fmt.Sprintf("vertices.%s.source.generator.count=%d", v.Name, events))
		}
	}
	var samples []sample
	for range runs {
		before := processor(t)
		records, took := run(t, file, slices.Clone(set))
		samples = append(samples, sample{records, took, processor(t) - before})
	}
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.took, b.took) })
	return samples[(runs-1)/2]
}

// processor returns how much time of processors this process has used.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// setting reads a number above 0 from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number above 0", name, text)
	}
	return n
}
