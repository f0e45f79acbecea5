package pipeline

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// full is a source of full batches that costs next to nothing.
type full struct{ left int }

func (s *full) Open(context.Context, stream.Position) error { return nil }

func (s *full) Read(_ context.Context, b *stream.Batch) error {
	if s.left == 0 {
		return io.EOF
	}
	s.left--
	b.Commit(len(b.Reserve(128 << 10)))
	for i := range uint32(1024) {
		b.Records = append(b.Records, stream.Record{Value: stream.Span{Off: i * 128, Len: 128}})
	}
	return nil
}

func (s *full) Position(dst []byte) stream.Position        { return dst }
func (s *full) Ack(context.Context, stream.Position) error { return nil }
func (s *full) Close() error                               { return nil }

// devNull is a sink that costs nothing.
type devNull struct{}

func (devNull) Open(context.Context) error                 { return nil }
func (devNull) Write(context.Context, *stream.Batch) error { return nil }
func (devNull) Flush(context.Context) error                { return nil }
func (devNull) Close() error                               { return nil }

// swap passes batches through without touching a byte.
type swap struct{}

func (swap) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	out.Records = append(out.Records, in.Records...)
	out.SwapArena(in)
	return nil
}
func (swap) Close(context.Context) error { return nil }

// BenchmarkEdge is a source and a sink with an edge between them, and the same
// with a transform in the middle; one operation is a batch of 1024 records.
func BenchmarkEdge(b *testing.B) {
	for _, middle := range []int{0, 1, 4} {
		b.Run(map[int]string{0: "source-sink", 1: "one transform", 4: "four transforms"}[middle], func(b *testing.B) {
			vertices := []Vertex{source("in", &full{left: b.N}), {Name: "out", Sink: devNull{}, Queue: Limit{8192, 4 << 20}}}
			last, edges := "in", []string(nil)
			for i := range middle {
				name := string(rune('a' + i))
				v := udf(name, 2, swap{})
				v.Call, v.Queue, v.Output = Limit{1024, 1 << 20}, Limit{8192, 4 << 20}, Limit{2048, 2 << 20}
				vertices = append(vertices, v)
				edges = append(edges, last+" "+name)
				last = name
			}
			p := mustNew(b, graph(vertices, append(edges, last+" out")...), Hooks{})
			b.ReportAllocs()
			b.ResetTimer()
			if err := p.Run(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		})
	}
}

// fullOfKeys is a source of full batches with 1000 keys.
type fullOfKeys struct{ full }

func (s *fullOfKeys) Read(ctx context.Context, b *stream.Batch) error {
	if err := s.full.Read(ctx, b); err != nil {
		return err
	}
	arena := b.Arena()
	for i := range b.Records {
		r := &b.Records[i]
		r.Key = stream.Span{Off: r.Value.Off, Len: 2}
		binary.LittleEndian.PutUint16(arena[r.Key.Off:], uint16((s.left*1024+i)*7919%1000))
	}
	return nil
}

// through is a Keyed that passes batches through without touching a byte.
type through struct{ swap }

func (through) Groups() int                                      { return 128 }
func (through) Key(b *stream.Batch, i int) (key []byte, ok bool) { return b.Key(i), true }
func (through) Group(key []byte) int                             { return int(key[0]) % 128 }
func (through) Due(int, int) (stream.Watermark, bool)            { return 0, false }
func (through) Alarm(int, int) (int64, bool)                     { return 0, false }

func (t through) In(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	return t.Call(ctx, in, out)
}

func (through) Advance(context.Context, int, int, stream.Watermark, int64, *stream.Batch, *stream.Output) error {
	return nil
}

// BenchmarkKeys is a source, a transform that deals what comes by key, without and with
// state, and a sink; one operation is a batch of 1024 records.
func BenchmarkKeys(b *testing.B) {
	for name, t := range map[string]stream.Transform{"order": swap{}, "state": through{}} {
		b.Run(name, func(b *testing.B) {
			v := udf("x", 2, t)
			v.Order, v.Call, v.Queue, v.Output = OrderKey, Limit{1024, 1 << 20}, Limit{8192, 4 << 20}, Limit{2048, 2 << 20}
			vertices := []Vertex{source("in", &fullOfKeys{full{left: b.N}}), v, {Name: "out", Sink: devNull{}, Queue: Limit{8192, 4 << 20}}}
			p := mustNew(b, graph(vertices, "in x", "x out"), Hooks{})
			b.ReportAllocs()
			b.ResetTimer()
			if err := p.Run(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		})
	}
}
