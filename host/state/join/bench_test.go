package join

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

const benchGroups = 128

// benchBatches returns n records in calls of 1024: of each key one left record, then
// so many right ones, with others in between. Values are of about 100 bytes.
func benchBatches(j *Transform, n, rights int) (batches []*stream.Batch) {
	random := rand.New(rand.NewPCG(1, 2))
	const open = 100_000 // keys that still get records
	var b *stream.Batch
	var left [open]int
	var keys [open]uint64
	for i := range n {
		if i%1024 == 0 {
			b = &stream.Batch{Watermark: stream.NoWatermark}
			batches = append(batches, b)
		}
		k := random.IntN(open)
		side := 1
		if left[k] == 0 {
			side, left[k], keys[k] = 0, rights+1, random.Uint64()
		}
		left[k]--
		key := binary.BigEndian.AppendUint64(nil, keys[k])
		b.Append(int64(i)*1000, key, fmt.Appendf(nil, `{"id":%d,"price":12.5,"item":"something of some length","at":"2026-01-02T03:04:05Z","n":%d}`, keys[k], i), nil)
		r := &b.Records[b.Len()-1]
		r.Port, r.Group = uint16(side), uint16(j.Group(key))
	}
	return batches
}

func benchmark(b *testing.B, c Config, rights int) {
	const n = 1 << 20
	c.Groups, c.Right = benchGroups, []bool{false, true}
	j, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	batches := benchBatches(j, n, rights)
	out := stream.Output{Batch: &stream.Batch{}}
	results, records := 0, 0
	for b.Loop() {
		if j, err = New(c); err != nil {
			b.Fatal(err)
		}
		for _, in := range batches {
			out.Reset()
			if err := j.In(b.Context(), in, &out); err != nil || len(out.Failures) > 0 {
				b.Fatal(err, out.Failures)
			}
			results += out.Len()
			records += in.Len()
		}
		usage, timers := j.Usage()
		b.ReportMetric(float64(usage.Held+timers.Held)/n, "B/record")
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(results)/float64(records), "results/record")
}

func BenchmarkInnerOneToOne(b *testing.B)  { benchmark(b, fixedBench(), 1) }
func BenchmarkInnerOneToFive(b *testing.B) { benchmark(b, fixedBench(), 5) }

func BenchmarkLeftWithin(b *testing.B) {
	benchmark(b, Config{Spec: window.Spec{Kind: window.Global}, Within: 10 * time.Minute, Outer: true}, 1)
}

func BenchmarkInnerSliding(b *testing.B) {
	benchmark(b, Config{Spec: window.Spec{Kind: window.Sliding, Size: 10 * time.Minute, Slide: 5 * time.Minute}}, 1)
}

func fixedBench() Config {
	return Config{Spec: window.Spec{Kind: window.Fixed, Size: time.Hour}}
}

// BenchmarkAdvance ends panes of one left record each.
func BenchmarkAdvance(b *testing.B) {
	c := fixedBench()
	c.Outer = true
	c.Groups, c.Right = benchGroups, []bool{false, true}
	const n = 1 << 18
	out := stream.Output{Batch: &stream.Batch{}}
	results := 0
	for b.Loop() {
		b.StopTimer()
		j, err := New(c)
		if err != nil {
			b.Fatal(err)
		}
		for _, in := range benchBatches(j, n, 0) {
			out.Reset()
			if err := j.In(b.Context(), in, &out); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		for at, due := j.Due(0, benchGroups); due; at, due = j.Due(0, benchGroups) {
			out.Reset()
			if err := j.Advance(b.Context(), 0, benchGroups, at, 0, nil, &out); err != nil {
				b.Fatal(err)
			}
			results += out.Len()
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(results), "ns/result")
}

// TestNothingIsAllocatedPerRecord makes the same call again and again. What grows,
// tables and arenas, does so less and less often.
func TestNothingIsAllocatedPerRecord(t *testing.T) {
	for _, c := range []Config{fixedBench(), {Spec: window.Spec{Kind: window.Global}, Within: time.Second, Outer: true}, {Spec: window.Spec{Kind: window.Sliding, Size: 10, Slide: 3}}} {
		c.Groups, c.Right = 1, []bool{false, true}
		j, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		in, out := &stream.Batch{Watermark: stream.NoWatermark}, stream.Output{Batch: &stream.Batch{}}
		for i := range 1024 {
			in.Append(int64(i), fmt.Append(nil, "a key of more than 32 bytes, which is long, ", i/2), []byte(`{"a": "b\n", "c": [1, 2.5, true]}`), nil)
			in.Records[i].Port = uint16(i % 2)
		}
		out.Reserve(8 << 20)
		out.Records = make([]stream.Record, 0, 1<<16)
		got := testing.AllocsPerRun(10, func() {
			out.Reset()
			if err := j.In(t.Context(), in, &out); err != nil {
				t.Fatal(err)
			}
		})
		if out.Len() < 512 || got > 100 {
			t.Errorf("%v: %v allocations for %d results of 1024 records", c.Spec.Kind, got, out.Len())
		}
	}
}
