package pipeline

import (
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

// TestABarrierThatOneLaneMissedIsNothing has two in which another one is the first.
func TestABarrierThatOneLaneMissedIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &numbers{gate: make(chan struct{})}, &numbers{gate: make(chan struct{})}
		p, a, stop := launch(t, graph([]Vertex{source("one", one), source("two", two), sink("k", &collect{})}, "one k", "two k"), nil)
		p.sources[0].inject(&stream.Barrier{Epoch: 1})
		p.sources[1].inject(&stream.Barrier{Epoch: 2})
		synctest.Wait()
		if _, early := a.of(2, "k"); early {
			t.Error("the second came through before one source has sent it")
		}
		p.sources[0].inject(&stream.Barrier{Epoch: 2})
		synctest.Wait()
		_, first := a.of(1, "k")
		if _, second := a.of(2, "k"); first || !second {
			t.Errorf("the first came through: %v, the second: %v", first, second)
		}
		_ = stop()
	})
}

func TestABarrierThatIsAbandonedHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{gate: make(chan struct{}), counts: make([]int, 8)}
		v := udf("x", 2, c)
		v.Call = Limit{1, 1 << 20}
		p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 3, batch: 1}), v, sink("k", &collect{})}, "in x", "x k"), nil)
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		c.gate <- struct{}{}
		synctest.Wait()
		if c.began.Load() != 2 {
			t.Errorf("%d calls began", c.began.Load())
		}
		p.Abandon(1)
		synctest.Wait()
		if c.began.Load() != 3 {
			t.Errorf("%d calls began after the barrier was abandoned", c.began.Load())
		}
		close(c.gate)
		synctest.Wait()
		p.Inject(&stream.Barrier{Epoch: 2})
		synctest.Wait()
		if _, ok := a.of(1, "x"); ok || a.count(2) != 3 {
			t.Errorf("then the barrier came, %v, and the next one to %d vertices", ok, a.count(2))
		}
		_ = stop()
	})
}

func TestABarrierThatComesAfterItWasAbandonedIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &numbers{count: 100, batch: 1, gate: make(chan struct{})}, &numbers{first: 100, count: 100, batch: 1, gate: make(chan struct{})}
		k := &collect{}
		p, a, stop := launch(t, graph([]Vertex{source("one", one), source("two", two), udf("x", 1, each(pass)), sink("k", k)}, "one x", "two x", "x k"), nil)
		p.sources[0].inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		one.gate <- struct{}{}
		synctest.Wait()
		if k.count() != 0 {
			t.Errorf("%d records passed a barrier that waits for the other source", k.count())
		}
		p.Abandon(1)
		synctest.Wait()
		if k.count() != 1 {
			t.Errorf("%d records passed after it was abandoned", k.count())
		}
		p.sources[1].inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		two.gate <- struct{}{}
		synctest.Wait()
		p.Inject(&stream.Barrier{Epoch: 2})
		synctest.Wait()
		if _, came := a.of(1, "k"); k.count() != 2 || came || a.count(2) != 4 {
			t.Errorf("%d records, the first barrier came through: %v, the next to %d vertices", k.count(), came, a.count(2))
		}
		_ = stop()
	})
}
