package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestEveryRecordArrivesOnceThroughEveryShape(t *testing.T) {
	even := stream.NewTagTable("even")
	split := each(func(out *stream.Output, in *stream.Batch, i int) error {
		tag := stream.Untagged
		if n, _ := strconv.Atoi(string(in.Value(i))); n%2 == 0 {
			tag = even.Tag([]byte("even"))
		}
		emit(out, in, i, in.Value(i), tag)
		return nil
	})
	twice := each(func(out *stream.Output, in *stream.Batch, i int) error {
		emit(out, in, i, in.Value(i), stream.Untagged)
		emit(out, in, i, in.Value(i), stream.Untagged)
		return nil
	})
	odd := func(want []int) []int {
		return slices.DeleteFunc(slices.Clone(want), func(n int) bool { return n%2 == 0 })
	}
	tests := []struct {
		name     string
		vertices func(a, b *collect) []Vertex
		edges    []string
		want     func(n int) (a, b []int)
	}{
		{
			"a line of two transforms",
			func(a, b *collect) []Vertex {
				return []Vertex{udf("x", 4, each(pass)), udf("y", 1, each(pass)), sink("a", a), sink("b", b)}
			},
			[]string{"in x", "x y", "y a", "y b never"},
			func(n int) (a, b []int) { return upTo(n), nil },
		},
		{
			"fan-out to two sinks gives each all records",
			func(a, b *collect) []Vertex { return []Vertex{udf("x", 3, each(pass)), sink("a", a), sink("b", b)} },
			[]string{"in x", "x a", "x b"},
			func(n int) (a, b []int) { return upTo(n), upTo(n) },
		},
		{
			"tags deal records out, and an edge without a condition takes the rest",
			func(a, b *collect) []Vertex { return []Vertex{udf("x", 2, split), sink("a", a), sink("b", b)} },
			[]string{"in x", "x a even", "x b"},
			func(n int) (a, b []int) {
				return slices.DeleteFunc(upTo(n), func(n int) bool { return n%2 != 0 }), odd(upTo(n))
			},
		},
		{
			"a flat-map and a fan-in meet in one sink",
			func(a, b *collect) []Vertex {
				return []Vertex{udf("x", 2, twice), udf("y", 2, each(pass)), sink("a", a), sink("b", b)}
			},
			[]string{"in x", "in y", "x a", "y a", "y b"},
			func(n int) (a, b []int) {
				for i := range n {
					a = append(a, i, i, i)
				}
				return a, upTo(n)
			},
		},
		{
			"a filter lets nothing through",
			func(a, b *collect) []Vertex {
				none := each(func(*stream.Output, *stream.Batch, int) error { return nil })
				return []Vertex{udf("x", 2, none), sink("a", a), sink("b", b)}
			},
			[]string{"in x", "x a", "in b"},
			func(n int) (a, b []int) { return nil, upTo(n) },
		},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 7, 100, 250} { // below, at and above the limit of a call
			t.Run(fmt.Sprintf("%s, batches of %d", tt.name, size), func(t *testing.T) {
				const n = 1000
				in, a, b := &numbers{count: n, batch: size}, &collect{}, &collect{}
				p := mustNew(t, graph(append([]Vertex{source("in", in)}, tt.vertices(a, b)...), tt.edges...), Hooks{})
				if err := p.Run(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				wantA, wantB := tt.want(n)
				if !slices.Equal(a.sorted(), wantA) || !slices.Equal(b.sorted(), wantB) {
					t.Errorf("got %d and %d records, want %d and %d", len(a.values), len(b.values), len(wantA), len(wantB))
				}
				if a.flushed != len(a.values) || b.flushed != len(b.values) {
					t.Error("ended without a flush")
				}
				if last := in.acked[len(in.acked)-1]; last != n {
					t.Errorf("acknowledged to %d of %d", last, n)
				}
				for _, s := range p.Stats() {
					if s.InFlight != 0 || s.Input.Records != 0 || s.Input.Bytes != 0 {
						t.Errorf("ended with %+v", s)
					}
				}
			})
		}
	}
}

func TestOrderInputKeepsTheOrderOfTheSource(t *testing.T) {
	const n = 2000
	var calls atomic.Int64
	jitter := each(func(out *stream.Output, in *stream.Batch, i int) error {
		if calls.Add(1)%3 == 0 {
			time.Sleep(time.Microsecond) // lets later calls overtake
		}
		return pass(out, in, i)
	})
	a := &collect{}
	v := udf("x", 8, jitter)
	v.Order, v.Call.Records = OrderInput, 3
	p := mustNew(t, graph([]Vertex{source("in", &numbers{count: n, batch: 10}), v, sink("a", a)}, "in x", "x a"), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i, v := range a.values {
		if v != strconv.Itoa(i) {
			t.Fatalf("value %d is %s", i, v)
		}
	}
}

func TestQueuedBatchesAreMergedUpToTheLimitOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		block := make(chan struct{})
		watch := batchFunc(func(in *stream.Batch, out *stream.Output) error {
			sizes = append(sizes, in.Len())
			<-block
			for i := range in.Records {
				_ = pass(out, in, i)
			}
			return nil
		})
		in, a := &numbers{count: 250, batch: 10}, &collect{}
		p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 1, watch), sink("a", a)}, "in x", "x a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		synctest.Wait() // everything is queued behind the first call
		close(block)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if slices.Max(sizes) != 100 || len(sizes) > 6 {
			t.Errorf("calls had %v records, want small ones first and then full ones of 100", sizes)
		}
	})
}

// batchFunc is a transform of whole batches.
type batchFunc func(in *stream.Batch, out *stream.Output) error

func (f batchFunc) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	return f(in, out)
}
func (batchFunc) Close(context.Context) error { return nil }

func TestAFullEdgeHoldsTheSourceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, a := &numbers{count: 100_000, batch: 100}, &collect{gate: make(chan struct{})}
		v := sink("a", a)
		v.Queue = Limit{500, 1 << 20}
		p := mustNew(t, graph([]Vertex{source("in", in), v}, "in a"), Hooks{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx, nil) }()
		synctest.Wait()
		if in.read > 700 { // the queue, one batch in the sink, one in the source's hands
			t.Errorf("source read %d records ahead of a sink that takes none", in.read)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the cause of the abort", err)
		}
	})
}

func TestDrainDeliversWhatWasReadAndAcknowledgesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, a := &numbers{count: 1 << 30, batch: 10, gate: make(chan struct{})}, &collect{}
		p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 4, each(pass)), sink("a", a)}, "in x", "x a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		for range 5 {
			in.gate <- struct{}{}
		}
		synctest.Wait()
		p.Drain()
		p.Drain()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.sorted(), upTo(50)) || in.acked[len(in.acked)-1] != 50 {
			t.Errorf("%d records delivered, acknowledged %v, want 50", len(a.values), in.acked)
		}
		if low := p.Stats()[1].Watermark; low == stream.EndOfTime {
			t.Error("a source told to stop promised the end of time")
		}
	})
}

func TestTheFrontierWaitsForTheSlowestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		slow := each(func(out *stream.Output, in *stream.Batch, i int) error {
			if string(in.Value(i)) == "25" {
				<-block
			}
			return pass(out, in, i)
		})
		in, a := &numbers{count: 100, batch: 10}, &collect{}
		v := udf("x", 4, slow)
		v.Call.Records = 10
		p := mustNew(t, graph([]Vertex{source("in", in), v, sink("a", a)}, "in x", "x a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		time.Sleep(time.Minute) // of the bubble's clock
		if n := len(a.sorted()); n < 90 || n > 99 {
			t.Errorf("%d records went by the slow call, want at least 90", n)
		}
		in.mu.Lock()
		if last := in.acked[len(in.acked)-1]; last != 20 {
			t.Errorf("acknowledged to %d, want 20", last)
		}
		in.mu.Unlock()
		if w := p.Stats()[2].Watermark; w >= 30 {
			t.Errorf("watermark %d passed the call in flight", w)
		}
		close(block)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if last := in.acked[len(in.acked)-1]; last != 100 {
			t.Errorf("acknowledged to %d, want 100", last)
		}
	})
}

func TestRunReturnsTheCauseOfAnAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &collect{gate: make(chan struct{})} // returns the plain error of its context
		p := mustNew(t, graph([]Vertex{source("in", &numbers{count: 10, batch: 10}), sink("a", a)}, "in a"), Hooks{})
		ctx, cancel := context.WithCancelCause(t.Context())
		fenced := errors.New("fenced")
		time.AfterFunc(time.Minute, func() { cancel(fenced) })
		if err := p.Run(ctx, nil); !errors.Is(err, fenced) {
			t.Errorf("got %v, want the cause", err)
		}
	})
}

// dup returns each of lo … hi-1 twice.
func dup(lo, hi int) (out []int) {
	for i := lo; i < hi; i++ {
		out = append(out, i, i)
	}
	return out
}

func TestErrorsEndTheRunAndNameTheRecord(t *testing.T) {
	poison := each(func(out *stream.Output, in *stream.Batch, i int) error {
		if string(in.Value(i)) == "642" {
			return &stream.Error{Code: stream.GuestTrap, Why: "trapped"}
		}
		return pass(out, in, i)
	})
	refuse := each(func(out *stream.Output, in *stream.Batch, i int) error {
		if string(in.Value(i)) == "642" {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "odd one"})
			return nil
		}
		return pass(out, in, i)
	})
	tests := []struct {
		name      string
		transform stream.Transform
		sink      *collect
		want      string
	}{
		{"a call that fails is narrowed down to its record", poison, &collect{}, "x, record 643 of source in (number 642), value \"642\": trapped [guest-trap]"},
		{"a record that fails is named", refuse, &collect{}, "x, record 643 of source in (number 642), value \"642\": the plugin reports: odd one [record-error]"},
		{"a sink that fails is named", each(pass), &collect{fail: errors.New("no room")}, "vertex a: no room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &numbers{count: 1 << 30, batch: 50}
			p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 2, tt.transform), sink("a", tt.sink)}, "in x", "x a"), Hooks{})
			err := p.Run(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant …%s", err, tt.want)
			}
			for _, pos := range in.acked {
				if pos > 650 && tt.transform != nil && tt.name != "a sink that fails is named" && tt.want[0] == 'x' {
					t.Errorf("acknowledged %d past the record that failed", pos)
				}
			}
		})
	}
}

func TestRecordsThatOnlyFailTogetherAreProcessed(t *testing.T) {
	crowd := batchFunc(func(in *stream.Batch, out *stream.Output) error {
		if in.Len() > 3 {
			return errors.New("too many at once")
		}
		for i := range in.Records {
			if err := pass(out, in, i); err != nil {
				return err
			}
		}
		return nil
	})
	in, a := &numbers{count: 1000, batch: 50}, &collect{}
	p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 2, crowd), sink("a", a)}, "in x", "x a"), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.sorted(), upTo(1000)) {
		t.Errorf("%d records delivered", len(a.values))
	}
}

func TestGraphsThatCannotRunAreRefused(t *testing.T) {
	a := func() []Vertex {
		return []Vertex{source("in", &numbers{}), udf("x", 1, each(pass)), udf("y", 1, each(pass)), sink("a", &collect{})}
	}
	tests := []struct {
		name  string
		graph Graph
		want  string
	}{
		{"a cycle", graph(a(), "in x", "x y", "y x", "y a"), "cycle"},
		{"an edge to nowhere", graph(a(), "in x", "x z"), "not there"},
		{"an edge out of a sink", graph(a(), "in x", "a x"), "leaves a sink"},
		{"a transform without input", graph(a(), "in x", "x a"), `"y" has no inbound edge`},
		{"a name used twice", graph(append(a(), sink("x", &collect{})), "in x"), "twice"},
		{"no role", graph([]Vertex{{Name: "v"}}), "0 of source, transform and sink"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.graph, Hooks{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
}

func TestRunStartsSourcesAfterAPosition(t *testing.T) {
	in, a := &numbers{count: 100, batch: 10}, &collect{}
	p := mustNew(t, graph([]Vertex{source("in", in), sink("a", a)}, "in a"), Hooks{})
	from := map[stream.VertexID]Restored{"in": {Position: (&numbers{read: 40}).Position(nil), Watermark: stream.NoWatermark}}
	if err := p.Run(t.Context(), given(from)); err != nil {
		t.Fatal(err)
	}
	if got := a.sorted(); len(got) != 60 || got[0] != 40 {
		t.Errorf("got %d records from %d, want 60 from 40", len(got), got[0])
	}
}

func TestStatsMayBeReadWhileRunning(t *testing.T) {
	in, a := &numbers{count: 20_000, batch: 10}, &collect{}
	p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 4, each(pass)), sink("a", a)}, "in x", "x a"), Hooks{})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				p.Stats()
				p.Latency().Quantile(0.99)
			}
		}
	})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	close(stop)
	wg.Wait()
	if s := p.Stats(); s[0].RecordsIn != 20_000 || s[1].RecordsOut != 20_000 || s[2].RecordsOut != 20_000 {
		t.Errorf("counted %+v", s)
	}
}
