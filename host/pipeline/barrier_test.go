package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// stuck is a transform whose calls wait, some with the arena of their input in out.
type stuck struct {
	gate chan struct{}
	swap bool
}

func (s stuck) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	records := slices.Clone(in.Records)
	if s.swap {
		out.SwapArena(in)
		out.Store([]byte("what comes behind it"))
	}
	<-s.gate
	for i := range records {
		r := &records[i]
		if !s.swap {
			r.Value, r.Key, r.Headers = out.Store(in.Of(r.Value)), stream.Span{}, stream.Span{}
		}
		out.Records = append(out.Records, *r)
	}
	return nil
}

func (stuck) Close(context.Context) error { return nil }

func TestABarrierPassesCallsUnderWayAndTakesTheirInputsAlong(t *testing.T) {
	for _, swap := range []bool{false, true} {
		for _, order := range []Order{OrderNone, OrderKey, OrderInput} {
			t.Run(fmt.Sprint("swap ", swap, ", order ", order), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x := stuck{make(chan struct{}), swap}
					v := udf("x", 2, x)
					v.Order, v.Call, v.Processing = order, Limit{2, 1 << 20}, Limit{4, 1 << 20}
					k := &collect{}
					p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 4, batch: 4}), v, sink("k", k)}, "in x", "x k"), nil)
					p.Inject(&stream.Barrier{Epoch: 1})
					synctest.Wait()
					got := a.inputs(1, "x")
					slices.Sort(got)
					if a.count(1) != 3 || fmt.Sprint(got) != "[0 1 2 3]" || k.count() != 0 {
						t.Errorf("%d snapshots with %v, and %d results", a.count(1), got, k.count())
					}
					close(x.gate)
					synctest.Wait()
					if got := k.sorted(); !slices.Equal(got, upTo(4)) {
						t.Errorf("then got %v", got)
					}
					_ = stop()
				})
			})
		}
	}
}

func TestWhatWaitsToBeTriedAgainIsTakenAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := each(func(out *stream.Output, in *stream.Batch, i int) error {
			if in.Value(i)[0]%2 == 0 {
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "not now"})
				return nil
			}
			return pass(out, in, i)
		})
		v := udf("x", 2, no)
		v.Retry = Retry{Attempts: 3, Backoff: time.Hour, MaxBackoff: time.Hour}
		k := &collect{}
		p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 6, batch: 6}), v, sink("k", k)}, "in x", "x k"), nil)
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		got := a.inputs(1, "x")
		slices.Sort(got)
		if fmt.Sprint(got, k.sorted()) != "[0 2 4] [1 3 5]" {
			t.Errorf("took along %v, and the sink has %v", got, k.sorted())
		}
		_ = stop()
	})
}

func TestTheLastBarrierWaitsUntilWhatCameBeforeIsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, k := stuck{gate: make(chan struct{})}, &collect{}
		p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 4, batch: 4}), udf("x", 2, x), sink("k", k)}, "in x", "x k"), nil)
		p.Inject(&stream.Barrier{Epoch: 1, Last: true})
		synctest.Wait()
		if a.count(1) != 1 {
			t.Errorf("%d snapshots during a call", a.count(1))
		}
		close(x.gate)
		synctest.Wait()
		if a.count(1) != 3 || len(a.inputs(1, "x")) > 0 || k.flushed != 4 {
			t.Errorf("then %d snapshots, %d inputs, %d results", a.count(1), len(a.inputs(1, "x")), k.flushed)
		}
		_ = stop()
	})
}

// TestTheLastBarrierComesAfterWhatIsDueAtTheEnd has time end, and the barrier come,
// while records are dealt.
func TestTheLastBarrierComesAfterWhatIsDueAtTheEnd(t *testing.T) {
	y := &cells{crash: &crash{T: t}, window: true, groups: []map[string][]string{{"k|0": {"1"}}}, dirty: map[int]bool{}}
	v := udf("y", 1, y)
	in := newInbox(&stream.BatchPool{}, nil, &counters{})
	in.keep(&v)
	l := in.addLane("", Limit{100, 1000}, FullBlock)
	in.serve(&v)
	in.passing.captures, in.keys.dealing.on = true, true
	_ = l.Send(t.Context(), stream.Item{Watermark: stream.EndOfTime})
	_ = l.Send(t.Context(), stream.Item{Barrier: &stream.Barrier{Epoch: 1, Last: true}})
	in.mu.Lock()
	defer in.mu.Unlock()
	in.absorb()
	in.keys.dealing.on = false
	if in.barrier == nil || in.leaves() {
		t.Errorf("barrier %v leaves before the window", in.barrier)
	}
	in.absorb()
	if c := in.start(); c == nil || !c.due {
		t.Errorf("started %+v", c)
	}
}

func TestAVertexWithStateWaitsForItsCallsUnderWayOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{gate: make(chan struct{}), counts: make([]int, 4)}
		v, k := udf("x", 1, c), &collect{}
		v.Call = Limit{1, 1 << 20}
		p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 4, batch: 4}), v, sink("k", k)}, "in x", "x k"), nil)
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		if n := a.count(1); n != 1 {
			t.Errorf("%d snapshots during a call that changes state", n)
		}
		c.gate <- struct{}{}
		synctest.Wait()
		s, _ := a.of(1, "x")
		counts, _ := s.Frozen.(frozenCounts)
		sum := 0
		for _, n := range counts {
			sum += n
		}
		if got := len(a.inputs(1, "x")); a.count(1) != 3 || sum != 1 || got != 3 || c.began.Load() != 2 || k.count() != 1 {
			t.Errorf("%d snapshots, with %d records counted and %d taken along; %d calls began, %d results", a.count(1), sum, got, c.began.Load(), k.count())
		}
		close(c.gate)
		_ = stop()
	})
}

// TestABarrierOvertakesWhatIsQueuedInFrontOfAFullSink looks where each record is that
// the source has read.
func TestABarrierOvertakesWhatIsQueuedInFrontOfAFullSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &collect{gate: make(chan struct{}, 1)}
		k.gate <- struct{}{}
		v, out := udf("x", 2, each(pass)), sink("k", k)
		v.Queue, v.Call, v.Output, out.Queue = Limit{4, 100}, Limit{2, 100}, Limit{4, 100}, Limit{4, 100}
		in := &numbers{count: 1000, batch: 3}
		p, a, stop := launch(t, graph([]Vertex{source("in", in), v, out}, "in x", "x k"), nil)
		time.Sleep(time.Second)
		p.Inject(&stream.Barrier{Epoch: 1})
		time.Sleep(time.Second)
		if n := a.count(1); n > 0 {
			t.Fatalf("%d vertices let the barrier out though the sink is full", n)
		}
		p.Overtake(1)
		s, _ := a.of(1, "in")
		var got []int
		for _, value := range k.values[:k.flushed] { // not always the first, of two calls at once
			n, _ := strconv.Atoi(value)
			got = append(got, n)
		}
		for _, v := range []stream.VertexID{"x", "k"} {
			for _, value := range a.inputs(1, v) {
				n, _ := strconv.Atoi(value)
				got = append(got, n)
			}
		}
		slices.Sort(got)
		got = slices.Compact(got)
		if want := (&numbers{read: len(got)}).Position(nil); len(got) < 10 || !slices.Equal(got, upTo(len(got))) || k.flushed > 2 || !bytes.Equal(s.Position, want) {
			t.Errorf("took along %v, with the source at %v", got, s.Position)
		}
		close(k.gate)
		synctest.Wait()
		if got := k.sorted(); !slices.Equal(got, upTo(1000)) {
			t.Errorf("the sink got %d records in the end", len(got))
		}
		_ = stop()
	})
}

func TestASourcePassesBarriersAfterItsEndAndIsAcknowledgedByCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &numbers{count: 10, batch: 5}
		p, a, stop := launch(t, graph([]Vertex{source("in", in), sink("k", &collect{})}, "in k"), nil)
		time.Sleep(time.Second)
		select {
		case <-p.Ended():
		default:
			t.Error("the source has not ended")
		}
		for epoch := range stream.Epoch(3) {
			p.Inject(&stream.Barrier{Epoch: epoch + 1})
			synctest.Wait()
			if a.count(epoch+1) != 2 {
				t.Errorf("barrier %d reached %d vertices", epoch+1, a.count(epoch+1))
			}
		}
		time.Sleep(time.Second)
		if len(in.acked) > 0 {
			t.Errorf("acknowledged %v before a checkpoint was published", in.acked)
		}
		p.Committed(2)
		p.Finish()
		synctest.Wait()
		if p.Phase() != PhaseStopped || !slices.Equal(in.acked, []int{10}) {
			t.Errorf("is %s with %v acknowledged", p.Phase(), in.acked)
		}
		_ = stop()
	})
}

func TestBarriersThatAreInjectedAtOnceComeInTheSameOrderFromAllSources(t *testing.T) {
	var vertices []Vertex
	var edges []string
	for i := range 8 {
		name := fmt.Sprint("in", i)
		vertices = append(vertices, source(name, &numbers{count: 10, batch: 1}))
		edges = append(edges, name+" k")
	}
	a := &album{}
	p := mustNew(t, graph(append(vertices, sink("k", &collect{})), edges...), Hooks{Snapshot: a.add})
	var all sync.WaitGroup
	for half := range stream.Epoch(2) {
		all.Go(func() {
			for epoch := range stream.Epoch(1000) {
				p.Inject(&stream.Barrier{Epoch: 1 + 2*epoch + half})
			}
		})
	}
	all.Wait()
	for _, s := range p.sources {
		if !slices.Equal(s.barriers, p.sources[0].barriers) {
			t.Fatal("two sources have barriers in different orders")
		}
	}
	p.Drain()
	p.Finish()
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for epoch := range stream.Epoch(2000) {
		if n := a.count(epoch + 1); n != 9 {
			t.Errorf("barrier %d reached %d of 9 vertices", epoch+1, n)
		}
	}
}

func TestADrainWithCheckpointsLeavesWindowsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &crash{T: t}
		y := &cells{crash: w, fails: &fails{}, window: true, dirty: map[int]bool{}, groups: []map[string][]string{{}, {}}}
		in := &steady{numbers: numbers{count: 1000, batch: 7}, every: time.Second}
		s, k := source("in", in), &collect{}
		s.EventTime = &EventTime{MaxOutOfOrder: 15, IdleTimeout: 10 * time.Second}
		p, a, stop := launch(t, graph([]Vertex{s, udf("y", 2, y), sink("k", k)}, "in y", "y k"), nil)
		time.Sleep(3500 * time.Millisecond)
		p.Drain()
		time.Sleep(time.Minute) // in which it is not idle
		before := k.count()
		p.Inject(&stream.Barrier{Epoch: 1, Last: true})
		synctest.Wait()
		open := 0
		for _, g := range y.groups {
			open += len(g)
		}
		snapshot, ok := a.of(1, "y")
		p.Finish()
		synctest.Wait()
		if !ok || open != 2 || snapshot.Frozen == nil || len(snapshot.Inputs) > 0 || p.Phase() != PhaseStopped {
			t.Errorf("%d windows are open, frozen: %v, %d inputs, and it is %s", open, snapshot.Frozen != nil, len(snapshot.Inputs), p.Phase())
		}
		if before != 1 || k.count() != 1 {
			t.Errorf("%d windows fired, then %d", before, k.count())
		}
		_ = stop()
	})
}

// TestInputsThatAreNotJoinedYetAreTakenAlong stands between the take and the call.
func TestInputsThatAreNotJoinedYetAreTakenAlong(t *testing.T) {
	pool := &stream.BatchPool{}
	in := newInbox(pool, nil, &counters{})
	l := in.addLane("", Limit{100, 1000}, FullBlock)
	v := udf("x", 1, each(pass))
	in.serve(&v)
	in.passing.captures = true
	for i := range 3 {
		b := pool.New()
		b.Append(0, nil, strconv.AppendInt(nil, int64(i), 10), nil)
		b.Records[0].Source = stream.NoSource
		_ = l.Send(t.Context(), stream.Item{Batch: b})
	}
	_ = l.Send(t.Context(), stream.Item{Barrier: &stream.Barrier{Epoch: 1}})
	c, err := in.take()
	if err != nil || len(c.more) != 2 {
		t.Fatalf("took %+v, %v", c, err)
	}
	for _, joined := range []bool{false, true} {
		if joined {
			(&transformLoop{in: in, pool: pool}).join(c)
		}
		in.mu.Lock()
		in.absorb()
		a := &album{taken: map[stream.Epoch]map[stream.VertexID]Snapshot{1: {"x": in.capture()}}}
		in.mu.Unlock()
		if got := fmt.Sprint(a.inputs(1, "x")); got != "[0 1 2]" {
			t.Errorf("joined %v: took %s along", joined, got)
		}
	}
}
