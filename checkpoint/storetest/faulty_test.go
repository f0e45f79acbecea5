package storetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
)

func TestFaultyConformsWithoutFaults(t *testing.T) {
	var place storetest.Place
	storetest.Run(t, func(*testing.T) checkpoint.Store { return &storetest.Faulty{Store: place.Open()} })
}

func TestFaults(t *testing.T) {
	lost := errors.New("the answer was lost")
	for _, c := range []struct {
		name   string
		fault  storetest.Fault
		want   error
		stored bool
		took   time.Duration
	}{
		{"none", storetest.Fault{}, nil, true, 0},
		{"an error before the work", storetest.Fault{Err: storetest.Down}, storetest.Down, false, 0},
		{"an answer that is lost after the work", storetest.Fault{Lose: lost}, lost, true, 0},
		{"a call that hangs until its context ends", storetest.Fault{Hang: true}, context.DeadlineExceeded, false, time.Minute},
		{"a slow call", storetest.Fault{Delay: 2 * time.Second}, nil, true, 2 * time.Second},
		{"a call that is too slow", storetest.Fault{Delay: time.Hour}, context.DeadlineExceeded, false, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var place storetest.Place
				store := &storetest.Faulty{Store: place.Open()}
				store.Break(storetest.Put, "epochs/", 1, c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := store.Put(ctx, "gen/a", nil); err != nil {
					t.Errorf("another name: %v", err)
				}
				if err := store.Create(ctx, "epochs/b", nil); err != nil {
					t.Errorf("another method: %v", err)
				}
				begin := time.Now()
				if err := store.Put(ctx, "epochs/a", []byte("x")); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if took := time.Since(begin); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				if _, err := place.Open().Get(t.Context(), "epochs/a"); (err == nil) != c.stored {
					t.Errorf("stored is %v: %v", err == nil, err)
				}
				if err := store.Put(t.Context(), "epochs/a", nil); err != nil {
					t.Errorf("the next call: %v", err)
				}
				if got := store.Calls(storetest.Put); got != 3 {
					t.Errorf("%d puts were counted, want 3", got)
				}
			})
		})
	}
}

func TestHealEndsFaultsAndCallsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var place storetest.Place
		store := &storetest.Faulty{Store: place.Open()}
		store.Break(storetest.All, "", 0, storetest.Fault{Hang: true})
		ended := make(chan error, 1)
		go func() { ended <- store.Put(t.Context(), "a", nil) }()
		synctest.Wait()
		store.Heal()
		if err := <-ended; !errors.Is(err, storetest.Down) {
			t.Errorf("the call that hung: %v", err)
		}
		if err := store.Put(t.Context(), "a", []byte("x")); err != nil {
			t.Errorf("after it: %v", err)
		}
		store.Break(storetest.Get, "", 1, storetest.Fault{Alter: func(data []byte) []byte { return data[:0] }})
		if data, err := store.Get(t.Context(), "a"); err != nil || len(data) != 0 {
			t.Errorf("an object that is cut: %q, %v", data, err)
		}
		store.Break(storetest.List, "", 1, storetest.Fault{Lose: storetest.Down})
		objects, errs := 0, 0
		for _, err := range store.List(t.Context(), "") {
			if err != nil {
				errs++
			} else {
				objects++
			}
		}
		if objects != 1 || errs != 1 {
			t.Errorf("a listing that breaks off gave %d objects and %d errors", objects, errs)
		}
	})
}
