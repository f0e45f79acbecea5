package host_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
)

// TestNeighbourFigures measures what is left to others while each of eight calls
// runs a guest that never returns, and what records that trap cost the rest; make
// bench-sandbox runs it. It fails only where something cannot be measured.
func TestNeighbourFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for half a minute: run make bench-sandbox")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	dir := t.TempDir()
	for _, name := range []string{"spin", "poison"} {
		buildC(t, name, filepath.Join(dir, name+".wasm"))
	}
	quiet := write(t, dir, "quiet.yaml", flow("quiet", "{rate: 50000}", "identity", ""))
	hostile := write(t, dir, "hostile.yaml", flow("hostile", "{size: 16}", "spin",
		"    concurrency: 8\n    batch: {maxRecords: 1}\n    onError: drop\n"))
	identity, err := os.ReadFile("../plugins/identity.wasm")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "identity.wasm", string(identity))

	alone, _ := measure(t, dir, 5*time.Second, quiet)
	beside, health := measure(t, dir, 5*time.Second, quiet, hostile)
	fmt.Printf("figure neighbour_throughput %.3f ratio\n", beside/alone)
	fmt.Printf("figure neighbour_healthz_p99 %.3g ms\n", float64(health.Microseconds())/1e3)

	var ratios []float64
	for range 5 {
		clean := perCPU(t, dir, write(t, dir, "clean.yaml", poisoned("good")))
		poison := perCPU(t, dir, write(t, dir, "poison.yaml", poisoned("x")))
		ratios = append(ratios, poison/clean)
	}
	slices.Sort(ratios)
	fmt.Printf("figure poison_1_in_10000 %.3f ratio\n", ratios[len(ratios)/2])
}

func flow(name, source, plugin, more string) string {
	return fmt.Sprintf("name: %s\nvertices:\n  - {name: in, source: {generator: %s}}\n  - name: f\n    udf: {plugin: %s, limits: {memory: 1MiB, callDeadline: 1s, discards: 0}}\n%s"+
		"  - {name: out, sink: drop}\nedges:\n  - {from: in, to: f}\n  - {from: f, to: out}\n", name, source, plugin, more)
}

// poisoned has one record in 10,000 that begins otherwise than the rest.
func poisoned(first string) string {
	template := "{{pick " + strings.Repeat("good ", 9_999) + first + "}}-record-of-some-length-{{seq}}"
	return flow("poisoned", fmt.Sprintf("{template: %q}", template), "poison", "    onError: drop\n")
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// measure runs pipelines and returns how many records per second pass the first,
// and the 99th percentile of how long the health endpoint takes.
func measure(t *testing.T, plugins string, took time.Duration, files ...string) (rate float64, health time.Duration) {
	t.Helper()
	h, err := host.Open(t.Context(), host.Options{Files: files, Set: []string{"plugins.dir=" + plugins, "cache.dir=" + filepath.Join(plugins, "cache"), "data.dir=" + t.TempDir()}, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	passed := func() uint64 { return h.Pipelines()[0].Stats()[2].RecordsIn }
	time.Sleep(time.Second)
	before, start := passed(), time.Now()
	var waits []time.Duration
	for time.Since(start) < took {
		asked := time.Now()
		r, err := http.Get(h.Admin.URL + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Fatal(err)
		}
		waits = append(waits, time.Since(asked))
		time.Sleep(10 * time.Millisecond)
	}
	rate = float64(passed()-before) / time.Since(start).Seconds()
	cancel()
	if err := errors.Join(<-done, h.Close(context.Background())); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	slices.Sort(waits)
	return rate, waits[len(waits)*99/100]
}

// perCPU runs a pipeline that takes all processors and returns how many records
// pass per second of their time, which others on the machine change less than the
// time on the clock.
func perCPU(t *testing.T, plugins, file string) float64 {
	t.Helper()
	used := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	before := used()
	rate, _ := measure(t, plugins, 3*time.Second, file)
	return rate / (used() - before)
}

// buildC compiles a guest of testdata.
func buildC(t *testing.T, name, to string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O3", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", to, filepath.Join("testdata", name+".c"))
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", name, err, text)
	}
}
