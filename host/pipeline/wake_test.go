package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestTheFirstRecordWakesAVertexThatRests wakes a vertex that has no calls, and lets it
// rest again, whatever its order and whether Wake adjusts it or somebody else does later.
func TestTheFirstRecordWakesAVertexThatRests(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderInput, OrderKey} {
		t.Run(string(order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c, gate := &collect{}, &crowd{takes: time.Millisecond}, make(chan struct{})
				v := usual("x", 0, c.transform())
				v.Order, v.Call.Records, v.CallTime = order, 1, 0
				var u *underWay
				var woken, by atomic.Int32
				v.Wake = func() {
					woken.Add(1)
					other := v
					other.Concurrency = int(by.Load())
					if other.Concurrency > 0 && !u.Adjust(&other) {
						t.Error("refused")
					}
				}
				u = run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 1000, batch: 10, gate: gate}), v, sink("k", k)}, "in x", "x k"), Hooks{}))
				read := func(batches int) {
					for range batches {
						gate <- struct{}{}
					}
					time.Sleep(time.Second)
				}
				read(0)
				if int(woken.Load()) != 0 {
					t.Fatal("woken by nothing")
				}
				read(1)
				read(5)
				if int(woken.Load()) != 1 || k.count() != 0 {
					t.Fatalf("woken %d times for some batches, and %d records are out", woken.Load(), k.count())
				}
				rest, some := v, v
				some.Concurrency = 3
				u.Adjust(&some)
				read(1)
				if k.count() != 70 || c.most.Load() != 3 || int(woken.Load()) != 1 {
					t.Fatalf("%d of 70 records came out, %d calls at once, woken %d times", k.count(), c.most.Load(), woken.Load())
				}
				u.Adjust(&rest)
				read(0)
				if int(woken.Load()) != 1 {
					t.Fatal("a vertex that has nothing is woken")
				}
				by.Store(2)
				c.reset()
				read(1)
				if int(woken.Load()) != 2 || k.count() != 80 || c.most.Load() != 2 {
					t.Fatalf("woken %d times, %d records, %d calls at once", woken.Load(), k.count(), c.most.Load())
				}
				u.end()
				if int(woken.Load()) != 2 || !slices.Equal(k.sorted(), upTo(80)) {
					t.Errorf("woken %d times, %d records came out", woken.Load(), k.count())
				}
			})
		})
	}
}

// TestWhatIsHeldWakesAVertexThatIsToRest lets it rest while it has records that wait in its
// queue, and one that failed and is to be tried again.
func TestWhatIsHeldWakesAVertexThatIsToRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, gate := &collect{}, make(chan struct{}, 2)
		var failed atomic.Bool
		v := usual("x", 1, each(func(out *stream.Output, in *stream.Batch, i int) error {
			if string(in.Value(i)) == "0" && !failed.Swap(true) {
				return errors.New("not now")
			}
			return pass(out, in, i)
		}))
		v.Retry = Retry{Attempts: 2, Backoff: time.Minute, MaxBackoff: time.Minute}
		var woken atomic.Int32
		v.Wake = func() { woken.Add(1) }
		u := run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 10, batch: 1, gate: gate}), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		gate <- struct{}{}
		synctest.Wait()
		rest := v
		rest.Concurrency = 0
		u.Adjust(&rest)
		synctest.Wait()
		if int(woken.Load()) != 0 {
			t.Error("woken while the record waits for its time")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if int(woken.Load()) != 1 || k.count() != 0 {
			t.Errorf("woken %d times when its time had come, and %d came out", woken.Load(), k.count())
		}
		gate <- struct{}{}
		synctest.Wait()
		u.Adjust(&rest)
		synctest.Wait()
		if int(woken.Load()) != 2 {
			t.Errorf("woken %d times, though it was told to rest again with something to do", woken.Load())
		}
		u.Adjust(&v)
		synctest.Wait()
		if got := k.sorted(); !slices.Equal(got, upTo(2)) {
			t.Errorf("got %v", got)
		}
		u.end()
	})
}

// TestAPauseAndTheEndWakeNobody: what a vertex that rests holds it does then by itself.
func TestAPauseAndTheEndWakeNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, gate := &collect{}, make(chan struct{})
		var woken atomic.Int32
		v := usual("x", 0, (&crowd{takes: time.Millisecond}).transform())
		v.Call.Records, v.CallTime = 1, 0
		v.Wake = func() { woken.Add(1) }
		u := run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 20, batch: 10, gate: gate}), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		for round, end := range []func(){u.Pause, u.Drain} {
			gate <- struct{}{}
			synctest.Wait()
			if int(woken.Load()) != round+1 || k.count() != 10*round {
				t.Errorf("round %d: woken %d times, %d records are out", round, woken.Load(), k.count())
			}
			u.vertices[1].in.woken = false // as if nobody had been told
			end()
			time.Sleep(time.Second)
			if int(woken.Load()) != round+1 || k.count() != 10*round+10 {
				t.Errorf("round %d: woken %d times in the end, %d records are out", round, woken.Load(), k.count())
			}
			u.Resume()
			synctest.Wait()
		}
		if err := <-u.done; err != nil {
			t.Error(err)
		}
	})
}

// TestAVertexIsWokenByWhatIsDueByTime has state and an alarm, and no record.
func TestAVertexIsWokenByWhatIsDueByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, y := &collect{}, newTally(t, 4, 0)
		gate := make(chan struct{})
		var woken atomic.Int32
		v := usual("x", 1, y)
		v.Retry = Retry{Attempts: 2, Backoff: time.Millisecond, MaxBackoff: time.Millisecond}
		v.Wake = func() { woken.Add(1) }
		in := source("in", &withKeys{numbers{count: 30, batch: 10, gate: gate}, 4})
		in.EventTime = &EventTime{}
		u := run(t, mustNew(t, graph([]Vertex{in, v, sink("k", k)}, "in x", "x k"), Hooks{}))
		gate <- struct{}{}
		synctest.Wait()
		rest := v
		rest.Concurrency = 0
		u.Adjust(&rest)
		synctest.Wait()
		if int(woken.Load()) != 0 {
			t.Error("woken for nothing")
		}
		if err := u.vertices[1].in.lanes[0].Send(t.Context(), stream.Item{Watermark: 10}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if int(woken.Load()) != 1 || k.count() != 0 {
			t.Errorf("woken %d times for windows that ended, and %d results", woken.Load(), k.count())
		}
		u.Adjust(&v)
		time.Sleep(time.Second)
		if k.count() == 0 {
			t.Error("no results")
		}
		gate <- struct{}{}
		u.end()
	})
}

// TestWakingRacesWithAdjusting rests and wakes while batches come, as fast as it goes: it
// is for the race detector, and finds wakes that are lost.
func TestWakingRacesWithAdjusting(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderKey} {
		k, wakes := &collect{}, make(chan struct{}, 1)
		v := usual("x", 0, each(pass))
		v.Order = order
		var woken atomic.Int32
		v.Wake = func() {
			woken.Add(1)
			select {
			case wakes <- struct{}{}:
			default:
			}
		}
		in := &numbers{count: 20_000, batch: 1}
		p := mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{})
		ctx, cancel := context.WithCancel(t.Context())
		scaler := make(chan struct{})
		go func() {
			defer close(scaler)
			for n := 1; ; n = n%2 + 1 {
				select {
				case <-wakes:
				case <-ctx.Done():
					return
				}
				some, rest := v, v
				some.Concurrency = n
				p.Adjust(&some)
				p.Adjust(&rest)
			}
		}()
		err := p.Run(ctx, nil)
		cancel()
		<-scaler
		if err != nil || !slices.Equal(k.sorted(), upTo(in.count)) || woken.Load() == 0 {
			t.Errorf("%v: %d records came out, woken %d times", err, k.count(), woken.Load())
		}
	}
}
