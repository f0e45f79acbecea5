package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// TestScaleFigures measures what it takes to go on after nothing was to be done; make
// bench-scale runs it. It fails only where something cannot be measured.
func TestScaleFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for some seconds: run make bench-scale")
	}
	for _, guest := range []struct{ figure, plugin string }{{"wake_p99_c", "identity"}, {"wake_p99_go", "identity-go"}} {
		took := wakes(t, guest.plugin, 500)
		slices.Sort(took)
		fmt.Printf("wakes of %s: median %v, longest %v\n", guest.plugin, took[len(took)/2], took[len(took)-1])
		fmt.Printf("figure %s %.4g ms\n", guest.figure, float64(took[len(took)*99/100].Microseconds())/1e3)
	}
}

// doorbell is a source of one record each time that it is rung.
type doorbell struct {
	nowhere
	rings chan struct{}
}

func (s *doorbell) Open(context.Context, stream.Position) error { return nil }
func (s *doorbell) Position(dst []byte) stream.Position         { return append(dst, 1) }
func (s *doorbell) Ack(context.Context, stream.Position) error  { return nil }
func (s *doorbell) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case <-s.rings:
		b.Append(0, nil, []byte("a record"), nil)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// told is a sink that tells when something has come.
type told struct {
	nowhere
	came chan time.Time
}

func (s *told) Write(context.Context, *stream.Batch) error {
	s.came <- time.Now()
	return nil
}

// wakes lets a vertex rest, with no instances and no memory of the plugin, and gives it a
// record, so many times. It returns how long each took to its result.
func wakes(t *testing.T, plugin string, times int) []time.Duration {
	t.Helper()
	e, err := wasm.NewEngine(t.Context(), t.TempDir(), wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := e.Load(t.Context(), filepath.Join("..", "plugins", plugin+".wasm"), wasm.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	one, err := loaded.Transform(t.Context(), wasm.Config{Vertex: "f", Instances: 2, Tags: stream.NewTagTable()})
	if err != nil {
		t.Fatal(err)
	}
	guest := wasm.NewVersions(one)
	in, out := &doorbell{rings: make(chan struct{})}, &told{came: make(chan time.Time)}
	queue := pipeline.Limit{Records: 8192, Bytes: 4 << 20}
	f := pipeline.Vertex{Name: "f", Transform: guest, Call: pipeline.Limit{Records: 512, Bytes: 1 << 20}, Queue: queue, Output: queue}
	var p *pipeline.Pipeline
	adjust := func(calls int) {
		guest.Resize(calls)
		other := f
		other.Concurrency = calls
		p.Adjust(&other)
	}
	f.Wake = func() { adjust(2) }
	p, err = pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{{Name: "in", Source: in}, f, {Name: "out", Sink: out, Queue: queue}},
		Edges:    []pipeline.Edge{{From: "in", To: "f"}, {From: "f", To: "out"}},
		Tags:     stream.NewTagTable(),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- p.Run(t.Context(), nil) }()
	took := make([]time.Duration, times)
	for i := range took {
		adjust(0)
		for guest.Stats().Instances > 0 || !p.Left()[1].Nothing() {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * time.Millisecond)
		began := time.Now()
		in.rings <- struct{}{}
		took[i] = (<-out.came).Sub(began)
	}
	p.Drain()
	if err := errors.Join(<-done, e.Close(context.Background())); err != nil {
		t.Fatal(err)
	}
	return took
}
