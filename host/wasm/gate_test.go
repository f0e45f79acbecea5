package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func TestCallsWaitForTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, start := newGate(1), time.Now()
		if got := g.fail(0, false); got != time.Second {
			t.Fatalf("suspended for %v", got)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		cancel(gone)
		if _, err := g.enter(ctx); err != gone || time.Since(start) != 0 {
			t.Errorf("cancelled: got %v after %v", err, time.Since(start))
		}
		in := make(chan bool, 4)
		for range cap(in) {
			go func() {
				probe, err := g.enter(t.Context())
				if err != nil {
					t.Error(err)
				}
				in <- probe
			}()
		}
		if probe := <-in; !probe || time.Since(start) != time.Second {
			t.Errorf("first in: probe %v after %v", probe, time.Since(start))
		}
		synctest.Wait()
		if len(in) != 0 {
			t.Error("a call went with the probe")
		}
		g.abandon()
		if probe := <-in; !probe {
			t.Error("nobody tries in place of the probe that was cancelled")
		}
		g.fail(0, true)
		if probe := <-in; !probe || time.Since(start) != 3*time.Second {
			t.Errorf("the next probe: %v after %v", probe, time.Since(start))
		}
		g.pass()
		if probe := <-in; probe || time.Since(start) != 3*time.Second {
			t.Errorf("after a good probe: probe %v after %v", probe, time.Since(start))
		}
	})
}

// trapsOnEmpty is a guest that traps if its first record is empty.
func trapsOnEmpty() []byte {
	a := abitest.NewGuest()
	valueLen := abitest.Load(abi.HeaderSize + 20)
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Get(0), valueLen, abitest.Op(0x45), abitest.If(), abitest.Op(abitest.Unreachable), abitest.Op(abitest.End), abitest.Const(8))
	a.Data(8, make([]byte, 16))
	return a.Bytes()
}

func TestAPluginThatAlwaysTrapsIsSuspended(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards = 3
	p := mustLoadLimited(t, newEngine(t), trapsOnEmpty(), limits)
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		var why string
		resumed := 0
		tr := mustTransform(t, p, Config{Vertex: "v", Events: stream.Events{
			PluginSuspended: func(v stream.VertexID, plugin, reason string, wait time.Duration) {
				if v != "v" || plugin != "abitest" {
					t.Errorf("suspended %s of %s", plugin, v)
				}
				waits, why = append(waits, wait), reason
			},
			PluginResumed: func(stream.VertexID, string) { resumed++ },
		}})
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		call := func(value string) error { return tr.Call(t.Context(), batchOf([]abitest.Record{{Value: value}}), &out) }
		start := time.Now()
		for range 4 {
			if err := call(""); stream.CodeOf(err) != stream.GuestTrap {
				t.Fatalf("got %v", err)
			}
		}
		if len(waits) != 2 || waits[0] != time.Second || waits[1] != 2*time.Second || time.Since(start) != time.Second {
			t.Errorf("suspended for %v, after %v", waits, time.Since(start))
		}
		if !strings.Contains(why, "unreachable") || !strings.Contains(why, "guest-trap") {
			t.Errorf("because %q", why)
		}
		if s := tr.Stats(); !s.Suspended || s.Openings != 1 {
			t.Errorf("while it is suspended: %+v", s)
		}
		if err := call("fine"); err != nil || resumed != 1 || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %v, resumed %d times", err, time.Since(start), resumed)
		}
		synctest.Wait()
		s := tr.Stats()
		if s.Suspended || s.Calls != 5 || s.Discards[stream.GuestTrap] != 4 || s.Refills != 4 || s.Instances != 1 {
			t.Errorf("in the end: %+v", s)
		}
	})
}

func TestACallThatIsCancelledIsNoFailureOfThePlugin(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards = 1
	tr := mustTransform(t, mustLoadLimited(t, newEngine(t), hostile()["an empty loop"], limits), Config{Vertex: "v"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	i, err := tr.pool.borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i.clock.fuel.Set(0) // so that it yields at once
	tr.pool.put(i)
	if err := tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out); err == nil {
		t.Fatal("no error")
	}
	if s := tr.Stats(); s.Suspended || s.Discards[stream.GuestTrap] != 0 {
		t.Errorf("%+v", s)
	}
}
