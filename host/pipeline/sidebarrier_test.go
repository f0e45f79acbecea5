package pipeline

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

func TestABarrierTakesTheValueOfASideInputAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		graphOf := func(k *collect, first int) Graph {
			in := &numbers{first: first, count: 2, batch: 1}
			return sidedGraph(newSided(), in, k, map[string]stream.Source{"a": &numbers{first: 7, count: 2, batch: 1}})
		}
		p, a, stop := launch(t, graphOf(&collect{}, 0), nil)
		p.Inject(&stream.Barrier{Epoch: 1, Last: true})
		synctest.Wait()
		_ = stop()
		from := map[stream.VertexID]Restored{"in": {High: math.MinInt64, Watermark: stream.NoWatermark}}
		for _, v := range []stream.VertexID{"a", "x"} {
			s, _ := a.of(1, v)
			from[v] = Restored{Position: s.Position, High: s.High, Watermark: s.Watermark, Inputs: s.Inputs}
		}
		k := &collect{}
		_, _, stop = launch(t, graphOf(k, 10), from)
		if got := k.got(); fmt.Sprint(got) != "[10 8 11 8]" && fmt.Sprint(got) != "[11 8 10 8]" {
			t.Errorf("got %v", got)
		}
		_ = stop()
	})
}

func TestABarrierPassesAVertexThatWaitsForASideInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		side, k := &numbers{first: 7, count: 1, batch: 1, gate: make(chan struct{})}, &collect{}
		p, a, stop := launch(t, sidedGraph(newSided(), &numbers{count: 3, batch: 1}, k, map[string]stream.Source{"a": side}), nil)
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		if got := fmt.Sprint(a.inputs(1, "x")); a.count(1) != 4 || got != "[0 1 2]" {
			t.Errorf("%d snapshots, with %s", a.count(1), got)
		}
		side.gate <- struct{}{}
		synctest.Wait()
		if got := k.got(); len(got) != 3 {
			t.Errorf("then got %v", got)
		}
		_ = stop()
	})
}

func TestRecordsDoNotWaitForASideInputThatEndsWithoutAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &collect{}
		_, _, stop := launch(t, sidedGraph(newSided(), &numbers{count: 3, batch: 1}, k, map[string]stream.Source{"a": &numbers{}}), nil)
		got := k.got()
		slices.Sort(got)
		if fmt.Sprintf("%q", got) != `["0 " "1 " "2 "]` {
			t.Errorf("got %q", got)
		}
		_ = stop()
	})
}
