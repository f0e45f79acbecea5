package wasm

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// TestFigures measures what the sandbox costs and gives; make bench-sandbox runs
// it. It fails only where something cannot be measured.
func TestFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for a minute: run make bench-sandbox")
	}
	figure := func(name string, value float64, unit string) { fmt.Printf("figure %s %.3g %s\n", name, value, unit) }

	ratios := map[string]float64{}
	for _, name := range []string{"bytescan", "words", "json", "sorthash", "gojson"} {
		guest := buildGuest(t, "bench", name)
		ratios[name] = medianRatio(t, guest, meteredRuntime)
		fmt.Printf("%s: time metered ÷ unmetered %.3f\n", name, ratios[name])
		if name == "bytescan" {
			figure("wazero_builtin_bytescan", medianRatio(t, guest, builtinRuntime), "ratio")
		}
	}
	figure("metering_bytescan", ratios["bytescan"], "ratio")
	figure("metering_real", math.Pow(ratios["words"]*ratios["json"]*ratios["sorthash"]*ratios["gojson"], 0.25), "ratio")

	pause, delay := spin(t)
	figure("spin_gc_pause", pause*1e3, "ms")
	figure("spin_ticker_delay", float64(delay.Microseconds())/1e3, "ms")
	figure("deadline_overshoot_p99", overshoot(t), "ms")
	module, compile := growth(t, buildGuest(t, "bench", "gojson"))
	figure("module_growth", module, "ratio")
	figure("compile_growth", compile, "ratio")
}

// buildGuest compiles a guest in a folder of testdata, in any language
// with an SDK.
func buildGuest(t testing.TB, folder, name string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), name+Ext)
	source := filepath.Join("testdata", folder, name)
	var c *exec.Cmd
	switch {
	case exists(source + ".c"):
		c = exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O3", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source+".c")
	case exists(source + ".rs"):
		rustc := "rustc"
		if exists("/usr/bin/rustc") {
			rustc = "/usr/bin/rustc"
		}
		c = exec.CommandContext(t.Context(), rustc, "--edition", "2021", "--target", "wasm32-unknown-unknown", "-C", "opt-level=3", "-C", "panic=abort",
			"-C", "target-feature=+bulk-memory", "--crate-type", "cdylib", "-o", out, source+".rs")
	case exists(source + ".zig"):
		c = zig(t, out, filepath.Join(besideSDK(t, "zig", source+".zig"), name+".zig"))
	case exists(source + ".ts"):
		dir := besideSDK(t, "assemblyscript", source+".ts")
		c = asc(t, out, name+".ts", "-O0")
		c.Dir = dir
	default:
		c = exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildmode=c-shared", "-o", out, "./"+source)
		c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	}
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", name, err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Ways of running a guest.
const (
	meteredRuntime = iota
	plainRuntime
	builtinRuntime // wazero's own termination check
)

// caller returns a function that gives the guest a frame of realistic values.
func caller(t *testing.T, module []byte, way int) func() {
	t.Helper()
	limits := DefaultLimits()
	limits.Unmetered = way != meteredRuntime
	p := mustLoadLimited(t, newEngine(t), module, limits)
	if way == builtinRuntime {
		useBuiltin(t, p, module)
	}
	tr := mustTransform(t, p, Config{Vertex: "v"})
	var rs []abitest.Record
	for i := range 64 {
		rs = append(rs, abitest.Record{Value: fmt.Sprintf(`{"type":"bid","auction":%d,"bidder":%d,"price":%d.5,"tags":["alpha","beta",null,true],"channel":"Google","url":"https://example.org/some/path/%d?query=1","extra":"%s"}`,
			1000+i, i*7, i*100, i, strings.Repeat("Lorem ipsum dolor ", 10))})
	}
	in := batchOf(rs)
	return func() {
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := tr.Call(t.Context(), in, &out); err != nil {
			t.Fatal(err)
		}
		if out.Len() == 0 {
			t.Fatal("the guest answered nothing")
		}
		if in.Bytes() == 0 {
			in.SwapArena(out.Batch)
		}
	}
}

// useBuiltin puts a plugin into a runtime with wazero's own check.
func useBuiltin(t *testing.T, p *Plugin, module []byte) {
	t.Helper()
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(1024).WithCloseOnContextDone(true)
	p.runtime = wazero.NewRuntimeWithConfig(t.Context(), config)
	wasi_snapshot_preview1.MustInstantiate(t.Context(), p.runtime)
	if err := instantiateHost(t.Context(), p.runtime); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.compiled, err = p.runtime.CompileModule(t.Context(), module); err != nil {
		t.Fatal(err)
	}
}

// medianRatio times a guest one way and plain in turn, with several instances as
// where they lie in memory makes some percent, and returns the median quotient.
func medianRatio(t *testing.T, guest []byte, way int) float64 {
	t.Helper()
	var ratios []float64
	for range 5 {
		a, b := caller(t, guest, way), caller(t, guest, plainRuntime)
		n := 1
		for measure(b, n) < 20*time.Millisecond {
			n *= 2
		}
		measure(a, n)
		for range 11 {
			ratios = append(ratios, float64(measure(a, n))/float64(measure(b, n)))
		}
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func measure(f func(), n int) time.Duration {
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start)
}

// spin lets eight guests spin on two processors, and returns the longest pause
// for the garbage collector in seconds and the longest delay of a 1 ms ticker.
func spin(t *testing.T) (pause float64, delay time.Duration) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	tr := mustTransform(t, mustLoad(t, newEngine(t), hostile()["an empty loop"]), Config{Vertex: "v", Instances: 8})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			_ = tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out)
		}()
	}
	time.Sleep(200 * time.Millisecond)
	before := pauses()
	go func() {
		for ctx.Err() == nil {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	for last := time.Now(); ctx.Err() == nil; last = time.Now() {
		time.Sleep(time.Millisecond)
		delay = max(delay, time.Since(last)-time.Millisecond)
	}
	for range 8 {
		<-done
	}
	after := pauses()
	for i := range after.Counts {
		if after.Counts[i] > before.Counts[i] && !math.IsInf(after.Buckets[i+1], 0) {
			pause = after.Buckets[i+1]
		}
	}
	return pause, delay
}

func pauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	h := *s[0].Value.Float64Histogram()
	h.Counts = slices.Clone(h.Counts)
	return &h
}

// overshoot returns by how many ms guests outlive their deadline, at the 99th
// percentile.
func overshoot(t *testing.T) float64 {
	t.Helper()
	limits := DefaultLimits()
	limits.CallDeadline = 10 * time.Millisecond
	var over []float64
	e := newEngine(t)
	for _, module := range hostile() {
		tr := mustTransform(t, mustLoadLimited(t, e, module, limits), Config{Vertex: "v"})
		for range 40 {
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			start := time.Now()
			err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
			if stream.CodeOf(err) != stream.GuestDeadline {
				t.Fatal(err)
			}
			over = append(over, float64((time.Since(start)-limits.CallDeadline).Microseconds())/1e3)
		}
	}
	slices.Sort(over)
	return over[len(over)*99/100]
}

// growth returns how much larger a module gets, and its compilation longer.
func growth(t *testing.T, module []byte) (size, compile float64) {
	t.Helper()
	m, err := decode("gojson", module)
	if err != nil {
		t.Fatal(err)
	}
	r, err := meter.Rewrite(m, meter.Limits{MemoryPages: 1024, TableElements: 100_000, Stack: DefaultLimits().Stack})
	if err != nil {
		t.Fatal(err)
	}
	took := func(module []byte) func() {
		return func() {
			r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithMemoryLimitPages(1024))
			if _, err := r.CompileModule(t.Context(), module); err != nil {
				t.Fatal(err)
			}
			if err := r.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ratios []float64
	for range 5 {
		ratios = append(ratios, float64(measure(took(r.Module), 1))/float64(measure(took(module), 1)))
	}
	slices.Sort(ratios)
	return float64(len(r.Module)) / float64(len(module)), ratios[2]
}
