package host_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

const (
	concurrency = 64
	meanLatency = (99*time.Millisecond + 500*time.Millisecond) / 100
)

// TestAsyncFigures measures how much of the ideal throughput, concurrency over
// mean latency, a guest that waits reaches; make bench-async runs it. It fails
// only where something cannot be measured.
func TestAsyncFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for a minute: run make bench-async")
	}
	ideal := concurrency / meanLatency.Seconds()
	fmt.Printf("%-12s %12s %10s\n", "WAY", "RECORDS/S", "OF IDEAL")
	fmt.Printf("%-12s %12.0f %9.0f%%\n", "ideal", ideal, 100.0)
	plugin := loadWait(t)
	ways := []struct {
		name string
		v    pipeline.Vertex
	}{
		{"batch", pipeline.Vertex{Concurrency: 1, Transform: &together{one: instances(t, plugin, concurrency)}, Call: pipeline.Limit{Records: 500, Bytes: 1 << 20}}},
		{"unordered", pipeline.Vertex{Concurrency: concurrency, Transform: instances(t, plugin, concurrency)}},
		{"keyed", pipeline.Vertex{Concurrency: concurrency, Order: pipeline.OrderKey, Transform: instances(t, plugin, concurrency)}},
		{"auto", pipeline.Vertex{MinConcurrency: 1, Concurrency: concurrency, Transform: instances(t, plugin, concurrency)}},
		{"fixed 8", pipeline.Vertex{Concurrency: 8, Transform: instances(t, plugin, 8)}},
	}
	figures := map[string]float64{}
	for _, w := range ways {
		if w.v.Call.Records == 0 {
			w.v.Call = pipeline.Limit{Records: 1, Bytes: 1 << 20}
		}
		rate := steadyRate(t, w.v)
		figures[w.name] = rate / ideal
		fmt.Printf("%-12s %12.0f %9.0f%%\n", w.name, rate, 100*rate/ideal)
	}
	for _, name := range []string{"unordered", "keyed", "auto", "batch"} {
		fmt.Printf("figure async_%s %.3f of_ideal\n", name, figures[name])
	}
}

// steadyRate returns how many records per second a vertex lets through, after
// some seconds.
func steadyRate(t *testing.T, v pipeline.Vertex) float64 {
	t.Helper()
	v.Name = "wait"
	warm := 4 * time.Second
	if v.MinConcurrency > 0 {
		warm = 15 * time.Second // it has to find out
	}
	v.Queue = pipeline.Limit{Records: 8192, Bytes: 4 << 20}
	v.Output, v.Processing = v.Queue, pipeline.Limit{Records: 65536, Bytes: 64 << 20}
	p, err := pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{{Name: "in", Source: &requests{rng: rand.New(rand.NewPCG(1, 2))}}, v, {Name: "out", Sink: nowhere{}, Queue: v.Queue}},
		Edges:    []pipeline.Edge{{From: "in", To: "wait"}, {From: "wait", To: "out"}},
		Tags:     stream.NewTagTable(),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx, nil) }()
	passed := func() (uint64, time.Time) { return p.Stats()[2].RecordsIn, time.Now() }
	time.Sleep(warm)
	before, start := passed()
	time.Sleep(8 * time.Second)
	after, end := passed()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return float64(after-before) / end.Sub(start).Seconds()
}

// loadWait builds the guest and loads it.
func loadWait(t *testing.T) *wasm.Plugin {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "wait.wasm")
	buildC(t, "wait", path)
	e, err := wasm.NewEngine(t.Context(), dir, wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Load(t.Context(), path, wasm.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(context.Background()), e.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return p
}

func instances(t *testing.T, p *wasm.Plugin, n int) stream.Transform {
	t.Helper()
	tr, err := p.Transform(t.Context(), wasm.Config{Vertex: "wait", Grant: []abi.Capability{abi.CapabilitySleep}, Instances: n, Tags: stream.NewTagTable()})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// together is the way of a data path that moves whole batches: it takes one,
// makes all of its calls, as many at once as may be, and waits for the last.
type together struct{ one stream.Transform }

func (b *together) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	permits := make(chan struct{}, concurrency)
	errs := make([]error, in.Len())
	var all sync.WaitGroup
	for i := range in.Records {
		permits <- struct{}{}
		all.Go(func() {
			defer func() { <-permits }()
			single, result := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
			single.AppendFrom(in, i)
			errs[i] = b.one.Call(ctx, single, &result)
		})
	}
	all.Wait()
	for i := range in.Records {
		out.AppendFrom(in, i)
	}
	return errors.Join(errs...)
}

func (b *together) Close(ctx context.Context) error { return b.one.Close(ctx) }

// requests is a source that never ends, of records of which one in a hundred is
// slow, with 10,000 keys.
type requests struct {
	rng  *rand.Rand
	read int
}

func (s *requests) Open(context.Context, stream.Position) error { return nil }

func (s *requests) Read(ctx context.Context, b *stream.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for range 500 {
		value := "0"
		if s.rng.IntN(100) == 0 {
			value = "1"
		}
		b.Append(int64(s.read), fmt.Appendf(nil, "%d", s.rng.IntN(10_000)), []byte(value), nil)
		s.read++
	}
	return nil
}

func (s *requests) Position(dst []byte) stream.Position        { return append(dst, 1) }
func (s *requests) Ack(context.Context, stream.Position) error { return nil }
func (s *requests) Close() error                               { return nil }

type nowhere struct{}

func (nowhere) Open(context.Context) error                 { return nil }
func (nowhere) Write(context.Context, *stream.Batch) error { return nil }
func (nowhere) Flush(context.Context) error                { return nil }
func (nowhere) Close() error                               { return nil }
