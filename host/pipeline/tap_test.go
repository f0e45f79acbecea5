package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// forked is a source, a transform that tags every third number and fails at every
// hundredth, and a sink for each edge.
func forked(t testing.TB, count int) (*Pipeline, map[string]*collect) {
	sinks := map[string]*collect{"most": {}, "thirds": {}, "dead": {}}
	g := graph([]Vertex{source("in", &numbers{count: count, batch: 50}), udf("f", 1, nil), sink("most", sinks["most"]), sink("thirds", sinks["thirds"]), sink("dead", sinks["dead"])},
		"in f", "f most", "f thirds third")
	g.Vertices[1].OnError = OnErrorDeadLetter
	g.Edges = append(g.Edges, Edge{From: "f", To: "dead", DeadLetters: true})
	third, nobody := g.Tags.Tag([]byte("third")), g.Tags.Other()
	g.Vertices[1].Transform = each(func(out *stream.Output, in *stream.Batch, i int) error {
		n, err := strconv.Atoi(string(in.Value(i)))
		switch {
		case err != nil:
			return err
		case n%100 == 0:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "a hundredth"})
		case n%100 == 1:
			emit(out, in, i, in.Value(i), nobody)
		case n%3 == 0:
			emit(out, in, i, in.Value(i), third)
		default:
			emit(out, in, i, in.Value(i), stream.Untagged)
		}
		return nil
	})
	return mustNew(t, g, Hooks{}), sinks
}

func TestATapSeesWhatPassesWhereItIs(t *testing.T) {
	const count = 900 // 9 fail, 9 are unrouted, 294 are tagged, 588 are not
	tests := []struct {
		name  string
		what  Tapping
		sees  int
		first string
	}{
		{"what a source emits", Tapping{Vertex: "in"}, 900, "0"},
		{"what a transform emits, with tags that nobody asks for and dead letters", Tapping{Vertex: "f"}, 900, "0 dead, 1 unrouted, 2, 3 tag=third, 4"},
		{"what an edge carries", Tapping{Vertex: "f", To: "most"}, 588, "2, 4, 5"},
		{"what an edge with a tag carries", Tapping{Vertex: "f", To: "thirds"}, 294, "3 tag=third, 6 tag=third"},
		{"dead letters", Tapping{Vertex: "f", To: "dead"}, 9, "0 dead, 100 dead"},
		{"what has a tag", Tapping{Vertex: "f", Tag: "third"}, 294, "3 tag=third"},
		{"what a sink is to write", Tapping{Vertex: "thirds"}, 294, "3, 6"},
		{"what contains something", Tapping{Vertex: "in", Contains: []byte("77")}, 18, "77, 177"},
		{"what has no key", Tapping{Vertex: "in", Key: []byte{}}, 900, "0, 1"},
		{"what has a key", Tapping{Vertex: "in", Key: []byte("k")}, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := forked(t, count)
				test.what.Rate, test.what.Bytes = 10_000, 10
				tap := NewTap(test.what)
				p.SetTaps([]*Tap{tap})
				if err := p.Run(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				time.Sleep(tapSpan)
				got := tap.Take(false)
				if len(got.Records) != test.sees || got.LeftOut+got.Missed != 0 || got.Absent {
					t.Errorf("%d are seen, %d left out, %d missed", len(got.Records), got.LeftOut, got.Missed)
				}
				if text := written(got.Records); !strings.HasPrefix(text, test.first) {
					t.Errorf("got %.200s", text)
				}
			})
		})
	}
}

// written writes what was seen, in the order of the numbers.
func written(all []Seen) string {
	slices.SortFunc(all, func(a, b Seen) int { return int(a.Time - b.Time) })
	var out []string
	for _, s := range all {
		text := fmt.Sprint(s.Time)
		if s.Tag != "" {
			text += " tag=" + s.Tag
		}
		if s.DeadLetter {
			text += " dead"
		}
		if s.Unrouted {
			text += " unrouted"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestATapIsWhereNothingIs has taps of what the graph does not have.
func TestATapIsWhereNothingIs(t *testing.T) {
	for name, what := range map[string]Tapping{
		"no vertex": {Vertex: "g"}, "no edge": {Vertex: "in", To: "most"}, "no edge of a sink": {Vertex: "most", To: "f"},
		"no tag": {Vertex: "f", Tag: "fourth"}, "no tag at that edge": {Vertex: "f", To: "most", Tag: "third"}, "no tag at a sink": {Vertex: "thirds", Tag: "third"},
	} {
		p, _ := forked(t, 100)
		what.Rate, what.Bytes = 100, 10
		tap := NewTap(what)
		p.SetTaps([]*Tap{tap})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := tap.Take(false); !got.Absent || len(got.Records) > 0 || got.LeftOut > 0 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestATapGoesOnWithTheNextGeneration moves one from a pipeline to another.
func TestATapGoesOnWithTheNextGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := NewTap(Tapping{Vertex: "in", Rate: 10_000, Bytes: 10})
		for range 2 {
			p, _ := forked(t, 300)
			p.SetTaps([]*Tap{tap})
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			p.SetTaps(nil)
			for _, v := range p.vertices {
				if v.out.point.taps.Load() != nil {
					t.Errorf("%s has a tap", v.name)
				}
			}
		}
		time.Sleep(tapSpan)
		if got := tap.Take(false); len(got.Records) != 600 {
			t.Errorf("it saw %d", len(got.Records))
		}
	})
}

// TestATapHoldsUpNothing never takes what a tap has, and holds its lock for a while.
func TestATapHoldsUpNothing(t *testing.T) {
	for name, lock := range map[string]bool{"nobody takes": false, "somebody holds the lock": true} {
		synctest.Test(t, func(t *testing.T) {
			const count = 30_000
			p, sinks := forked(t, count)
			tap := NewTap(Tapping{Vertex: "f", To: "most", Rate: 1000, Bytes: 1})
			p.SetTaps([]*Tap{tap})
			if lock {
				tap.mu.Lock()
			}
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if lock {
				tap.mu.Unlock()
			}
			time.Sleep(tapSpan)
			got := tap.Take(false)
			if all := uint64(len(got.Records)) + got.LeftOut + got.Missed; all != uint64(len(sinks["most"].values)) {
				t.Errorf("%s: %d passed, %d are seen, %d left out, %d missed", name, len(sinks["most"].values), len(got.Records), got.LeftOut, got.Missed)
			}
			if lock != (got.Missed > 0) || lock != (len(got.Records) == 0) {
				t.Errorf("%s: %d are seen, %d missed", name, len(got.Records), got.Missed)
			}
		})
	}
}

func TestASlowReaderOfATapIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &stream.Batch{}
		for range 100 {
			b.Append(0, nil, []byte("12345678"), nil)
		}
		tap := NewTap(Tapping{Rate: 1000, Bytes: 4})
		const rounds = 20
		for range rounds {
			tap.see(b, &tapped{tap: tap})
			time.Sleep(tapSpan)
		}
		got := tap.Take(false)
		if len(got.Records) != 100*tapSamples || got.Missed != 100*(rounds-tapSamples) || got.LeftOut != 0 {
			t.Errorf("%d are seen, %d missed, %d left out", len(got.Records), got.Missed, got.LeftOut)
		}
		if s := got.Records[0]; string(s.Value) != "1234" || s.ValueBytes != 8 {
			t.Errorf("got %q of %d bytes", s.Value, s.ValueBytes)
		}
		if again := tap.Take(false); len(again.Records) != 0 || again.Missed != 0 {
			t.Errorf("got again %+v", again)
		}
	})
}

// TestATapTellsOfItsLastSample ends in the middle of the time of one.
func TestATapTellsOfItsLastSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &stream.Batch{}
		b.Append(0, nil, []byte("a"), nil)
		tap := NewTap(Tapping{Rate: 1000, Bytes: 4})
		tap.Take(false)
		tap.see(b, &tapped{tap: tap})
		time.Sleep(tapSpan / 2)
		if got := tap.Take(false); len(got.Records) != 0 {
			t.Errorf("%d are told of before its time is over", len(got.Records))
		}
		if got := tap.Take(true); len(got.Records) != 1 {
			t.Errorf("%d are told of at the end", len(got.Records))
		}
	})
}

// TestATapLooksAtSoMuch searches more than there is time for.
func TestATapLooksAtSoMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &stream.Batch{}
		for range 10 {
			b.Append(0, nil, bytes.Repeat([]byte("x"), tapSearch/8), nil)
		}
		tap := NewTap(Tapping{Rate: 100, Bytes: 4, Contains: []byte("y")})
		for range 2 {
			tap.see(b, &tapped{tap: tap})
			time.Sleep(tapSpan)
		}
		if got := tap.Take(false); got.Missed != 4 {
			t.Errorf("%d were missed", got.Missed)
		}
	})
}

// TestAReservoirIsFair counts how often each record is picked.
func TestAReservoirIsFair(t *testing.T) {
	s := reservoir{size: 10, rand: rand.New(rand.NewPCG(1, 2))}
	const rounds, records = 20_000, 100
	counts := make([]int, records)
	for range rounds {
		for i := range records {
			if slot := s.pass(); slot != nil {
				slot.Time = int64(i)
			}
		}
		picked, left := s.take()
		if len(picked) != 10 || left != records-10 || !slices.IsSortedFunc(picked, func(a, b Seen) int { return int(a.Time - b.Time) }) {
			t.Fatalf("%d are picked and %d left: %+v", len(picked), left, picked)
		}
		for _, p := range picked {
			counts[p.Time]++
		}
	}
	for i, n := range counts { // 2,000 each, with a deviation of 42
		if n < 1780 || n > 2220 {
			t.Errorf("%d is picked %d times", i, n)
		}
	}
}

// BenchmarkTap is a source and a sink, as BenchmarkEdge has them, with taps.
func BenchmarkTap(b *testing.B) {
	for _, test := range []struct {
		name string
		taps []*Tap
	}{
		{"none", nil},
		{"one", []*Tap{NewTap(Tapping{Vertex: "in", Rate: 100, Bytes: 1024})}},
		{"one that searches", []*Tap{NewTap(Tapping{Vertex: "in", Rate: 100, Bytes: 1024, Contains: []byte("none")})}},
	} {
		b.Run(test.name, func(b *testing.B) {
			p := mustNew(b, graph([]Vertex{source("in", &full{left: b.N}), {Name: "out", Sink: devNull{}, Queue: Limit{8192, 4 << 20}}}, "in out"), Hooks{})
			p.SetTaps(test.taps)
			b.ReportAllocs()
			b.ResetTimer()
			if err := p.Run(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		})
	}
}

// BenchmarkPointWithoutTaps is what a batch pays while nobody taps.
func BenchmarkPointWithoutTaps(b *testing.B) {
	var p point
	batch := &stream.Batch{}
	b.ReportAllocs()
	for range b.N {
		p.see(batch)
	}
}
