package wasm

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

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
		if len(p.slots) != 1 {
			t.Error("the replacement ended early")
		}
		if err := p.close(t.Context()); err != nil {
			t.Error(err)
		}
		if len(p.slots) != 0 {
			t.Error("close did not wait")
		}
	})
}
