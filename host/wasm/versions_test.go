package wasm

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// swallows is a guest that emits nothing.
func swallows() []byte {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	a.Data(8, make([]byte, 16))
	return a.Bytes()
}

// freshPlugin loads one that nobody else closes.
func freshPlugin(t testing.TB, e *Engine, module []byte, limits Limits) *Plugin {
	t.Helper()
	p, err := e.Load(context.Background(), writeModule(t, module), limits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func freshTransform(t testing.TB, p *Plugin, c Config) *Transform {
	t.Helper()
	c.Tags, c.Instances = stream.NewTagTable(), max(c.Instances, 1)
	tr, err := p.Transform(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func callWith(ctx context.Context, to stream.Transform, value string) error {
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	return to.Call(ctx, batchOf([]abitest.Record{{Value: value}}), &out)
}

// TestACallThatIsHeldBackGoesOnWithTheNextVersion suspends a plugin that only traps, and
// lets a better one serve.
func TestACallThatIsHeldBackGoesOnWithTheNextVersion(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards = 1
	e := newEngine(t)
	badPlugin, goodPlugin := freshPlugin(t, e, trapsOnEmpty(), limits), freshPlugin(t, e, swallows(), limits)
	synctest.Test(t, func(t *testing.T) {
		bad, good := freshTransform(t, badPlugin, Config{Vertex: "v"}), freshTransform(t, goodPlugin, Config{Vertex: "v"})
		bad.gate.fail(0, false)
		v, start := NewVersions(bad), time.Now()
		done := make(chan error, 3)
		for range cap(done) {
			go func() { done <- callWith(t.Context(), v, "") }()
		}
		synctest.Wait()
		if len(done) > 0 || !v.Stats().Suspended {
			t.Fatal("it is not suspended")
		}
		v.Serve(good)
		for range cap(done) {
			if err := <-done; err != nil || time.Since(start) != 0 {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		}
		synctest.Wait()
		if s := v.Stats(); s.Suspended || s.Calls != 3 || s.Openings == 0 || s.Instances != 1 || v.Plugin() != good.plugin {
			t.Errorf("%+v", s)
		}
		if err := v.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if s := v.Stats(); s.Calls != 3 || s.Instances != 0 {
			t.Errorf("closed: %+v", s)
		}
	})
}

// TestACallEndsWithTheVersionThatItBeganWith lets another one serve meanwhile.
func TestACallEndsWithTheVersionThatItBeganWith(t *testing.T) {
	e, limits := newEngine(t), DefaultLimits()
	limits.CallDeadline = time.Hour // it ends when it is told to
	loops := freshTransform(t, freshPlugin(t, e, hostile()["an empty loop"], limits), Config{Vertex: "v"})
	v := NewVersions(loops)
	v.SetSide("rates", []byte("1"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- callWith(ctx, v, "x") }()
	for loops.counters.calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	next := freshTransform(t, freshPlugin(t, e, swallows(), DefaultLimits()), Config{Vertex: "v"})
	if err := next.Warm(t.Context(), 5); err != nil || next.Stats().Instances != 1 {
		t.Errorf("warmed: %v, %+v", err, next.Stats())
	}
	v.Serve(next)
	if err := callWith(t.Context(), v, "x"); err != nil {
		t.Error(err)
	}
	if s := v.Stats(); s.Instances != 2 || s.Calls != 2 || len(done) > 0 {
		t.Errorf("while the first one goes on: %+v", s)
	}
	if sides := next.vertex.sides.load(); len(sides) != 1 || string(sides[0].value) != "1" {
		t.Errorf("the next one has the side inputs %v", sides)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("it was not cancelled")
	}
	v.closing.Wait()
	if s := v.Stats(); s.Instances != 1 || s.Calls != 2 || s.Discards[stream.Internal] != 1 || len(v.retired) != 0 {
		t.Errorf("after it: %+v, %d retired", s, len(v.retired))
	}
	if _, err := loops.plugin.runtime.InstantiateModule(t.Context(), loops.plugin.compiled, nil); err == nil {
		t.Error("the plugin is not closed")
	}
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestVersionsChangeWhileManyCallsAreMade counts the calls.
func TestVersionsChangeWhileManyCallsAreMade(t *testing.T) {
	const swaps = 100
	e := newEngine(t)
	module := swallows()
	v := NewVersions(freshTransform(t, freshPlugin(t, e, module, DefaultLimits()), Config{Vertex: "v", Instances: 4}))
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Uint64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for ctx.Err() == nil {
				if err := callWith(context.Background(), v, "x"); err != nil {
					t.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for range swaps {
		v.Serve(freshTransform(t, freshPlugin(t, e, module, DefaultLimits()), Config{Vertex: "v", Instances: 4}))
	}
	stop()
	workers.Wait()
	v.mu.Lock()
	retired := len(v.retired)
	v.mu.Unlock()
	if s := v.Stats(); s.Calls != calls.Load() || calls.Load() == 0 || s.Instances < 1 || retired > swaps {
		t.Errorf("%d calls: %+v, %d retired", calls.Load(), s, retired)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if s := v.Stats(); s.Calls != calls.Load() || s.Instances != 0 || len(v.retired) != 0 {
		t.Errorf("closed: %+v", s)
	}
}

// TestResizingAfterCloseChangesNothing resizes a pool whose instances are gone.
func TestResizingAfterCloseChangesNothing(t *testing.T) {
	v := NewVersions(freshTransform(t, freshPlugin(t, newEngine(t), swallows(), DefaultLimits()), Config{Vertex: "v", Instances: 3}))
	pool := v.serving.Load().pool
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.Resize(0)
	if pool.max != 3 || pool.rests {
		t.Errorf("the pool has %d instances, and rests: %v", pool.max, pool.rests)
	}
}
