package pipeline

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestOneBatchKeepsAllWorkersBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Int32
		block := make(chan struct{})
		slow := each(func(out *stream.Output, in *stream.Batch, i int) error {
			busy.Add(1)
			<-block
			return pass(out, in, i)
		})
		v := udf("x", 4, slow)
		v.Call.Records = 1
		in := &numbers{count: 100, batch: 100, gate: make(chan struct{})}
		p := mustNew(t, graph([]Vertex{source("in", in), v, sink("a", &collect{})}, "in x", "x a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		in.gate <- struct{}{}
		synctest.Wait()
		if n := busy.Load(); n != 4 {
			t.Errorf("%d calls at once, want 4", n)
		}
		close(block)
		close(in.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestSpaceInALaneWakesEverySenderThatFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox(&stream.BatchPool{}, nil, &counters{})
		l := in.addLane("", Limit{10, 1 << 10}, FullBlock)
		var sent atomic.Int32
		send := func(n int) {
			b := in.pool.New()
			for range n {
				b.Append(0, nil, []byte("v"), nil)
			}
			if l.Send(t.Context(), stream.Item{Batch: b}) == nil {
				sent.Add(1)
			}
		}
		send(10)
		for range 5 {
			go send(2)
		}
		synctest.Wait()
		if c, err := in.takeBatch(false); err != nil || c.in.Len() != 10 {
			t.Fatalf("took %v, %v", c, err)
		}
		synctest.Wait()
		if n := sent.Load(); n != 1+5 {
			t.Errorf("%d of 5 senders went on", n-1)
		}
		in.abort(context.Canceled)
	})
}

func TestACallWithoutRoomForARecordTakesOne(t *testing.T) {
	v, a := udf("x", 1, each(pass)), &collect{}
	v.Call = Limit{Bytes: 1}
	p := mustNew(t, graph([]Vertex{source("in", &numbers{count: 20, batch: 10}), v, sink("a", a)}, "in x", "x a"), Hooks{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.Run(ctx, nil); err != nil || len(a.values) != 20 {
		t.Errorf("%d records, %v", len(a.values), err)
	}
	if n := p.Stats()[1].Calls; n != 20 {
		t.Errorf("%d calls, want one for each of 20 records", n)
	}
}

func TestThePortOfARecordIsThatOfItsLastEdge(t *testing.T) {
	port := batchFunc(func(in *stream.Batch, out *stream.Output) error {
		for _, r := range in.Records {
			if r.Port != 0 {
				t.Errorf("port %d at a vertex with one edge", r.Port)
			}
		}
		return nil
	})
	vertices := []Vertex{source("in", &numbers{count: 10, batch: 5}), source("other", &numbers{count: 10, batch: 5}), udf("x", 1, swap{}), udf("y", 1, port)}
	p := mustNew(t, graph(vertices, "in x", "other x", "x y"), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
