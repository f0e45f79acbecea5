package host_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/join"
	"github.com/wasmill/wasmill/host/state/process"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// The most that a key may take beside its own bytes and those of its value, in a join
// for a record and what finds those of its window.
const (
	perKey  = 100
	perJoin = 150
)

const (
	keyBytes   = 8
	valueBytes = 8 // a count, or a record of a join
)

// remembering is a stream.Keyed that says what it remembers.
type remembering interface {
	stream.Keyed
	Usage() (values, timers state.Usage)
}

// tallying is a guest of both kinds that counts in 8 bytes.
type tallying struct{}

func (tallying) Close(context.Context) error { return nil }
func (tallying) Merges() bool                { return false }

func (tallying) Process(_ context.Context, s *process.Session, in *stream.Batch, _ *stream.Output) error {
	for i := range in.Records {
		var n uint64
		if v, ok := s.Get(i, nil); ok {
			n = binary.LittleEndian.Uint64(v)
		}
		if err := s.Put(i, nil, binary.LittleEndian.AppendUint64(nil, n+1), 0); err != nil {
			return err
		}
	}
	return nil
}

func (tallying) Add(_ context.Context, p *stream.Panes, _ *stream.Output) error {
	for k := range p.Table {
		w, n := &p.Table[k], uint64(0)
		if w.Accumulator.Len > 0 {
			n = binary.LittleEndian.Uint64(p.Accumulators[w.Accumulator.Off:])
		}
		w.Accumulator = stream.Span{Off: uint32(len(p.Accumulators)), Len: 8}
		p.Accumulators = binary.LittleEndian.AppendUint64(p.Accumulators, n+uint64(w.Count))
	}
	return nil
}

func (tallying) Merge(context.Context, *stream.Panes) error { panic("BUG: it does not merge") }

func (tallying) Result(context.Context, *stream.Panes, *stream.Output) error { return nil }

// TestManyKeysTakeLittleMemory counts the records of a million keys, or with SOAK of ten
// million, within a budget of 100 bytes for each beside its key and its value.
func TestManyKeysTakeLittleMemory(t *testing.T) {
	keys := 1_000_000
	if os.Getenv("SOAK") != "" {
		keys = 10_000_000
	}
	const groups = 128
	fixed := window.Spec{Kind: window.Fixed, Size: time.Hour}
	for _, role := range []struct {
		name string
		most int
		make func(budget int64) (remembering, error)
	}{
		{"a process", perKey, func(budget int64) (remembering, error) {
			return process.NewTransform(process.Config{Vertex: "v", Groups: groups, MaxBytes: budget, CallBytes: 8 << 20}, tallying{}), nil
		}},
		{"an aggregate", perKey, func(budget int64) (remembering, error) {
			return window.NewTransform(window.Config{Vertex: "v", Spec: fixed, Aggregate: "count", Groups: groups, MaxBytes: budget})
		}},
		{"an aggregate of a guest", perKey, func(budget int64) (remembering, error) {
			return window.NewGuests(window.GuestConfig{Vertex: "v", Spec: fixed, Guest: tallying{}, Groups: groups, MaxBytes: budget})
		}},
		{"a join", perJoin, func(budget int64) (remembering, error) {
			return join.New(join.Config{Vertex: "v", Spec: fixed, Right: []bool{false}, Groups: groups, MaxBytes: budget})
		}},
	} {
		t.Run(role.name, func(t *testing.T) {
			began := heap()
			k, err := role.make(int64(keys) * int64(keyBytes+valueBytes+role.most))
			if err != nil {
				t.Fatal(err)
			}
			in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
			for n := 0; n < keys; {
				in.Reset()
				out.Reset()
				in.Watermark = stream.NoWatermark
				for ; in.Len() < 1000 && n < keys; n++ {
					key := binary.LittleEndian.AppendUint64(nil, uint64(n)*0x9e3779b97f4a7c15)
					in.Append(1, key, []byte("12345678"), nil)
					in.Records[in.Len()-1].Group = uint16(k.Group(key))
				}
				if err := k.In(t.Context(), in, &out); err != nil || len(out.Failures) > 0 {
					t.Fatalf("after %d keys: %v, %v", n, err, out.Failures)
				}
			}
			values, timers := k.Usage()
			each := float64(values.Held+timers.Held)/float64(keys) - keyBytes - valueBytes
			real := float64(heap()-began)/float64(keys) - keyBytes - valueBytes
			t.Logf("%.1f bytes for each of %d keys, %.1f of the heap", each, keys, real)
			if most := float64(role.most); each > most || real > 1.1*most {
				t.Errorf("a key takes %.1f bytes, and %.1f of the heap, want %v at most", each, real, most)
			}
			if at, due := k.Due(0, groups); due != (role.name != "a process") || due && at == math.MaxInt64 {
				t.Errorf("due at %d, %v", at, due)
			}
			runtime.KeepAlive(k)
		})
	}
}

// heap returns how much of it is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
