package wasm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// sleeps is a guest that sleeps in each call, several times, and then is busy for
// long enough to yield.
func sleeps(times ...time.Duration) []byte {
	a := abitest.NewGuest(func(a *abitest.Asm) { a.Import("wasmill", "sleep", []byte{abitest.I64}, nil) })
	a.Data(8, make([]byte, 16))
	var body []byte
	for _, d := range times {
		body = slices.Concat(body, abitest.Const64(int64(d)), abitest.Call(0))
	}
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32},
		body, abitest.Loop(), abitest.Get(1), abitest.Const(1), abitest.Op(abitest.Add), abitest.Set(1),
		abitest.Get(1), abitest.Const(1_000_000), abitest.Op(abitest.LessU), abitest.BrIf(0), abitest.Op(abitest.End),
		abitest.Const(8))
	return a.Bytes()
}

// asleep runs f with a transform of such a guest, in time that passes only while
// all sleep. One guest runs at once.
func asleep(t *testing.T, f func(t *testing.T, e *Engine, tr *Transform), times ...time.Duration) {
	t.Helper()
	e := newEngine(t)
	p := mustLoad(t, e, sleeps(times...))
	synctest.Test(t, func(t *testing.T) {
		e.Bound(1)
		f(t, e, mustTransform(t, p, Config{Vertex: "v", Instances: 3, Grant: []abi.Capability{abi.CapabilitySleep}}))
		synctest.Wait() // for the replacement of a discarded instance
		if len(e.metered[0]) != 0 {
			t.Error("a turn is not given back")
		}
	})
}

func callOnce(ctx context.Context, tr *Transform) error {
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	return tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out)
}

func TestWaitingDoesNotCountAsRunning(t *testing.T) {
	asleep(t, func(t *testing.T, _ *Engine, tr *Transform) {
		start := time.Now()
		if err := callOnce(t.Context(), tr); err != nil { // the deadline is 10 s
			t.Error(err)
		}
		if took := time.Since(start); took != 50*time.Second {
			t.Errorf("slept %v", took)
		}
	}, 20*time.Second, 30*time.Second)
}

func TestAllWaitingOfACallIsBounded(t *testing.T) {
	asleep(t, func(t *testing.T, _ *Engine, tr *Transform) {
		start := time.Now()
		err := callOnce(t.Context(), tr)
		if took := time.Since(start); stream.CodeOf(err) != stream.GuestWait || took != time.Minute {
			t.Errorf("after %v: %v", took, err)
		}
		if n := tr.Stats().Discards[stream.GuestWait]; n != 1 {
			t.Errorf("%d instances were discarded for waiting", n)
		}
	}, 40*time.Second, 40*time.Second)
}

func TestWaitingEndsWithTheCall(t *testing.T) {
	asleep(t, func(t *testing.T, _ *Engine, tr *Transform) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := callOnce(ctx, tr); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	}, 30*time.Second)
}

func TestAGuestThatWaitsLetsOthersRun(t *testing.T) {
	asleep(t, func(t *testing.T, _ *Engine, tr *Transform) {
		start := time.Now()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := callOnce(t.Context(), tr); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("three guests slept 10 s each at once in %v", took)
		}
	}, 10*time.Second)
}

func TestAGuestThatWokeWaitsForItsTurn(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		asleep(t, func(t *testing.T, e *Engine, tr *Transform) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			done := make(chan error, 1)
			go func() { done <- callOnce(ctx, tr) }()
			synctest.Wait()
			if err := e.metered.take(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour) // far beyond all deadlines, but that is not the guest's doing
			if len(done) > 0 {
				t.Error("the guest went on without a turn")
			}
			if cancelled {
				why := errors.New("over")
				cancel(why)
				if err := <-done; err == nil {
					t.Error("the call did not end")
				}
				e.metered.give()
				return
			}
			e.metered.give()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}, time.Second)
	}
}

func TestCheckingTakesNoTimeToSleep(t *testing.T) {
	p := mustLoad(t, newEngine(t), sleeps(time.Hour))
	for _, f := range p.Check(t.Context(), nil) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Check, f.Err)
		}
	}
}
