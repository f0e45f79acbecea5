package wasm

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// closer is a module that is good for closing.
type closer struct {
	api.Module
	close func()
}

func (c closer) Close(context.Context) error { c.close(); return nil }

func fakeInstance(close func()) *instance {
	return &instance{module: closer{close: close}, free: func() {}}
}

func TestDiscardLeavesTheWorkToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closing := make(chan struct{})
		live, most := 0, 0
		p := newPool(t.Context(), 1, func(context.Context) (*instance, error) {
			live++
			most = max(most, live)
			return fakeInstance(func() { <-closing; live-- }), nil
		})
		first, err := p.borrow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.discard(first) // returns, though it cannot be closed
		borrowed := make(chan *instance, 1)
		go func() {
			i, err := p.borrow(t.Context())
			if err != nil {
				t.Error(err)
			}
			borrowed <- i
		}()
		synctest.Wait()
		if len(borrowed) != 0 {
			t.Error("there are two instances where one is allowed")
		}
		close(closing)
		second := <-borrowed
		if second == first || most != 1 || p.refills.Load() != 1 || p.live.Load() != 1 {
			t.Errorf("the same again: %v; at most %d lived, %d refills, %d live", second == first, most, p.refills.Load(), p.live.Load())
		}
		p.put(second)
		if err := p.close(t.Context()); err != nil || live != 0 || p.live.Load() != 0 {
			t.Errorf("closed: %v, %d live", err, live)
		}
	})
}

func TestWhoBorrowsIsToldWhyAnInstanceDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var fault error
		p := newPool(t.Context(), 1, func(context.Context) (*instance, error) {
			if fault != nil {
				return nil, fault
			}
			return fakeInstance(func() {}), nil
		})
		i, err := p.borrow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fault = broken
		p.discard(i)
		for range 3 { // the slot is free each time
			if _, err := p.borrow(t.Context()); err != broken {
				t.Errorf("got %v", err)
			}
		}
		if err := p.close(t.Context()); err != nil || p.live.Load() != 0 {
			t.Errorf("closed: %v, %d live", err, p.live.Load())
		}
	})
}

func TestClosingAPoolEndsReplacements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starting := false
		ctx, cancel := context.WithCancel(t.Context())
		p := newPool(ctx, 1, func(ctx context.Context) (*instance, error) {
			if starting {
				<-ctx.Done() // as a guest that does not return
				return nil, context.Cause(ctx)
			}
			return fakeInstance(func() {}), nil
		})
		i, err := p.borrow(ctx)
		if err != nil {
			t.Fatal(err)
		}
		starting = true
		p.discard(i)
		cancel() // neither the call's end nor that of what made the pool is the replacement's
		synctest.Wait()
		if p.slots.TryAcquire(1) {
			t.Error("the replacement ended early")
		}
		if err := p.close(t.Context()); err != nil {
			t.Error(err)
		}
		if !p.slots.TryAcquire(1) {
			t.Error("close did not wait")
		}
	})
}

// TestAPoolGrowsAndShrinksWhileItsInstancesAreInUse changes how many there may be.
func TestAPoolGrowsAndShrinksWhileItsInstancesAreInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var live atomic.Int32
		p := newPool(t.Context(), 1, func(context.Context) (*instance, error) {
			live.Add(1)
			return fakeInstance(func() { live.Add(-1) }), nil
		})
		var out []*instance
		take := func(n int) {
			t.Helper()
			for range n {
				i, err := p.borrow(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, i)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := p.borrow(ctx); err == nil {
				t.Errorf("there is one more than the %d that may be", len(out))
			}
		}
		back := func(n int) {
			for range n {
				p.put(out[0])
				out = out[1:]
			}
			synctest.Wait()
		}
		take(1)
		p.resize(5)
		take(4)
		p.resize(2) // while all are out
		synctest.Wait()
		if live.Load() != 5 {
			t.Errorf("%d live while all are in use", live.Load())
		}
		back(2)
		if live.Load() != 3 {
			t.Errorf("%d live when two are back", live.Load())
		}
		p.resize(3) // before it has come to two
		back(1)
		if live.Load() != 3 {
			t.Errorf("%d live when three are back, of three", live.Load())
		}
		take(1)
		back(3)
		p.resize(0)
		synctest.Wait()
		if live.Load() != 0 || p.live.Load() != 0 {
			t.Errorf("%d live where none may be", live.Load())
		}
		p.resize(1)
		take(1)
		p.resize(0)
		synctest.Wait()
		p.resize(1)
		back(1)
		take(1)
		back(1)
		p.rest(true)
		synctest.Wait()
		if live.Load() != 0 {
			t.Errorf("%d live at rest", live.Load())
		}
		take(1)
		p.put(out[0])
		synctest.Wait()
		out = nil
		if live.Load() != 0 || p.live.Load() != 0 {
			t.Errorf("%d live at rest after a call", live.Load())
		}
		take(1)
		p.discard(out[0])
		synctest.Wait()
		out = nil
		if live.Load() != 0 {
			t.Errorf("%d live at rest after a call that failed", live.Load())
		}
		p.rest(false)
		take(1)
		back(1)
		if live.Load() != 1 {
			t.Errorf("%d live after the rest", live.Load())
		}
		if err := p.close(t.Context()); err != nil || live.Load() != 0 {
			t.Errorf("closed: %v, %d live", err, live.Load())
		}
	})
}
