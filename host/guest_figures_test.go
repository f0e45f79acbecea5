package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// visits is a source of records of 100 bytes, which a million keys take in turn.
type visits struct {
	left, next int
	value      [92]byte
}

func (s *visits) Open(context.Context, stream.Position) error { return nil }
func (s *visits) Position(dst []byte) stream.Position         { return append(dst, 1) }
func (s *visits) Ack(context.Context, stream.Position) error  { return nil }
func (s *visits) Close() error                                { return nil }
func (s *visits) Read(_ context.Context, b *stream.Batch) error {
	if s.left == 0 {
		return io.EOF
	}
	var key [8]byte
	for range min(s.left, 1024) {
		s.left--
		s.next++
		n := uint64(s.next) * 0x9e3779b97f4a7c15 >> 20 % 1_000_000
		for i := range key {
			key[i] = byte(n >> (8 * i))
		}
		b.Append(int64(s.next)*int64(time.Microsecond), key[:], s.value[:], nil)
	}
	return nil
}

// TestGuestStateFigures measures keyed counting by a guest; make bench-state runs it.
// It fails only where something cannot be measured.
func TestGuestStateFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for some seconds: run make bench-state")
	}
	const records = 10_000_000
	best, cpu := 0.0, 0.0
	for range 3 {
		rate, per := countByGuest(t, records)
		if rate > best {
			best, cpu = rate, per
		}
	}
	fmt.Printf("figure keyed_count_guest %.0f records/s\n", best)
	fmt.Printf("figure keyed_count_guest_cpu %.0f ns/record\n", cpu)
}

// countByGuest returns how many records per second are counted, and how much of a
// processor each takes, of the whole pipeline, in ns.
func countByGuest(t *testing.T, records int) (rate, cpu float64) {
	t.Helper()
	e, err := wasm.NewEngine(t.Context(), t.TempDir(), wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := e.Load(t.Context(), filepath.Join("..", "plugins", "count-by.wasm"), wasm.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	guest, err := plugin.Transform(t.Context(), wasm.Config{Vertex: "count", Instances: 2, Tags: stream.NewTagTable()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(guest.Close(t.Context()), plugin.Close(t.Context()), e.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	count, err := window.NewGuests(window.GuestConfig{Vertex: "count", Spec: window.Spec{Kind: window.Fixed, Size: time.Hour}, Guest: guest, Groups: 128, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	queue := pipeline.Limit{Records: 16384, Bytes: 8 << 20}
	p, err := pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{
			{Name: "in", Source: &visits{left: records}},
			{Name: "count", Transform: count, Concurrency: 2, Call: pipeline.Limit{Records: 1024, Bytes: 1 << 20}, CallTime: time.Millisecond, Queue: queue,
				Processing: pipeline.Limit{Records: 65536, Bytes: 64 << 20}, Output: queue},
			{Name: "out", Sink: nowhere{}, Queue: queue},
		},
		Edges: []pipeline.Edge{{From: "in", To: "count"}, {From: "count", To: "out", Tags: []string{"none"}}},
		Tags:  stream.NewTagTable("none"),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	done, start, before := make(chan error), time.Now(), cpuTime(t)
	go func() { done <- p.Run(t.Context(), nil) }()
	for p.Stats()[1].RecordsIn < uint64(records)*99/100 {
		time.Sleep(5 * time.Millisecond)
	}
	n := float64(p.Stats()[1].RecordsIn)
	rate, cpu = n/time.Since(start).Seconds(), float64(cpuTime(t)-before)/n
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return rate, cpu
}

// cpuTime is what the process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
