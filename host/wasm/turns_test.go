package wasm

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// logs is a guest that logs one line in each call.
func logs() []byte {
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Data(8, make([]byte, 16))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(1), abitest.Const(0), abitest.Const(9), abitest.Call(0), abitest.Const(8))
	return a.Bytes()
}

func TestGuestsTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	tests := []struct {
		name      string
		running   int
		unmetered bool
		most      int
	}{
		{"metered guests run as they are called", 0, false, 5},
		{"a setting bounds them", 3, false, 3},
		{"unmetered guests leave a processor free", 0, true, 2},
		{"a setting bounds unmetered guests more", 1, true, 1},
		{"a large setting lets unmetered guests leave a processor free", 4, true, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t)
			limits := DefaultLimits()
			limits.Unmetered = tt.unmetered
			p := mustLoadLimited(t, e, logs(), limits)
			synctest.Test(t, func(t *testing.T) {
				e.Bound(tt.running)
				inside, proceed := make(chan struct{}, 5), make(chan struct{})
				tr := mustTransform(t, p, Config{Vertex: "v", Instances: 5, Grant: []abi.Capability{abi.CapabilityLog}, Events: stream.Events{
					GuestLog: func(stream.VertexID, stream.GuestLevel, string) {},
				}})
				// Guests that are in a call, as the log's lock would let in only one.
				var calls sync.WaitGroup
				for range 5 {
					calls.Go(func() {
						i, err := tr.pool.borrow(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						defer tr.pool.put(i)
						if err := i.enter(t.Context()); err != nil {
							t.Error(err)
							return
						}
						defer i.leave()
						inside <- struct{}{}
						<-proceed
					})
				}
				synctest.Wait()
				if len(inside) != tt.most {
					t.Errorf("%d guests run at once, want %d", len(inside), tt.most)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if tt.most < 5 {
					i := &instance{turns: e.metered, breath: new(byte)}
					if tt.unmetered {
						i.turns = e.unmetered
					}
					if err := i.enter(ctx); err != context.Canceled {
						t.Errorf("waiting with a context that is over: %v", err)
					}
				}
				close(proceed)
				calls.Wait()
				out := stream.Output{Batch: (&stream.BatchPool{}).New()}
				if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
					t.Error(err)
				}
				for k, c := range append(e.metered, e.unmetered...) {
					if len(c) != 0 {
						t.Errorf("%d turns of bound %d are not given back", len(c), k)
					}
				}
			})
		})
	}
}

func TestACallHoldsItsTurnWhileTheGuestRuns(t *testing.T) {
	e := newEngine(t)
	e.Bound(1)
	p := mustLoad(t, e, logs())
	var held, breathing int
	tr := mustTransform(t, p, Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}, Events: stream.Events{
		GuestLog: func(stream.VertexID, stream.GuestLevel, string) {},
	}})
	i, err := tr.pool.borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr.vertex.Events.GuestLog = func(stream.VertexID, stream.GuestLevel, string) {
		held, breathing = len(e.metered[0]), int(*i.breath)
	}
	tr.pool.put(i)
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
		t.Fatal(err)
	}
	if held != 1 || breathing != 1 || len(e.metered[0]) != 0 || *i.breath != 0 {
		t.Errorf("in the call %d turns and breath %d, after it %d and %d", held, breathing, len(e.metered[0]), *i.breath)
	}
}

// TestWaitingForATurnIsNotHeldAgainstTheDeadline waits while an instance starts.
func TestWaitingForATurnIsNotHeldAgainstTheDeadline(t *testing.T) {
	e := newEngine(t)
	synctest.Test(t, func(t *testing.T) {
		e.Bound(1)
		i := &instance{turns: e.metered, breath: new(byte), clock: clock{epoch: time.Now()}}
		i.clock.begin(t.Context(), time.Now(), time.Second, 0)
		e.metered[0] <- struct{}{}
		time.AfterFunc(time.Minute, func() { <-e.metered[0] })
		if err := i.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := i.clock.yield(); err != nil {
			t.Errorf("after a wait: %v", err)
		}
	})
}
