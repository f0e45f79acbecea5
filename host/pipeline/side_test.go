package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// sided passes each record on with the values of its side inputs behind it.
type sided struct {
	mu  sync.Mutex
	now map[string]string   // guarded by mu
	set map[string][]string // guarded by mu; all that it was given, in order
}

func newSided() *sided { return &sided{now: map[string]string{}, set: map[string][]string{}} }

func (s *sided) SetSide(name string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now[name] = string(value)
	s.set[name] = append(s.set[name], string(value))
}

func (s *sided) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range in.Records {
		emit(out, in, i, fmt.Appendf(nil, "%s %s%s", in.Value(i), s.now["a"], s.now["b"]), stream.Untagged)
	}
	return nil
}

func (*sided) Close(context.Context) error { return nil }

func (s *sided) given(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.set[name])
}

// sidedGraph has a source in for the records of x, and one for each name for its side
// inputs.
func sidedGraph(x stream.Transform, in stream.Source, out stream.Sink, sides map[string]stream.Source) Graph {
	g := graph([]Vertex{source("in", in), udf("x", 2, x), sink("out", out)}, "in x", "x out")
	for _, name := range []string{"a", "b"} {
		if s := sides[name]; s != nil {
			g.Vertices = append(g.Vertices, source(name, s))
			g.Edges = append(g.Edges, Edge{From: stream.VertexID(name), To: "x", Side: name, SideBytes: 3})
		}
	}
	return g
}

func (s *collect) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values)
}

func TestRecordsWaitForTheFirstValueOfEachSideInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, out := newSided(), &collect{}
		a := &numbers{first: 7, count: 3, batch: 1, gate: make(chan struct{})}
		b := &numbers{first: 5, count: 1, batch: 1, gate: make(chan struct{})}
		in := &numbers{count: 3, batch: 1}
		p := mustNew(t, sidedGraph(x, in, out, map[string]stream.Source{"a": a, "b": b}), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		look := func(waits ...string) {
			t.Helper()
			synctest.Wait()
			if s := p.Stats()[1]; !slices.Equal(s.WaitsFor, waits) || s.Calls > 0 && waits != nil {
				t.Errorf("waits for %v after %d calls, want %v", s.WaitsFor, s.Calls, waits)
			}
		}
		look("a", "b")
		a.gate <- struct{}{}
		look("b")
		b.gate <- struct{}{}
		look()
		if got, want := out.got(), []string{"0 75", "1 75", "2 75"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		close(b.gate)
		close(a.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := x.given("a"); !slices.Equal(got, []string{"7", "8", "9"}) {
			t.Errorf("a was %v", got)
		}
		if s := p.Stats()[1]; s.RecordsIn != 3 || s.RecordsOut != 3 {
			t.Errorf("%d records in and %d out: values of side inputs count", s.RecordsIn, s.RecordsOut)
		}
	})
}

func TestAStatefulVertexWaitsForItsSideInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := sidedTally{newTally(t, 1, 0), newSided()}
		a := &numbers{count: 1, batch: 1, gate: make(chan struct{})}
		p := mustNew(t, sidedGraph(y, &numbers{count: 3, batch: 1}, &collect{}, map[string]stream.Source{"a": a}), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		synctest.Wait()
		if n := p.Stats()[1].Calls; n > 0 {
			t.Errorf("%d calls without the side input", n)
		}
		close(a.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if s := p.Stats()[1]; s.RecordsIn != 3 {
			t.Errorf("%d records came in", s.RecordsIn)
		}
	})
}

type sidedTally struct {
	*tally
	*sided
}

func (y sidedTally) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	return y.tally.Call(ctx, in, out)
}
func (y sidedTally) Close(ctx context.Context) error { return y.sided.Close(ctx) }
func (y sidedTally) Key(b *stream.Batch, i int) ([]byte, bool) {
	return append([]byte("+"), b.Value(i)...), true
}

func TestASideInputThatEndsWithoutAValueIsEmpty(t *testing.T) {
	x, out := newSided(), &collect{}
	a := &numbers{}
	p := mustNew(t, sidedGraph(x, &numbers{count: 2, batch: 1}, out, map[string]stream.Source{"a": a}), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := x.given("a"); !slices.Equal(got, []string{""}) {
		t.Errorf("a was %q", got)
	}
	if got := out.got(); !slices.Equal(got, []string{"0 ", "1 "}) {
		t.Errorf("got %q", got)
	}
}

func TestAValueOfASideInputIsSettledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSided()
		a := &numbers{count: 6, batch: 2}
		in := &numbers{count: 1, batch: 1, gate: make(chan struct{})} // nothing moves on
		p := mustNew(t, sidedGraph(x, in, &collect{}, map[string]stream.Source{"a": a}), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		synctest.Wait()
		if n := p.acks[1].open.len(); n != 0 {
			t.Errorf("%d batches are not settled", n)
		}
		if got := x.given("a"); !slices.Equal(got, []string{"1", "3", "5"}) {
			t.Errorf("a was %v", got)
		}
		close(in.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestASideInputHoldsNoWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &numbers{count: 9, batch: 1, gate: make(chan struct{}, 1)}
		a.gate <- struct{}{} // one value, of time 0, and then silence
		in := &numbers{count: 100, batch: 10, gate: make(chan struct{})}
		p := mustNew(t, sidedGraph(newSided(), in, &collect{}, map[string]stream.Source{"a": a}), Hooks{})
		for _, s := range p.sources {
			s.time.MaxOutOfOrder = 0
		}
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		in.gate <- struct{}{}
		synctest.Wait()
		if w := p.Stats()[1].Watermark; w != 9 {
			t.Errorf("the watermark is %d, want that of the records, 9", w)
		}
		close(in.gate)
		synctest.Wait()
		if w := p.Stats()[1].Watermark; w != stream.EndOfTime {
			t.Errorf("the watermark is %d after the last record", w)
		}
		close(a.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// TestABarrierAlignsOverSideInputs steps an inbox by hand.
func TestABarrierAlignsOverSideInputs(t *testing.T) {
	x := newSided()
	v := udf("x", 1, x)
	ledger := newLedger(&Latency{})
	in := newInbox(&stream.BatchPool{}, ledgers{ledger}, &counters{})
	in.serve(&v)
	records := in.addLane("in", v.Queue, FullBlock)
	side := in.addLane("a", v.Queue, FullDropOldest)
	in.lead(side, Edge{From: "a", To: "x", Side: "a", SideBytes: 9}, &v, Hooks{})
	if side.full != FullBlock {
		t.Error("a value may be dropped while a barrier waits")
	}
	send := func(l *lane, it stream.Item) {
		t.Helper()
		if err := l.Send(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	seq := 0
	value := func(text string) stream.Item {
		b := in.pool.New()
		b.Append(0, nil, []byte(text), nil)
		b.Records[0].Seq = stream.Seq(seq)
		ledger.enter(1, 1, time.Now(), func(dst []byte) stream.Position { return dst })
		seq++
		return stream.Item{Batch: b}
	}
	given := func(want ...string) {
		t.Helper()
		if got := x.given("a"); !slices.Equal(got, want) {
			t.Errorf("a was %v, want %v", got, want)
		}
	}
	barrier := stream.Item{Barrier: &stream.Barrier{Epoch: 1}}
	send(side, value("before"))
	send(side, barrier)
	send(side, value("after"))
	given("before")
	send(records, barrier)
	if c, err := in.take(); c != nil || err != nil {
		t.Fatalf("took %v, %v instead of the duty to send", c, err)
	}
	if _, it, ok := in.next(nil); !ok || it.Barrier != barrier.Barrier {
		t.Fatalf("sends %+v, %v", it, ok)
	}
	given("before")
	in.passed()
	send(side, value("last"))
	given("before", "after", "last")
}

func TestAValueThatIsTooLargeIsDroppedAndSaid(t *testing.T) {
	x, out := newSided(), &collect{}
	var said []string
	a := &numbers{first: 998, count: 6, batch: 1} // of which two have three digits
	b := &numbers{first: 1000, count: 2, batch: 2}
	g := sidedGraph(x, &numbers{count: 1, batch: 1}, out, map[string]stream.Source{"a": a, "b": b})
	var mu sync.Mutex
	p := mustNew(t, g, Hooks{SideTooLarge: func(v stream.VertexID, name string, bytes int) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, string(v)+" "+name+" "+strconv.Itoa(bytes))
	}})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	slices.Sort(said)
	if !slices.Equal(said, []string{"x a 4", "x b 4"}) {
		t.Errorf("said %q", said)
	}
	if got := x.given("a"); !slices.Equal(got, []string{"998", "999"}) {
		t.Errorf("a was %q", got)
	}
	if got := x.given("b"); !slices.Equal(got, []string{""}) {
		t.Errorf("b was %q", got)
	}
	if n := p.Stats()[1].Dropped[DroppedError]; n != 6 {
		t.Errorf("%d dropped, want 6", n)
	}
	for i, l := range p.acks {
		if n := l.open.len(); n > 0 {
			t.Errorf("source %d has %d batches that are not settled", i, n)
		}
	}
}

func TestWhatRunsBesideAVertexEndsWithTheLastRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := sidedGraph(newSided(), &numbers{count: 3, batch: 1}, &collect{}, nil)
		ended := 0
		g.Vertices[1].Beside = []func(context.Context){func(ctx context.Context) {
			<-ctx.Done()
			ended++
		}}
		p := mustNew(t, g, Hooks{})
		if err := p.Run(t.Context(), nil); err != nil || ended != 1 {
			t.Errorf("%v, %d ended", err, ended)
		}
	})
}

func TestOnlyATransformThatTakesSideInputsHasThem(t *testing.T) {
	g := sidedGraph(each(pass), &numbers{}, &collect{}, map[string]stream.Source{"a": &numbers{}})
	if _, err := New(g, Hooks{}); err == nil || !strings.Contains(err.Error(), "feeds a side input") {
		t.Errorf("got %v", err)
	}
}
