package wasm

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// isReady compares what a pool says with what it should.
func isReady(t *testing.T, p *pool, when string, live, want int) {
	t.Helper()
	synctest.Wait()
	if l, w, _ := p.ready(); l != live || w != want {
		t.Errorf("%s: %d of %d, want %d of %d", when, l, w, live, want)
	}
}

func TestAWarmPoolStartsWhatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began atomic.Int32
		p := newPool(t.Context(), 3, func(context.Context) (*instance, error) {
			began.Add(1)
			time.Sleep(time.Minute)
			return fakeInstance(func() {}), nil
		})
		isReady(t, p, "before anything", 0, 3)
		p.keep(3, false)
		time.Sleep(time.Hour)
		isReady(t, p, "while it is not warm", 0, 3)
		p.keep(3, true)
		p.keep(3, true) // is no second one to fill it
		for k := range 3 {
			isReady(t, p, "while it fills", k, 3)
			time.Sleep(time.Minute)
		}
		isReady(t, p, "when it is full", 3, 3)
		i, err := p.borrow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.discard(i)
		isReady(t, p, "while one is replaced", 3, 3)
		time.Sleep(time.Minute)
		isReady(t, p, "after that", 3, 3)
		if n := began.Load(); n != 4 {
			t.Errorf("%d were started", n)
		}
		p.resize(1)
		p.keep(1, false)
		isReady(t, p, "after less are wanted", 1, 1)
		if n := p.live.Load(); n != 1 {
			t.Errorf("%d live", n)
		}
		p.rest(true)
		p.keep(0, false)
		isReady(t, p, "at rest", 0, 0)
		p.resize(9)
		p.rest(false)
		p.keep(2, false) // of 9 that calls may start
		time.Sleep(time.Hour)
		isReady(t, p, "after its rest", 2, 2)
		if n := p.live.Load(); n != 2 {
			t.Errorf("%d live", n)
		}
		p.keep(5, false)
		if err := p.close(t.Context()); err != nil { // ends filling
			t.Error(err)
		}
		p.keep(9, true)
		if n := p.live.Load(); n != 0 {
			t.Errorf("%d live after the end", n)
		}
	})
}

func TestWhatCannotBeStartedIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var mended atomic.Bool
		p := newPool(t.Context(), 2, func(context.Context) (*instance, error) {
			if !mended.Load() {
				return nil, broken
			}
			return fakeInstance(func() {}), nil
		})
		p.keep(2, true)
		isReady(t, p, "while none starts", 0, 2)
		if _, _, err := p.ready(); err != broken {
			t.Errorf("it says %v", err)
		}
		mended.Store(true)
		time.Sleep(fillAgain)
		isReady(t, p, "after another try", 2, 2)
		if _, _, err := p.ready(); err != nil {
			t.Errorf("it says %v", err)
		}
		if err := p.close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestAPoolIsNeverFullerThanAllowed has calls, failures and changes of what is allowed come
// at any time.
func TestAPoolIsNeverFullerThanAllowed(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex
			dice := func(n int) int { mu.Lock(); defer mu.Unlock(); return r.IntN(n) }
			a := func() { time.Sleep(time.Duration(dice(20)) * time.Millisecond) }
			live, most, p := 0, 6, (*pool)(nil)
			count := func(by int) {
				mu.Lock()
				defer mu.Unlock()
				if live += by; live > most {
					t.Errorf("seed %d: %d live, %d may", seed, live, most)
				}
			}
			p = newPool(t.Context(), most, func(context.Context) (*instance, error) {
				count(1)
				a()
				if dice(10) == 0 {
					count(-1)
					return nil, errors.New("broken")
				}
				return fakeInstance(func() { count(-1) }), nil
			})
			p.keep(dice(7), true)
			var calls sync.WaitGroup
			for range 8 {
				calls.Go(func() {
					for range 20 {
						a()
						i, err := p.borrow(t.Context())
						if err != nil {
							continue
						}
						if a(); dice(4) == 0 {
							p.discard(i)
						} else {
							p.put(i)
						}
					}
				})
			}
			for k := range 10 {
				a()
				if k%4 == 3 { // ever fewer
					p.resize(6 - k/4)
				}
				p.keep(dice(7), false)
			}
			p.keep(3, false)
			calls.Wait()
			time.Sleep(10 * fillAgain)
			if got, want, _ := p.ready(); got != 3 || want != 3 || p.all() > 5 {
				t.Errorf("seed %d: in the end %d of %d, %d in all", seed, got, want, p.all())
			}
			if err := p.close(t.Context()); err != nil || live != 0 {
				t.Errorf("seed %d: closed: %v, %d live", seed, err, live)
			}
		})
	}
}
