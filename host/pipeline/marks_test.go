package pipeline

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestABarrierSeparatesWhatCameBeforeFromWhatCameAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := &numbers{count: 1000, batch: 10, gate: make(chan struct{})}
		slow := &numbers{first: 1000, count: 1000, batch: 10, gate: make(chan struct{})}
		a := &collect{}
		var before []int
		hooks := Hooks{BarrierPassed: func(v stream.VertexID, b *stream.Barrier) {
			if v != "a" || b.Epoch != 7 || a.flushed != len(a.values) {
				t.Errorf("barrier %d passed %s with %d of %d flushed", b.Epoch, v, a.flushed, len(a.values))
			}
			before = a.sorted()
		}}
		p := mustNew(t, graph([]Vertex{
			source("fast", fast), source("slow", slow), udf("x", 4, each(pass)), udf("y", 4, each(pass)), sink("a", a),
		}, "fast x", "slow x", "slow y", "x a", "y a never", "y a"), hooks)
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		fast.gate <- struct{}{}
		slow.gate <- struct{}{}
		synctest.Wait()
		p.sources[0].inject(&stream.Barrier{Epoch: 7})
		synctest.Wait()
		fast.gate <- struct{}{} // after its barrier: must not overtake the other source's
		slow.gate <- struct{}{} // before its own barrier
		synctest.Wait()
		if before != nil {
			t.Error("the barrier passed before both sources had sent it")
		}
		p.sources[1].inject(&stream.Barrier{Epoch: 7})
		synctest.Wait()
		want := slices.Concat(upTo(10), dup(1000, 1020))
		if !slices.Equal(before, want) {
			t.Errorf("before the barrier: %v\nwant %v", before, want)
		}
		p.Drain()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(a.values) != 20+40 {
			t.Errorf("%d records in the end, want 60", len(a.values))
		}
	})
}

// lingering is an outlet that lets the other side act on its end before the
// sender goes on.
type lingering struct{ stream.Outlet }

func (o lingering) Close() {
	o.Outlet.Close()
	time.Sleep(time.Second)
}

func TestABarrierDoesNotPassAVertexThatFailed(t *testing.T) {
	noLuck := errors.New("no luck")
	fails := each(func(*stream.Output, *stream.Batch, int) error {
		time.Sleep(time.Minute)
		return noLuck
	})
	tests := []struct {
		name      string
		transform stream.Transform
		source    stream.Source
	}{
		{"a transform that holds records from before it", fails, &numbers{count: 10, batch: 10}},
		{"a source that has not sent it", each(pass), &broken{after: time.Minute, err: noLuck}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				other := &numbers{count: 10, batch: 10, gate: make(chan struct{})}
				passed := func(stream.VertexID, *stream.Barrier) { t.Error("the barrier passed") }
				p := mustNew(t, graph([]Vertex{source("in", tt.source), source("other", other), udf("x", 1, tt.transform), sink("a", &collect{})},
					"in x", "x a", "other a"), Hooks{BarrierPassed: passed})
				for _, r := range []*router{p.sources[0].out, p.transforms[0].out} {
					r.outlets[0] = lingering{r.outlets[0]}
				}
				p.sources[1].inject(&stream.Barrier{Epoch: 1})
				if err := p.Run(t.Context(), nil); !errors.Is(err, noLuck) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestTheWatermarkIsTheLeastOfTheInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := &numbers{count: 100, batch: 50, gate: make(chan struct{})}
		slow := &numbers{count: 20, batch: 10, gate: make(chan struct{})}
		p := mustNew(t, graph([]Vertex{source("fast", fast), source("slow", slow), udf("x", 2, each(pass)), sink("a", &collect{})},
			"fast x", "slow x", "x a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		check := func(want stream.Watermark) {
			t.Helper()
			synctest.Wait()
			if got := p.Stats()[3].Watermark; got != want {
				t.Errorf("watermark %d, want %d", got, want)
			}
		}
		fast.gate <- struct{}{}
		check(stream.NoWatermark) // nothing is known of the slow one
		slow.gate <- struct{}{}
		check(9)
		slow.gate <- struct{}{}
		check(19)
		slow.gate <- struct{}{} // its end holds nothing back
		check(49)
		close(fast.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		check(stream.EndOfTime)
	})
}
