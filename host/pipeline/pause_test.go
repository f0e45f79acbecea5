package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// endless is a source of a number each millisecond, in event time, too.
type endless struct {
	numbers
	batches int // reads that were not interrupted
}

func (s *endless) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.batches++
	b.Append(int64(s.read), nil, fmt.Append(nil, s.read), nil)
	s.read++
	return nil
}

// running is a pipeline under way, without checkpoints.
type underWay struct {
	*Pipeline
	t    *testing.T
	done chan error
}

func run(t *testing.T, p *Pipeline) *underWay {
	t.Helper()
	u := &underWay{p, t, make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { u.done <- p.Run(ctx, nil) }()
	synctest.Wait()
	return u
}

// end drains it.
func (u *underWay) end() {
	u.t.Helper()
	u.Drain()
	if err := <-u.done; err != nil {
		u.t.Error(err)
	}
}

func TestAPausedPipelineSendsWhatWasReadAndReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, k := &endless{}, &collect{}
		x := slow(func(int) time.Duration { return 10 * time.Millisecond })
		v := usual("x", 4, x)
		v.Call.Records = 1
		u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		time.Sleep(time.Second)
		for round := range 3 {
			if u.Drained() {
				t.Error("drained while it runs")
			}
			u.Pause()
			u.Pause()
			synctest.Wait()
			read := in.batches
			if u.Drained() && round == 0 {
				t.Errorf("drained with calls under way: %+v", u.Left())
			}
			time.Sleep(time.Minute)
			if in.batches != read || !slices.Equal(k.sorted(), upTo(read)) {
				t.Errorf("read %d, then %d; the sink has %d", read, in.batches, len(k.sorted()))
			}
			if !u.Drained() || in.last() != read {
				t.Errorf("acknowledged up to %d of %d, left %+v", in.last(), read, u.Left())
			}
			if left := u.Left()[0]; !left.Paused || left.Moving {
				t.Errorf("the source is %+v", left)
			}
			u.Resume()
			u.Resume()
			time.Sleep(time.Second)
			synctest.Wait()
			if in.batches < read+100 || u.Left()[0].Paused {
				t.Errorf("read %d after %d", in.batches, read)
			}
		}
		u.end()
		if !slices.Equal(k.sorted(), upTo(in.read)) {
			t.Errorf("the sink has %d of %d", len(k.sorted()), in.read)
		}
	})
}

// last returns the position that was acknowledged last.
func (s *numbers) last() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acked) == 0 {
		return 0
	}
	return s.acked[len(s.acked)-1]
}

func TestAPipelineBeginsPausedAndWhatItRestoresDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, k := &endless{}, &collect{}
		a := &album{}
		p := mustNew(t, graph([]Vertex{source("in", in), udf("x", 2, each(pass)), sink("k", k)}, "in x", "x k"), Hooks{Snapshot: a.add})
		p.Pause()
		b := &stream.Batch{}
		for i := range 5 {
			b.Append(int64(i), nil, fmt.Append(nil, i), nil)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- p.Run(ctx, given(map[stream.VertexID]Restored{
				"in": {Position: (&numbers{read: 5}).Position(nil), High: 4, Watermark: 4}, "x": {Watermark: 3, Inputs: []*stream.Batch{b}},
			}))
		}()
		time.Sleep(time.Minute)
		if in.batches != 0 || !slices.Equal(k.sorted(), upTo(5)) || !p.Drained() {
			t.Errorf("read %d, the sink has %v, left %+v", in.batches, k.sorted(), p.Left())
		}
		if low := lowOf(p, 2); low != 4 {
			t.Errorf("watermark %d", low)
		}
		p.Inject(&stream.Barrier{Epoch: 1})
		synctest.Wait()
		if s, ok := a.of(1, "in"); !ok || a.count(1) != 3 || string(s.Position) != string((&numbers{read: 5}).Position(nil)) {
			t.Errorf("%d snapshots, the source is at %v", a.count(1), s.Position)
		}
		p.Resume()
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if in.batches == 0 || !slices.Equal(k.sorted(), upTo(in.read)) {
			t.Errorf("then read %d, and the sink has %v", in.batches, k.sorted())
		}
		cancel()
		<-done
	})
}

func TestBarriersPassPausedSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, k := &endless{}, &numbers{count: 3, batch: 3}, &collect{} // the second is at its end
		p, a, stop := launch(t, graph([]Vertex{source("one", one), source("two", two), udf("x", 2, each(pass)), sink("k", k)}, "one x", "two x", "x k"), nil)
		epoch := stream.Epoch(0)
		for range 5 {
			p.Pause()
			for range 3 {
				epoch++
				p.Inject(&stream.Barrier{Epoch: epoch})
				synctest.Wait()
				if a.count(epoch) != 4 {
					t.Errorf("%d snapshots in a pause", a.count(epoch))
				}
			}
			if !p.Drained() {
				t.Errorf("left is %+v", p.Left())
			}
			s, _ := a.of(epoch, "one")
			if string(s.Position) != string(one.Position(nil)) && one.batches > 0 {
				t.Errorf("the barrier is at %v", s.Position)
			}
			p.Resume()
			time.Sleep(5 * time.Millisecond)
			epoch++
			p.Inject(&stream.Barrier{Epoch: epoch})
			synctest.Wait()
			if a.count(epoch) != 4 {
				t.Errorf("%d snapshots after it", a.count(epoch))
			}
		}
		if one.batches < 20 {
			t.Errorf("read %d", one.batches)
		}
		_ = stop()
	})
}

func TestAPausedPipelineEnds(t *testing.T) {
	for _, how := range []string{"drain", "context", "before the run"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, k := &endless{}, &collect{}
				p := mustNew(t, graph([]Vertex{source("in", in), sink("k", k)}, "in k"), Hooks{})
				if how == "before the run" {
					p.Pause()
					p.Drain()
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				done := make(chan error, 1)
				go func() { done <- p.Run(ctx, nil) }()
				time.Sleep(time.Second)
				p.Pause()
				synctest.Wait()
				var want error
				switch how {
				case "drain":
					p.Drain()
				case "context":
					want = errStop
					cancel(errStop)
				}
				if err := <-done; !errors.Is(err, want) {
					t.Errorf("got %v", err)
				}
				if got := k.sorted(); want == nil && !slices.Equal(got, upTo(in.read)) {
					t.Errorf("the sink has %d of %d", len(got), in.read)
				}
			})
		})
	}
}

func TestASourceThatFailsAsItIsPausedEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, mustNew(t, graph([]Vertex{source("in", &broken{after: time.Hour, err: errors.New("connection reset")}), sink("k", &collect{})}, "in k"), Hooks{}))
		u.Pause()
		if err := <-u.done; err == nil || err.Error() != "vertex in: connection reset" {
			t.Errorf("got %v, want the error of the read", err)
		}
	})
}

// TestAPauseMakesNoSourceIdle has records that are late if a pause raises the watermark,
// and a source that has nothing, for which others wait no longer than before.
func TestAPauseMakesNoSourceIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy, b := timed("busy", EventTime{MaxOutOfOrder: 20, IdleTimeout: time.Second})
		quiet, q := timed("quiet", EventTime{IdleTimeout: time.Second})
		p, stop := start(t, graph([]Vertex{busy, quiet, usual("x", 2, each(pass)), sink("a", &collect{})}, "busy x", "quiet x", "x a"))
		defer stop()
		b.times <- []int64{50}
		q.times <- []int64{40}
		if low := lowOf(p, 3); low != 30 {
			t.Errorf("watermark %d, want 30", low)
		}
		time.Sleep(900 * time.Millisecond)
		p.Pause()
		time.Sleep(time.Hour)
		if s := p.Stats()[3]; s.Watermark != 30 || s.Idle {
			t.Errorf("watermark %d in a pause, idle %v", s.Watermark, s.Idle)
		}
		p.Resume()
		b.times <- []int64{35} // not late
		synctest.Wait()
		if n := p.Stats()[0].Late; n != 0 {
			t.Errorf("%d records are late after a pause", n)
		}
		time.Sleep(900 * time.Millisecond)
		b.times <- []int64{90}
		if low := lowOf(p, 3); low != 40 {
			t.Errorf("watermark %d while the other source may still bring something, want 40", low)
		}
		time.Sleep(200 * time.Millisecond)
		if low := lowOf(p, 3); low != 70 {
			t.Errorf("watermark %d, want 70 when the other source is idle", low)
		}
		p.Pause()
		time.Sleep(time.Hour)
		p.Resume()
		b.times <- []int64{95}
		if low := lowOf(p, 3); low != 75 {
			t.Errorf("watermark %d, want 75 as the other source was idle before", low)
		}
	})
}

// TestASourceIsNotIdleAfterASendThatLastsIntoAPause has an idle timeout run out while a
// batch waits for room, so that it is looked at again during the pause.
func TestASourceIsNotIdleAfterASendThatLastsIntoAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, s := timed("in", EventTime{MaxOutOfOrder: 100, IdleTimeout: time.Second})
		k := sink("a", &halting{each: 1500 * time.Millisecond})
		k.Queue.Records = 1
		p, stop := start(t, graph([]Vertex{in, k}, "in a"))
		defer stop()
		for at := range int64(4) {
			s.times <- []int64{1000 + at}
		}
		synctest.Wait()
		p.Pause()
		time.Sleep(time.Hour)
		if low := p.Stats()[0].Watermark; low > 903 {
			t.Errorf("watermark %d in a pause", low)
		}
	})
}

func TestPauseAndResumeFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, k := &endless{}, &endless{}, &collect{}
		u := run(t, mustNew(t, graph([]Vertex{source("one", one), source("two", two), sink("k", k)}, "one k", "two k"), Hooks{}))
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for range 200 {
					if g%2 == 0 {
						u.Pause()
					} else {
						u.Resume()
					}
					u.Left()
					time.Sleep(time.Duration(g+1) * 100 * time.Microsecond)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		left := u.Left()
		if left[0].Paused != left[1].Paused {
			t.Errorf("one source is paused and the other is not: %+v", left)
		}
		u.Resume()
		synctest.Wait()
		u.Pause()
		time.Sleep(time.Second)
		n := one.read + two.read
		if got := len(k.sorted()); got != n || !u.Drained() {
			t.Errorf("the sink has %d of %d", got, n)
		}
		u.end()
	})
}
