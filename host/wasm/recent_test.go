package wasm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func TestRecentRecordsAreBoundedAndTheLast(t *testing.T) {
	for _, c := range []struct {
		name        string
		calls, size int // records of a call, bytes of each
		least, most int // records kept
	}{
		{"single records", 1, 10, 129, 256},
		{"large calls of which the first records are kept", 1000, 10, 129, 256},
		{"records of 100 KiB", 3, 100 << 10, 5, 10},
		{"records that are too large", 3, 600 << 10, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r recent
			var last string
			now := time.Now()
			for n := range 1000 {
				rs := make([]abitest.Record, c.calls)
				for k := range rs {
					rs[k].Key, rs[k].Value = "k", fmt.Sprintf("%d/%d %s", n, k, strings.Repeat("x", min(c.size, 1+n/900*c.size)))
				}
				last = rs[min(c.calls, recentOfCall)-1].Value
				now = now.Add(time.Second)
				r.take(batchOf(rs), now)
			}
			all, most := r.sample()
			if n := all.Len(); n < c.least || n > c.most && c.most > 0 || all.Bytes() > recentBytes || most != min(c.calls, recentOfCall) {
				t.Errorf("kept %d records, %d bytes, calls of %d", n, all.Bytes(), most)
			}
			if n := all.Len(); c.most > 0 && string(all.Value(n-1)) != last {
				t.Errorf("the last one is %.20q, not %.20q", all.Value(n-1), last)
			}
		})
	}
}

func TestTimersAndRecordsWithoutAKeyAreNotKept(t *testing.T) {
	b := batchOf(make([]abitest.Record, 4))
	b.Records[0].Port, b.Records[1].Port, b.Records[2].Port = stream.NoKey, stream.EventTimer, stream.ClockTimer
	var r recent
	r.see(b)
	if all, _ := r.sample(); all.Len() != 1 || all.Records[0].Seq != 103 {
		t.Errorf("kept %v", all.Records)
	}
}

// TestRecentRecordsAreTakenAtAPace counts calls between those that something is taken of.
func TestRecentRecordsAreTakenAtAPace(t *testing.T) {
	var r recent
	one := batchOf(make([]abitest.Record, 1))
	now := time.Now()
	for range recentRecords/2 + 1 {
		if r.left.Load() != 0 {
			t.Fatal("calls pass while there is not enough")
		}
		now = now.Add(time.Microsecond)
		r.take(one, now)
	}
	var strides []int64
	for _, took := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, time.Minute, time.Millisecond, 25 * time.Millisecond} {
		now = now.Add(took)
		r.take(one, now)
		strides = append(strides, r.left.Load()+1)
	}
	if want := []int64{256, 256, 128, 1, 100, 256}; !slices.Equal(strides, want) {
		t.Errorf("strides %v, want %v", strides, want)
	}
}

func TestKeepingRecentRecordsAllocatesNothing(t *testing.T) {
	var r recent
	in := batchOf(make([]abitest.Record, 100))
	use := func() {
		r.left.Store(0)
		r.see(in)
	}
	for range 1000 {
		use()
	}
	if n := testing.AllocsPerRun(1000, use); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkRecent is what keeping records costs the smallest of calls.
func BenchmarkRecent(b *testing.B) {
	for _, canary := range []bool{false, true} {
		for _, n := range []int{1, 1024} {
			b.Run(fmt.Sprintf("canary %v, %d records", canary, n), func(b *testing.B) {
				v := NewVersions(freshTransform(b, freshPlugin(b, newEngine(b), swallows(), DefaultLimits()), Config{Vertex: "v", Canary: canary}))
				in, out := batchOf(slices.Repeat([]abitest.Record{{Value: strings.Repeat("x", 128)}}, n)), stream.Output{Batch: (&stream.BatchPool{}).New()}
				b.ReportAllocs()
				for b.Loop() {
					if err := v.Call(b.Context(), in, &out); err != nil {
						b.Fatal(err)
					}
				}
				if err := v.Close(b.Context()); err != nil {
					b.Error(err)
				}
			})
		}
	}
}
