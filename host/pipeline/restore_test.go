package pipeline

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

func TestRestoredInputsComeFirstWithTheWatermarkThatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		first := stream.NoWatermark
		x := batchFunc(func(in *stream.Batch, out *stream.Output) error {
			if first == stream.NoWatermark {
				first = in.Watermark
			}
			for i, r := range in.Records {
				got = append(got, fmt.Sprintf("%s by %d of %d", in.Value(i), r.Port, r.Source))
			}
			return nil
		})
		held := &stream.Batch{}
		for i, port := range []uint16{1, 0, 1} {
			held.Append(5, nil, strconv.AppendInt(nil, int64(70+i), 10), nil)
			held.Records[i].Port = port
		}
		v := udf("x", 1, x)
		v.Order = OrderInput
		two := &numbers{first: 5, count: 0, batch: 1}
		from := map[stream.VertexID]Restored{
			"x":   {Watermark: 7, Inputs: []*stream.Batch{held}},
			"one": {Position: (&numbers{read: 1}).Position(nil), High: 0, Watermark: 0},
		}
		p, _, stop := launch(t, graph([]Vertex{source("one", &numbers{count: 2, batch: 1}), source("two", two), v, sink("k", &collect{})}, "one x", "two x", "x k"), from)
		if want := "[71 by 0 of 65535 1 by 0 of 0 70 by 1 of 65535 72 by 1 of 65535]"; fmt.Sprint(got) != want && fmt.Sprint(got) != "[71 by 0 of 65535 70 by 1 of 65535 72 by 1 of 65535 1 by 0 of 0]" || first != 7 {
			t.Errorf("got %v with watermark %d first", got, first)
		}
		p.Finish()
		synctest.Wait()
		if p.Phase() != PhaseStopped {
			t.Errorf("is %s in the end", p.Phase())
		}
		_ = stop()
	})
}

func TestAnInputOfAnEdgeThatIsGoneIsRefused(t *testing.T) {
	held := &stream.Batch{}
	held.Append(0, nil, []byte("v"), nil)
	held.Records[0].Port = 1
	p := mustNew(t, graph([]Vertex{source("in", &numbers{}), sink("k", &collect{})}, "in k"), Hooks{Snapshot: (&album{}).add})
	if err := p.Run(t.Context(), given(map[stream.VertexID]Restored{"k": {Inputs: []*stream.Batch{held}}})); err == nil {
		t.Error("it ran")
	}
}

// TestWhatCameByNoEdgeGoesBackToItsSlot has a record without a key, whose group is
// that of a slot.
func TestWhatCameByNoEdgeGoesBackToItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{gate: make(chan struct{}), counts: make([]int, 8)}
		held := &stream.Batch{}
		for i, port := range []uint16{stream.NoKey, stream.EventTimer} {
			held.Append(1, []byte("3"), []byte("3"), nil)
			held.Records[i].Port, held.Records[i].Group, held.Records[i].Seq = port, 3, 5
		}
		close(c.gate)
		k := &collect{}
		p, a, stop := launch(t, graph([]Vertex{source("in", &numbers{}), udf("x", 2, c), sink("k", k)}, "in x", "x k"),
			map[stream.VertexID]Restored{"x": {Watermark: stream.NoWatermark, Inputs: []*stream.Batch{held}}})
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		if k.count() != 2 || c.counts[3] != 1 || fmt.Sprint(c.noKey) != "[5]" || a.count(1) != 3 {
			t.Errorf("%d results, counted %v, without a key in %v, %d snapshots", k.count(), c.counts, c.noKey, a.count(1))
		}
		_ = stop()
	})
}

func TestStateThatCannotBeRestoredIsRefused(t *testing.T) {
	g := graph([]Vertex{source("in", &numbers{}), udf("x", 1, newTally(t, 1, 0)), sink("k", &collect{})}, "in x", "x k")
	if _, err := New(g, Hooks{Snapshot: (&album{}).add}); err == nil {
		t.Error("a vertex whose state is in no checkpoint was taken")
	}
}
