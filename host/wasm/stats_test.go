package wasm

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func TestStatsCountWhatHappens(t *testing.T) {
	limits := DefaultLimits()
	limits.LogLines, limits.CallDeadline, limits.Fuel = 1, 20*time.Millisecond, 10_000_000
	e := newEngine(t)
	grant := []abi.Capability{abi.CapabilityLog}
	events := stream.Events{GuestLog: func(stream.VertexID, stream.GuestLevel, string) {}}
	play := func(module []byte, limits Limits, calls int) Stats {
		t.Helper()
		tr := mustTransform(t, mustLoadLimited(t, e, module, limits), Config{Vertex: "v", Grant: grant, Events: events})
		for range calls {
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			_ = tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
		}
		return tr.Stats()
	}
	if s := play(logs(), limits, 3); s.Calls != 3 || s.Instances != 1 || s.Refills != 0 {
		t.Errorf("good calls: %+v", s)
	}
	if s := play(hostile()["an empty loop"], limits, 2); s.Discards[stream.GuestFuel]+s.Discards[stream.GuestDeadline] != 2 || s.Yields == 0 || s.Discards[stream.GuestTrap] != 0 {
		t.Errorf("calls without end: %+v", s)
	}
}

func TestDiscardsAreCountedByReason(t *testing.T) {
	var c counters
	for k, reason := range discardReasons {
		c.discarded(reason)
		if c.discards[k].Load() != 1 {
			t.Errorf("%s is counted elsewhere", reason)
		}
	}
	c.discarded("something-new")
	if n := c.discards[len(discardReasons)-1].Load(); n != 2 {
		t.Errorf("a code without a counter: %d", n)
	}
}

func TestDroppedLinesAreCounted(t *testing.T) {
	v := &vertex{Config: Config{Events: stream.Events{GuestLog: func(stream.VertexID, stream.GuestLevel, string) {}}}}
	v.said.began = time.Now().Add(time.Hour) // so that this second does not end
	for range 5 {
		v.log(stream.GuestInfo, []byte("x"), 2, 100)
	}
	if n := v.said.total.Load(); n != 3 {
		t.Errorf("%d lines", n)
	}
}
