package pipeline

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestWhatIsLeftIsSaidWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		x := usual("x", 1, each(pass))
		x.Call, x.Output = Limit{1, 1 << 20}, Limit{2, 1 << 20}
		k := sink("k", &collect{gate: gate})
		k.Queue = Limit{4, 1 << 20}
		u := run(t, mustNew(t, graph([]Vertex{k, x, source("in", &numbers{count: 100, batch: 20})}, "in x", "x k"), Hooks{}))
		u.Pause()
		synctest.Wait()
		left := u.Left()
		sum := 0
		for _, l := range left[:2] {
			sum += l.Queued + l.InFlight + l.Held + l.Output
		}
		if left[0].Vertex != "k" || left[0].Queued != 4 || left[0].InFlight != 1 || left[1].Output < 2 || left[1].Queued == 0 || left[2].Unacked != sum || u.Drained() {
			t.Errorf("%d of records are left: %+v", sum, left)
		}
		close(gate)
		time.Sleep(time.Minute)
		for _, l := range u.Left() {
			if !l.Nothing() {
				t.Errorf("left is %+v", l)
			}
		}
		u.end()
	})
}

func TestResultsHeldForOrderAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		x := usual("x", 4, each(func(out *stream.Output, in *stream.Batch, i int) error {
			if string(in.Value(i)) == "0" {
				<-gate
			}
			return pass(out, in, i)
		}))
		x.Order, x.Call = OrderInput, Limit{1, 1 << 20}
		u := run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 1 << 30, batch: 4, gate: once()}), x, sink("k", &collect{})}, "in x", "x k"), Hooks{}))
		u.Pause()
		synctest.Wait()
		if l := u.Left()[1]; l.Held != 3 || l.InFlight != 1 || l.Output != 0 {
			t.Errorf("left is %+v", l)
		}
		close(gate)
		time.Sleep(time.Second)
		if !u.Drained() {
			t.Errorf("left is %+v", u.Left())
		}
		u.end()
	})
}

// once is the gate of a source that reads one batch.
func once() chan struct{} {
	gate := make(chan struct{}, 1)
	gate <- struct{}{}
	return gate
}

func TestNothingIsDrainedWhileAWriteIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k := &collect{gate: gate}
		u := run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 3, batch: 3, gate: once()}), usual("x", 2, each(pass)), usual("y", 2, each(pass)), sink("k", k)}, "in x", "x y", "y k"), Hooks{}))
		u.Pause()
		for range 100 {
			if u.Drained() {
				t.Fatalf("drained with a write under way: %+v", u.Left())
			}
			time.Sleep(time.Millisecond)
		}
		close(gate)
		time.Sleep(time.Second)
		if !u.Drained() {
			t.Errorf("left is %+v", u.Left())
		}
		u.end()
	})
}

// stubborn is a source whose reads and acknowledgements take an hour, whatever is asked.
type stubborn struct {
	numbers
	reads, acks time.Duration
}

func (s *stubborn) Read(ctx context.Context, b *stream.Batch) error {
	time.Sleep(s.reads)
	return s.numbers.Read(ctx, b)
}

func (s *stubborn) Ack(ctx context.Context, upTo stream.Position) error {
	time.Sleep(s.acks)
	return s.numbers.Ack(ctx, upTo)
}

func TestNothingIsDrainedBeforeAReadReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, mustNew(t, graph([]Vertex{source("in", &stubborn{numbers: numbers{count: 5, batch: 5}, reads: time.Hour}), sink("k", &collect{})}, "in k"), Hooks{}))
		u.Pause()
		time.Sleep(59 * time.Minute)
		if l := u.Left()[0]; !l.Moving || l.Paused || u.Drained() {
			t.Errorf("during a read the source is %+v", l)
		}
		time.Sleep(2 * time.Minute)
		if l := u.Left()[0]; l.Moving || !l.Paused || !u.Drained() {
			t.Errorf("after it the source is %+v", l)
		}
		u.end()
	})
}

func TestNothingIsDrainedBeforeItIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, mustNew(t, graph([]Vertex{source("in", &stubborn{numbers: numbers{count: 1 << 30, batch: 5, gate: once()}, acks: time.Hour}), sink("k", &collect{})}, "in k"), Hooks{}))
		u.Pause()
		time.Sleep(59 * time.Minute)
		if l := u.Left(); l[0].Unacked != 5 || !l[1].Nothing() || u.Drained() {
			t.Errorf("left is %+v", l)
		}
		time.Sleep(2 * time.Minute)
		if !u.Drained() {
			t.Errorf("then left is %+v", u.Left())
		}
		u.end()
	})
}

func TestASourceAtItsEndIsNeitherReadNorPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, stop := launch(t, graph([]Vertex{source("in", &numbers{count: 3, batch: 3}), sink("k", &collect{})}, "in k"), nil)
		for range 2 {
			if l := p.Left()[0]; l.Moving || l.Paused || !p.Drained() {
				t.Errorf("the source is %+v", l)
			}
			p.Inject(&stream.Barrier{Epoch: 1})
			p.Pause()
			synctest.Wait()
		}
		_ = stop()
	})
}

// TestATimeThatGoesOnIsLeft follows a watermark through a vertex that nobody works for.
func TestATimeThatGoesOnIsLeft(t *testing.T) {
	k := &collect{}
	p := mustNew(t, graph([]Vertex{source("in", &numbers{}), udf("x", 1, each(pass)), sink("k", k)}, "in x", "x k"), Hooks{})
	x, s := p.transforms[0].in, p.sinks[0]
	moving := func(what string, in *inbox, want bool) {
		t.Helper()
		var l Left
		if in.left(&l); l.Moving != want || l.Queued+l.InFlight+l.Held+l.Output != 0 {
			t.Errorf("%s: %+v is left", what, l)
		}
	}
	moving("at the beginning", x, false)
	_ = x.lanes[0].Send(t.Context(), stream.Item{Watermark: 10})
	moving("in the lane", x, true)
	x.mu.Lock()
	x.absorb()
	x.mu.Unlock()
	moving("taken from it", x, true)
	if c, err := x.take(); c != nil || err != nil {
		t.Fatal(c, err)
	}
	if _, mark, ok := x.next(nil); !ok || mark.Watermark != 10 {
		t.Fatal(mark)
	}
	moving("being sent", x, true)
	_, _, _ = x.next(nil)
	moving("sent", x, false)

	_ = s.in.lanes[0].Send(t.Context(), stream.Item{Watermark: 10})
	if c, err := s.in.takeBatch(false); c != nil || err != nil {
		t.Fatal(c, err)
	}
	moving("in the sink", s.in, true)
	_, _ = s.in.takeMark()
	moving("being sent by the sink", s.in, true)
	_, _ = s.in.takeMark()
	moving("sent by the sink", s.in, false)
}

// TestWhatIsDueByTimeIsLeft has a gate that has not taken aim yet, and a call of a timer,
// which has no records.
func TestWhatIsDueByTimeIsLeft(t *testing.T) {
	v := udf("y", 1, &counter{counts: make([]int, 4)})
	in := newInbox(&stream.BatchPool{}, nil, &counters{})
	in.keep(&v)
	_ = in.addLane("", Limit{100, 1000}, FullBlock)
	in.serve(&v)
	is := func(what string, want bool) {
		t.Helper()
		var l Left
		if in.left(&l); l.Moving != want {
			t.Errorf("%s: %+v is left", what, l)
		}
	}
	is("at the beginning", false)
	in.gate.arrived.promise(0, 10)
	is("with a watermark that the gate has not seen", true)
	in.aim()
	in.sent = 10
	is("with one that has left", false)
	b := &stream.Batch{Least: 20}
	c := in.begin(b)
	is("with a timer under way", true)
	in.processing.sub(c.size)
	in.flight.finish(c)
	is("with none", false)
}

func TestVerticesAreAskedBehindThoseThatLeadToThem(t *testing.T) {
	g := graph([]Vertex{sink("k", nil), udf("y", 1, nil), udf("x", 1, nil), source("a", nil), sink("l", nil), source("b", nil)}, "x k", "y x", "a y", "a x", "b y", "k l", "x l")
	order := g.downstream()
	if len(order) != len(g.Vertices) {
		t.Fatalf("the order is %v", order)
	}
	for _, e := range g.Edges {
		at := func(name stream.VertexID) int {
			return slices.IndexFunc(order, func(i int) bool { return g.Vertices[i].Name == name })
		}
		if at(e.From) > at(e.To) {
			t.Errorf("%s comes after %s: %v", e.From, e.To, order)
		}
	}
}
