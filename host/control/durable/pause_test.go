package durable_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// steered is a life with what pauses it.
type steered struct {
	*life
	*phase.Driver
	stop func()
}

// grace is that of pauses in these tests, unless they say otherwise.
const grace = 30 * time.Second

// steer begins a life as a host does.
func (w *world) steer(p phase.Phase) *steered {
	w.Helper()
	l := &life{world: w, Runner: w.runner(), done: make(chan error, 1)}
	s := &steered{life: l, Driver: phase.New(l.Runner, l.Runner, phase.Desired{Phase: p, Grace: grace}, nil)}
	ctx, cancel := context.WithCancelCause(w.Context())
	l.end = cancel
	driving, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { s.Driver.Run(driving) })
	s.stop = func() { stop(); wait.Wait() }
	go func() {
		err := l.Runner.Run(ctx)
		s.stop()
		l.done <- err
	}()
	return s
}

func (s *steered) want(p phase.Phase) { s.Set(phase.Desired{Phase: p, Grace: grace}) }

// state is the status without what changes.
func (s *steered) state() string {
	st := s.Driver.Status()
	return fmt.Sprintf("%s, drained %v", st.Actual, st.Drained)
}

// read is how many records were read, as of a checkpoint of now.
func (w *world) read() int { return position(w.T, w.manifest(0)) }

// TestAPauseDrainsWhatWasReadAndStoresIt pauses a pipeline under load, with a slow vertex
// in the middle.
func TestAPauseDrainsWhatWasReadAndStoresIt(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = time.Hour
		w.slow = func(string) time.Duration { return 100 * time.Millisecond }
		s := w.steer(phase.Running)
		w.sleep(5 * time.Second)
		s.want(phase.Paused)
		w.sleep(50 * time.Millisecond)
		if left := s.Left(); s.state() != "pausing, drained false" || !left[0].Paused || left[0].Unacked < 10 || left[1].Queued == 0 {
			t.Fatalf("%s with %+v", s.state(), left)
		}
		w.sleep(grace / 2)
		if s.state() != "paused, drained true" {
			t.Fatalf("%s: %v", s.state(), s.Driver.Status().Reasons)
		}
		n := w.read()
		w.expect(n)
		if m := w.manifest(0); m.Reason != checkpoint.ReasonRequest || n < 40 || w.acked[len(w.acked)-1] != n {
			t.Errorf("the last checkpoint is %s at %d, acknowledged %v", m.Reason, n, w.acked)
		}
		w.sleep(time.Hour)
		if w.read() != n || s.state() != "paused, drained true" {
			t.Errorf("read %d more: %s", w.read()-n, s.state())
		}
		s.want(phase.Running)
		w.sleep(10 * time.Second)
		if s.state() != "running, drained false" {
			t.Error(s.state())
		}
		s.drain()
		if w.read() < n+100 {
			t.Errorf("read %d after %d", w.read(), n)
		}
		w.expect(w.read())
	})
}

// TestAPauseWithAStuckVertexIsOneAtItsDeadline also resumes it, and the rest is delivered.
func TestAPauseWithAStuckVertexIsOneAtItsDeadline(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval, w.settings.AlignTimeout = time.Second, 100*time.Millisecond
		gate := make(chan struct{})
		w.change = func(c *durable.Config) {
			for i := range c.Graph.Vertices {
				if v := &c.Graph.Vertices[i]; v.Sink != nil {
					v.Sink = &stuckSink{exactly{to: &w.out}, gate}
				}
			}
		}
		s := w.steer(phase.Running)
		w.sleep(5 * time.Second)
		s.want(phase.Paused)
		w.sleep(grace - time.Second)
		if s.state() != "pausing, drained false" {
			t.Error(s.state())
		}
		w.sleep(2 * time.Second)
		st := s.Driver.Status()
		var held []string
		for _, r := range st.Reasons {
			if r.Hinders {
				held = append(held, fmt.Sprint(r.Vertex, " ", r.What))
			}
		}
		if s.state() != "paused, drained false" || fmt.Sprint(held) != "[in not acknowledged out queued out in flight]" {
			t.Errorf("%s with %v", s.state(), held)
		}
		s.want(phase.Running)
		w.sleep(time.Second)
		close(gate)
		w.sleep(10 * time.Second)
		s.want(phase.Paused)
		w.sleep(10 * time.Second)
		if s.state() != "paused, drained true" {
			t.Errorf("%s: %v", s.state(), s.Driver.Status().Reasons)
		}
		s.drain()
		w.expect(w.read())
	})
}

// stuckSink is a sink whose writes wait.
type stuckSink struct {
	exactly
	gate chan struct{}
}

func (s *stuckSink) Write(ctx context.Context, b *stream.Batch) error {
	select {
	case <-s.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.exactly.Write(ctx, b)
}

func TestAPauseIsNotDrainedBeforeItIsStored(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = 0
		s := w.steer(phase.Running)
		w.sleep(time.Second)
		w.store.Break(storetest.Put, "", 0, storetest.Fault{Err: storetest.Down})
		s.want(phase.Paused)
		w.sleep(10 * time.Second)
		if s.state() != "checkpointing, drained false" || !s.Drained() {
			t.Errorf("%s, left %+v", s.state(), s.Left())
		}
		w.sleep(grace)
		if rs := s.Driver.Status().Reasons; s.state() != "paused, drained false" || len(rs) != 1 || rs[0].What != phase.NoCheckpoint || rs[0].Why == "it is under way" {
			t.Errorf("%s: %v", s.state(), rs)
		}
		w.store.Heal()
		w.sleep(6 * time.Minute) // the longest pause between two tries
		if s.state() != "paused, drained true" || s.Driver.Status().Reasons != nil {
			t.Errorf("%s: %v", s.state(), s.Driver.Status().Reasons)
		}
		w.expect(w.read())
		s.drain()
	})
}

// TestAPauseSurvivesACrashAtEachStep kills a run at each step of a pause and of its end,
// and begins another one with the same phase: the end is the same, and nothing is lost or
// doubled.
func TestAPauseSurvivesACrashAtEachStep(t *testing.T) {
	steps := []struct {
		name  string
		phase phase.Phase // in which the run is killed, and begins again
		reach func(w *world, s *steered)
		state string // then
	}{
		{"before anything is said", phase.Paused, func(w *world, s *steered) { s.want(phase.Paused) }, ""},
		{"the sources are told", phase.Paused, func(w *world, s *steered) {
			s.want(phase.Paused)
			synctest.Wait()
		}, "pausing, drained false"},
		{"the rest drains", phase.Paused, func(w *world, s *steered) {
			s.want(phase.Paused)
			w.sleep(500 * time.Millisecond)
		}, "pausing, drained false"},
		{"the checkpoint is uploaded", phase.Paused, func(w *world, s *steered) {
			w.store.Break(storetest.Put, "", 0, storetest.Fault{Hang: true})
			s.want(phase.Paused)
			w.sleep(5 * time.Second)
		}, "checkpointing, drained false"},
		{"its sinks commit", phase.Paused, func(w *world, s *steered) {
			s.want(phase.Paused)
			w.out.mu.Lock()
			w.out.slow = time.Hour
			w.out.mu.Unlock()
			w.sleep(5 * time.Second)
		}, "checkpointing, drained false"},
		{"the deadline is over", phase.Paused, func(w *world, s *steered) {
			w.store.Break(storetest.Put, "", 0, storetest.Fault{Err: storetest.Down})
			s.want(phase.Paused)
			w.sleep(grace + time.Second)
		}, "paused, drained false"},
		{"it is paused", phase.Paused, func(w *world, s *steered) {
			s.want(phase.Paused)
			w.sleep(5 * time.Second)
		}, "paused, drained true"},
		{"it is resumed before it drained", phase.Running, func(w *world, s *steered) {
			s.want(phase.Paused)
			w.sleep(300 * time.Millisecond)
			s.want(phase.Running)
			synctest.Wait()
		}, "resuming, drained false"},
		{"it is resumed", phase.Running, func(w *world, s *steered) {
			s.want(phase.Paused)
			w.sleep(5 * time.Second)
			s.want(phase.Running)
			w.sleep(100 * time.Millisecond)
		}, "running, drained false"},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world) {
				w.settings.Interval = 700 * time.Millisecond
				w.slow = func(string) time.Duration { return 100 * time.Millisecond }
				s := w.steer(phase.Running)
				w.sleep(2500 * time.Millisecond)
				step.reach(w, s)
				if step.state != "" && s.state() != step.state {
					t.Fatalf("%s: %v", s.state(), s.Driver.Status().Reasons)
				}
				s.kill()
				w.out.slow = 0
				s = w.steer(step.phase)
				w.sleep(10 * time.Second)
				if step.phase == phase.Paused {
					if s.state() != "paused, drained true" {
						t.Errorf("%s: %v", s.state(), s.Driver.Status().Reasons)
					}
					w.expect(w.read())
				} else if s.state() != "running, drained false" || w.read() < 100 {
					t.Errorf("%s, read %d", s.state(), w.read())
				}
				s.want(phase.Running)
				w.sleep(5 * time.Second)
				s.drain()
				w.expect(w.read())
			})
		})
	}
}

// TestManyPausesAndEndsOfThem also changes its mind in the middle of them.
func TestManyPausesAndEndsOfThem(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.slow = func(value string) time.Duration { return time.Duration(len(value)*7%13) * time.Millisecond }
		s := w.steer(phase.Running)
		for i := range 50 {
			s.want(phase.Paused)
			w.sleep(time.Duration(i*i%97) * 5 * time.Millisecond)
			s.Set(phase.Desired{Phase: phase.Paused, Grace: time.Duration(1+i%5) * 100 * time.Millisecond})
			w.sleep(time.Duration(i%7) * 20 * time.Millisecond)
			s.want(phase.Running)
			w.sleep(time.Duration(i*i%31) * 5 * time.Millisecond)
		}
		w.sleep(time.Second)
		if s.state() != "running, drained false" {
			t.Error(s.state())
		}
		s.want(phase.Paused)
		w.sleep(10 * time.Second)
		if n := w.read(); s.state() != "paused, drained true" || n < 1000 {
			t.Errorf("%s, read %d", s.state(), n)
		}
		w.expect(w.read())
		s.drain()
		w.expect(w.read())
	})
}

// TestAPausedRunEnds drains and cancels it.
func TestAPausedRunEnds(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		s := w.steer(phase.Paused)
		w.sleep(time.Second)
		s.drain()
		if m := w.manifest(0); m.Reason != checkpoint.ReasonFinal || s.Runner.Phase() != pipeline.PhaseStopped {
			t.Errorf("the last checkpoint is %s", m.Reason)
		}
		w.expect(0)
		s.want(phase.Running)
		if st := s.Driver.Status(); st.Desired != phase.Paused {
			t.Errorf("after the run %+v", st)
		}
		s = w.steer(phase.Paused)
		w.sleep(time.Second)
		s.kill()
	})
}

func TestACheckpointThatIsAskedForBeganAfterThat(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = 0
		l := w.begin()
		w.sleep(100 * time.Millisecond)
		w.store.Break(storetest.Put, "manifest", 1, storetest.Fault{Delay: 500 * time.Millisecond})
		l.Request()
		w.sleep(100 * time.Millisecond) // its barrier is through
		before := l.Checkpoints()
		var reports []error
		var at int
		l.Checkpoint(func(err error) {
			reports = append(reports, err)
			at = position(t, w.manifest(0))
		})
		w.sleep(time.Second)
		if len(before.InFlight) != 1 || len(reports) != 1 || reports[0] != nil || at < 400 {
			t.Errorf("reports %v at %d, with %d under way", reports, at, len(before.InFlight))
		}
		w.store.Break(storetest.Put, "", 0, storetest.Fault{Err: storetest.Down})
		l.Checkpoint(func(err error) { reports = append(reports, err) })
		w.sleep(10 * time.Second)
		w.store.Heal()
		w.sleep(time.Minute)
		if len(reports) < 3 || !errors.Is(reports[1], storetest.Down) || reports[len(reports)-1] != nil {
			t.Errorf("reports %v", reports)
		}
		l.drain()
	})
}
