package window_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
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
		binary.LittleEndian.PutUint64(key[:], n)
		b.Append(int64(s.next)*int64(time.Microsecond), key[:], s.value[:], nil)
	}
	return nil
}

// TestStateFigures measures keyed counting; make bench-state runs it. It fails only
// where something cannot be measured.
func TestStateFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for some seconds: run make bench-state")
	}
	const records = 10_000_000
	best, perKey := 0.0, 0.0
	for range 3 {
		count, err := window.NewTransform(window.Config{Vertex: "count", Spec: window.Spec{Kind: window.Fixed, Size: time.Hour}, Aggregate: "count", Groups: 128, MaxBytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		queue := pipeline.Limit{Records: 16384, Bytes: 8 << 20}
		p, err := pipeline.New(pipeline.Graph{
			Vertices: []pipeline.Vertex{
				{Name: "in", Source: &visits{left: records}},
				{Name: "count", Transform: count, Concurrency: 2, Call: pipeline.Limit{Records: 1024, Bytes: 1 << 20}, CallTime: time.Millisecond, Queue: queue,
					Processing: pipeline.Limit{Records: 65536, Bytes: 64 << 20}, Output: queue},
				{Name: "out", Sink: &keep{}, Queue: queue},
			},
			Edges: []pipeline.Edge{{From: "in", To: "count"}, {From: "count", To: "out", Tags: []string{"none"}}},
			Tags:  stream.NewTagTable("none"),
		}, pipeline.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		done, start := make(chan error), time.Now()
		go func() { done <- p.Run(t.Context(), nil) }()
		for p.Stats()[1].RecordsIn < records*99/100 {
			time.Sleep(5 * time.Millisecond)
		}
		rate := float64(p.Stats()[1].RecordsIn) / time.Since(start).Seconds()
		windows, timers := count.Usage()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if best = max(best, rate); windows.Keys > 0 {
			perKey = float64(windows.Held+timers.Held-windows.Bytes) / float64(windows.Keys)
		}
	}
	fmt.Printf("figure keyed_count_builtin %.0f records/s\n", best)
	fmt.Printf("figure bytes_per_key %.1f bytes\n", perKey)
}
