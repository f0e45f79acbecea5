package pipeline

import (
	"context"
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// scripted is a source that reads what its channel brings, and else waits.
type scripted struct {
	numbers
	times chan []int64
}

func (s *scripted) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case times := <-s.times:
		for _, at := range times {
			b.Append(at, nil, strconv.AppendInt(nil, at, 10), nil)
			s.read++
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// timed is a vertex of a scripted source.
func timed(name string, e EventTime) (Vertex, *scripted) {
	s := &scripted{times: make(chan []int64, 10)}
	v := source(name, s)
	v.EventTime = &e
	return v, s
}

// lowOf returns the watermark of a vertex when nothing moves.
func lowOf(p *Pipeline, vertex int) stream.Watermark {
	synctest.Wait()
	return p.Stats()[vertex].Watermark
}

func TestAnIdleSourceHoldsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, b := timed("busy", EventTime{})
		quiet, q := timed("quiet", EventTime{IdleTimeout: time.Second})
		p, stop := start(t, graph([]Vertex{busy, quiet, usual("x", 2, each(pass)), sink("a", &collect{})}, "busy x", "quiet x", "x a"))
		defer stop()
		q.times <- []int64{10}
		b.times <- []int64{50}
		if low := lowOf(p, 3); low != 10 {
			t.Errorf("watermark %d, want 10", low)
		}
		time.Sleep(2 * time.Second)
		if low := lowOf(p, 3); low != 50 {
			t.Errorf("watermark %d with the other source idle, want 50", low)
		}
		q.times <- []int64{20} // late
		synctest.Wait()
		b.times <- []int64{60}
		if low := lowOf(p, 3); low != 50 {
			t.Errorf("watermark %d, want 50 until the source has caught up", low)
		}
		q.times <- []int64{55}
		if low := lowOf(p, 3); low != 55 {
			t.Errorf("watermark %d, want 55", low)
		}
	})
}

func TestASourceThatHadToWaitGetsIdleAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, b := timed("busy", EventTime{})
		quiet, q := timed("quiet", EventTime{IdleTimeout: time.Second})
		k := sink("a", &halting{each: 10 * time.Second})
		k.Queue.Records = 1
		p, stop := start(t, graph([]Vertex{busy, quiet, k}, "busy a", "quiet a"))
		defer stop()
		for at := range int64(4) { // more than fits
			q.times <- []int64{at}
		}
		time.Sleep(time.Minute)
		b.times <- []int64{50}
		time.Sleep(time.Minute)
		if low := lowOf(p, 2); low != 50 {
			t.Errorf("watermark %d, want 50", low)
		}
	})
}

func TestAVertexWithACallInFlightIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, b := timed("busy", EventTime{})
		quiet, q := timed("quiet", EventTime{IdleTimeout: time.Second})
		x := slow(func(int) time.Duration { return 30 * time.Second })
		p, stop := start(t, graph([]Vertex{busy, quiet, usual("x", 2, x), sink("a", &collect{})}, "busy a", "quiet x", "x a"))
		defer stop()
		q.times <- []int64{5}
		time.Sleep(5 * time.Second)
		b.times <- []int64{50}
		if low := lowOf(p, 3); low > 5 {
			t.Errorf("watermark %d passed a record of time 5 in a call", low)
		}
		time.Sleep(time.Minute)
		if low := lowOf(p, 3); low != 50 {
			t.Errorf("watermark %d after the call, want 50", low)
		}
	})
}

func TestAWatermarkPassesWhileAllPermitsAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, s := timed("in", EventTime{MaxOutOfOrder: 100, IdleTimeout: time.Second})
		x := slow(func(int) time.Duration { return time.Hour })
		p, stop := start(t, graph([]Vertex{in, usual("x", 1, x), sink("a", &collect{})}, "in x", "x a"))
		defer stop()
		s.times <- []int64{1000}
		if low := lowOf(p, 2); low != 900 {
			t.Errorf("watermark %d, want 900", low)
		}
		time.Sleep(2 * time.Second)
		if low := lowOf(p, 2); low != 1000 {
			t.Errorf("watermark %d after a while without records, want 1000", low)
		}
	})
}

func TestTimeGoesOnWhileTheDownstreamIsTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, k := usual("x", 8, each(pass)), sink("a", &halting{each: time.Millisecond})
		v.Call.Records, k.Queue.Records = 1, 10
		p, stop := start(t, graph([]Vertex{source("in", &numbers{count: 1 << 30, batch: 100}), v, k}, "in x", "x a"))
		defer stop()
		time.Sleep(10 * time.Second)
		if low := lowOf(p, 2); low < 1000 {
			t.Errorf("watermark %d after 10000 records", low)
		}
	})
}

func TestNoEventTimeEndsTimeOrTurnsItRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, s := timed("in", EventTime{MaxOutOfOrder: time.Hour})
		p, stop := start(t, graph([]Vertex{in, sink("a", &collect{})}, "in a"))
		defer stop()
		s.times <- []int64{math.MinInt64 + 5}
		if low := lowOf(p, 1); low != stream.NoWatermark {
			t.Errorf("watermark %d after the first time there is", low)
		}
		s.times <- []int64{math.MaxInt64}
		if low := lowOf(p, 1); low == stream.EndOfTime || low < 0 {
			t.Errorf("watermark %d after the last time there is", low)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		in, s := timed("in", EventTime{IdleTimeout: time.Second})
		p, stop := start(t, graph([]Vertex{in, sink("a", &collect{})}, "in a"))
		defer stop()
		s.times <- []int64{math.MaxInt64}
		time.Sleep(time.Minute)
		if low := lowOf(p, 1); low == stream.EndOfTime {
			t.Error("a record ended time")
		}
	})
}
