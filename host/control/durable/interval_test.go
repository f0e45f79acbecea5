package durable_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
)

// TestTheIntervalChangesWhileRunning goes 10s → 200ms → 10s at every step of a
// checkpoint.
func TestTheIntervalChangesWhileRunning(t *testing.T) {
	const usual, short = 10 * time.Second, 200 * time.Millisecond
	steps := map[string]func(w *world) (end func()){
		"between checkpoints": func(*world) func() { return func() {} },
		"while barriers align": func(w *world) func() {
			return func() {} // the slow vertex holds the barrier for a second, see below
		},
		"during an upload": func(w *world) func() {
			w.store.Break(storetest.Put, "manifest", 1, storetest.Fault{Delay: 500 * time.Millisecond})
			return func() {}
		},
		"while an upload hangs": func(w *world) func() {
			w.store.Break(storetest.Put, "manifest", 1, storetest.Fault{Hang: true})
			return w.store.Heal
		},
		"while sinks commit": func(w *world) func() {
			w.out.mu.Lock()
			defer w.out.mu.Unlock()
			w.out.slow = 300 * time.Millisecond
			return func() { w.out.mu.Lock(); defer w.out.mu.Unlock(); w.out.slow = 0 }
		},
	}
	for name, begin := range steps {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world) {
				w.settings.Interval = usual
				if name == "while barriers align" {
					w.slow = func(string) time.Duration { return 20 * time.Millisecond }
				}
				l := w.begin()
				w.sleep(usual + time.Millisecond)
				end := begin(w)
				l.Request() // so that the step is now
				w.sleep(time.Millisecond)
				changed := time.Now()
				l.configure(short)
				if took := time.Since(changed); took > time.Second {
					t.Errorf("it took %v until the interval was in force", took)
				}
				w.sleep(time.Second)
				end()
				synctest.Wait()
				before := l.Checkpoints()
				if before.Interval != short || w.applied[len(w.applied)-1] != short {
					t.Errorf("in force is %v, reported %v", before.Interval, w.applied)
				}
				w.sleep(3 * time.Second)
				synctest.Wait()
				if n := l.Checkpoints().Completed - before.Completed; n < 10 || n > 16 {
					t.Errorf("%d checkpoints in 3 s", n)
				}
				if m := w.manifest(0); time.Duration(m.Config.Interval) != short || m.Config.Revision != before.Revision {
					t.Errorf("the manifest has %v of revision %d", time.Duration(m.Config.Interval), m.Config.Revision)
				}
				l.configure(usual)
				w.sleep(time.Second)
				synctest.Wait()
				count := l.Checkpoints().Completed
				w.sleep(usual)
				synctest.Wait()
				if n := l.Checkpoints().Completed - count; n < 1 || n > 2 {
					t.Errorf("%d checkpoints in 10 s", n)
				}
				l.drain()
				w.expect(position(t, w.manifest(0)))
				for i, r := range w.done[1:] {
					if r.Epoch <= w.done[i].Epoch {
						t.Errorf("epoch %d is complete after %d", r.Epoch, w.done[i].Epoch)
					}
				}
			})
		})
	}
}

// configure puts an interval in force.
func (l *life) configure(interval time.Duration) {
	l.Helper()
	s := l.settings
	s.Interval = interval
	before := l.Checkpoints().Revision
	revision, err := l.Configure(l.Context(), s)
	if err != nil || revision != before+1 {
		l.Errorf("revision %d after %d, %v", revision, before, err)
	}
	l.settings = s
}

func TestAnIntervalThatChangesWhileARunStops(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = 10 * time.Second
		w.slow = func(string) time.Duration { return 5 * time.Millisecond }
		l := w.begin()
		w.sleep(time.Second)
		l.Drain()
		l.configure(200 * time.Millisecond)
		if err := <-l.done; err != nil {
			t.Fatal(err)
		}
		w.expect(position(t, w.manifest(0)))
		if _, err := l.Configure(t.Context(), w.settings); err == nil {
			t.Error("a run that has ended was configured")
		}
	})
}

func TestAnIntervalOutlivesACrash(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = 10 * time.Second
		l := w.begin()
		w.sleep(time.Second)
		l.configure(200 * time.Millisecond)
		revision := l.Checkpoints().Revision
		l.kill() // before the next trigger; who has configured keeps the settings
		l = w.begin()
		w.sleep(time.Second)
		synctest.Wait()
		if s := l.Checkpoints(); s.Interval != 200*time.Millisecond || s.Completed < 4 || s.Revision < revision {
			t.Errorf("status %+v", s)
		}
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

func TestConfigureWaitsForTheRestore(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		r := w.runner()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Configure(ctx, w.settings); err == nil {
			t.Error("settings were in force before the run")
		}
		if _, err := r.Configure(t.Context(), checkpoint.Settings{Interval: -1}); err == nil {
			t.Error("settings out of range were taken")
		}
		if err := r.Discard(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestAnAdaptiveIntervalFollowsTheCost lets snapshots cost more and more.
func TestAnAdaptiveIntervalFollowsTheCost(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Adaptive = &checkpoint.Adaptive{Min: time.Second, Max: time.Minute}
		w.settings.Interval = 0
		l := w.begin()
		w.sleep(2 * time.Minute)
		synctest.Wait()
		s := l.Checkpoints()
		if s.Choice.Adaptive == nil || s.Interval < time.Second || s.Interval > time.Minute || !s.Choice.Inputs.Cost.Known || !s.Choice.Inputs.Rate.Known {
			t.Errorf("the choice is %+v", s.Choice)
		}
		if s.Choice.Inputs.Capacity.Known || s.Choice.Inputs.Restore.Known {
			t.Errorf("known is what was not measured: %+v", s.Choice.Inputs)
		}
		in := s.Interval
		l.kill()
		l = w.begin()
		w.sleep(time.Millisecond)
		if got := l.Checkpoints().Interval; got != in {
			t.Errorf("after the crash the interval is %v, it was %v", got, in)
		}
		w.sleep(3 * time.Second)
		synctest.Wait()
		if inputs := l.Checkpoints().Choice.Inputs; !inputs.Detect.Known || inputs.Detect.Value > in.Seconds() || !inputs.Restore.Known || inputs.Restarts != 1 {
			t.Errorf("after a crash %+v", inputs)
		}
		l.drain()
		fmt.Fprintln(t.Output(), "interval", in, s.Choice.By)
	})
}
