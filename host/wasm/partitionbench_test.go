package wasm

import (
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// BenchmarkShadow takes the copy of a Go guest with 8 MiB of memory, of which a part
// has changed, and the snapshot of what changed.
func BenchmarkShadow(b *testing.B) {
	parts := mustPartitions(b, loadFile(b, newEngine(b), remembering(b, "go"), DefaultLimits()), Config{}, 1)
	mustSay(b, parts, 0, "a")
	i := parts.parts[0].live
	if more := 8<<20 - int(i.memory.Size()); more > 0 {
		i.memory.Grow(uint32(more / PageSize))
	}
	memory := i.refresh()
	units := len(memory) / unit
	var s shadow
	version := uint64(0)
	for _, percent := range []int{0, 1, 10, 100} {
		dirty := max(units*percent/100, 0)
		b.Run(fmt.Sprintf("copy/dirty=%d%%", percent), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				for k := range dirty {
					memory[k*units/dirty*unit]++
				}
				version++
				b.StartTimer()
				if err := s.take(i, version); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(memory)))
		})
		b.Run(fmt.Sprintf("encode/dirty=%d%%", percent), func(b *testing.B) {
			p := &partition{shadow: s}
			var dst []byte
			for b.Loop() {
				dst = parts.encode(p, version-1, dst[:0])
			}
			b.ReportMetric(float64(len(dst)), "B/snapshot")
		})
	}
	s.free()
}

// BenchmarkPartitionCall compares frames of 1024 records of a guest whose memory is
// its state with those of one whose memory is not.
func BenchmarkPartitionCall(b *testing.B) {
	for _, guest := range []string{"identity", "identity-go"} {
		p := loadFile(b, newEngine(b), builtPlugin(b, guest), DefaultLimits())
		rs := make([]abitest.Record, 1024)
		for k := range rs {
			rs[k].Value = fmt.Sprintf("%0*d", 128, k%100)
		}
		pool := &stream.BatchPool{}
		run := func(b *testing.B, call func(in *stream.Batch, out *stream.Output) error) {
			original, in, out := batchOf(rs), pool.New(), stream.Output{Batch: pool.New()}
			b.ReportAllocs()
			for b.Loop() {
				in.Reset()
				in.AppendAll(original)
				out.Reset()
				if err := call(in, &out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		}
		b.Run(guest+"/map", func(b *testing.B) {
			tr := mustTransform(b, p, Config{Vertex: "v"})
			run(b, func(in *stream.Batch, out *stream.Output) error { return tr.Call(b.Context(), in, out) })
		})
		b.Run(guest+"/memory", func(b *testing.B) {
			parts := mustPartitions(b, p, Config{}, 1)
			run(b, func(in *stream.Batch, out *stream.Output) error { return parts.Call(b.Context(), 0, in, out) })
		})
	}
}
