package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// Windows with a compilation and without follow each other closely, as others on
// the machine disturb both alike then.
const (
	compileWindow = 300 * time.Millisecond
	compilePairs  = 70 // for each rate
)

// TestCompileFigures measures what records that come at a fixed rate wait longer
// while a plugin is compiled that takes minutes; make bench-sandbox runs it. It
// fails only where something cannot be measured.
func TestCompileFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for two minutes: run make bench-sandbox")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	e := compiler(t)
	product := 1.0
	rates := []int{1_000, 20_000}
	for _, rate := range rates {
		product *= compileRatio(t, e, rate)
	}
	fmt.Printf("figure compile_bomb_p99 %.3f ratio\n", math.Pow(product, 1/float64(len(rates))))
}

// bombed is an engine that compiles in children, one at a time.
type bombed struct {
	*wasm.Engine
	bomb string // the path of a plugin that takes minutes
	pid  string // that of a file with the child's id
}

func compiler(t *testing.T) *bombed {
	t.Helper()
	dir := t.TempDir()
	program, pid := filepath.Join(dir, "wasmill"), filepath.Join(dir, "pid")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/wasmill").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, text)
	}
	a := abitest.NewGuest()
	ifs := bytes.Repeat([]byte{0x20, 0, 0x04, 0x40, 0x41, 1, 0x21, 0, abitest.End}, 50_000) // if x { x = 1 }
	a.Func("", []byte{abitest.I32}, nil, nil, ifs)
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	command := []string{"sh", "-c", `echo $$ >"$0" && exec "$@"`, pid, program, "compile-plugin"}
	e, err := wasm.NewEngine(t.Context(), dir, wasm.CompileLimits{Command: command, Timeout: time.Hour, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &bombed{e, write(t, dir, "bomb.wasm", string(a.Bytes())), pid}
}

// explode has a child compile the bomb until stop. It runs only between signals
// to go on and to stop.
func (b *bombed) explode(t *testing.T) (signal func(syscall.Signal), stop func()) {
	t.Helper()
	if err := os.Remove(b.pid); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := b.Load(ctx, b.bomb, wasm.DefaultLimits())
		done <- err
	}()
	time.Sleep(time.Second) // until it is past its start
	text, err := os.ReadFile(b.pid)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	signal = func(s syscall.Signal) {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	return signal, func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the bomb was compiled: %v", err)
		}
	}
}

// compileRatio returns the median, over pairs of windows one after the other, of
// the quotient of the 99th percentiles with and without a compilation.
func compileRatio(t *testing.T, b *bombed, rate int) float64 {
	t.Helper()
	p, err := b.Load(t.Context(), "../plugins/identity.wasm", wasm.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	tr, err := p.Transform(t.Context(), wasm.Config{Vertex: "f", Instances: 2, Tags: stream.NewTagTable()})
	if err != nil {
		t.Fatal(err)
	}
	arrived := &arrivals{}
	defer flowAt(t, rate, tr, arrived)()
	signal, stop := b.explode(t)
	defer stop()
	window := func(s syscall.Signal) []time.Duration {
		signal(s)
		time.Sleep(compileWindow / 10)
		arrived.take()
		time.Sleep(compileWindow)
		return arrived.take()
	}
	var ratios []float64
	var all [2][]time.Duration
	for k := range compilePairs {
		var with, without []time.Duration
		if k%2 == 0 {
			with, without = window(syscall.SIGCONT), window(syscall.SIGSTOP)
		} else {
			without, with = window(syscall.SIGSTOP), window(syscall.SIGCONT)
		}
		ratios = append(ratios, float64(late(with))/float64(late(without)))
		all[0], all[1] = append(all[0], with...), append(all[1], without...)
	}
	signal(syscall.SIGCONT)
	slices.Sort(ratios)
	fmt.Printf("%d records/s: 99th percentile %v while a bomb is compiled, %v otherwise; quotients of neighbours %.2f, half of them from %.2f to %.2f\n",
		rate, late(all[0]), late(all[1]), ratios[compilePairs/2], ratios[compilePairs/4], ratios[compilePairs*3/4])
	return ratios[compilePairs/2]
}

// late returns the 99th percentile.
func late(waits []time.Duration) time.Duration {
	if len(waits) == 0 {
		return compileWindow
	}
	slices.Sort(waits)
	return waits[len(waits)*99/100]
}

// flowAt runs a pipeline with records at a rate, until stop.
func flowAt(t *testing.T, rate int, tr stream.Transform, to stream.Sink) (stop func()) {
	t.Helper()
	queue := pipeline.Limit{Records: 8192, Bytes: 4 << 20}
	p, err := pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{
			{Name: "in", Source: &paced{perTick: rate / 1000}},
			{Name: "f", Transform: tr, Concurrency: 2, Queue: queue, Output: queue, Processing: pipeline.Limit{Records: 65536, Bytes: 64 << 20}, Call: pipeline.Limit{Records: 1024, Bytes: 1 << 20}},
			{Name: "out", Sink: to, Queue: queue},
		},
		Edges: []pipeline.Edge{{From: "in", To: "f"}, {From: "f", To: "out"}},
		Tags:  stream.NewTagTable(),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx, nil) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// paced is a source of so many records each millisecond. Their time is when they
// were due, so that what delays the source counts, too.
type paced struct {
	perTick int
	due     time.Time
}

func (s *paced) Open(context.Context, stream.Position) error {
	s.due = time.Now()
	return nil
}

func (s *paced) Read(ctx context.Context, b *stream.Batch) error {
	s.due = s.due.Add(time.Millisecond)
	time.Sleep(time.Until(s.due))
	for range s.perTick {
		b.Append(s.due.UnixNano(), nil, []byte("a record of some length, as they come"), nil)
	}
	return ctx.Err()
}

func (s *paced) Position(dst []byte) stream.Position        { return append(dst, 1) }
func (s *paced) Ack(context.Context, stream.Position) error { return nil }
func (s *paced) Close() error                               { return nil }

// arrivals is a sink that notes how long after they were due records came.
type arrivals struct {
	nowhere
	mu    sync.Mutex
	waits []time.Duration // guarded by mu
}

func (a *arrivals) Write(_ context.Context, b *stream.Batch) error {
	now := time.Now().UnixNano()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range b.Records {
		a.waits = append(a.waits, time.Duration(now-b.Records[i].Time))
	}
	return nil
}

// take returns what was noted since it was called last.
func (a *arrivals) take() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	waits := a.waits
	a.waits = nil
	return waits
}
