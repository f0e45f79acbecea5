package phase

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/pipeline"
)

// TestMachineOverAnyEvents lets anything happen in any order, holds every step against
// what may never be otherwise, and then lets things calm down.
func TestMachineOverAnyEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{T: t, checkpoints: rapid.Bool().Draw(t, "checkpoints"), desired: Running, now: midnight}
		w.m = NewMachine(w.checkpoints)
		w.want(Phase(rapid.SampledFrom([]Phase{Running, Paused}).Draw(t, "first")))
		t.Repeat(map[string]func(*rapid.T){
			"desired": func(t *rapid.T) { w.want(rapid.SampledFrom([]Phase{Running, Paused}).Draw(t, "phase")) },
			"grace": func(t *rapid.T) {
				w.grace = time.Duration(rapid.IntRange(0, 100).Draw(t, "grace")) * time.Second
				w.want(w.desired)
			},
			"restarted": func(*rapid.T) { w.restart() },
			"tick": func(t *rapid.T) {
				if rapid.Bool().Draw(t, "drains") {
					w.move()
				}
				w.look()
			},
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-5, 60).Draw(t, "seconds")) * time.Second)
			},
			"done": func(t *rapid.T) {
				w.step(CheckpointDone{w.attempt - rapid.IntRange(0, 2).Draw(t, "older")})
			},
			"failed": func(t *rapid.T) {
				w.step(CheckpointFailed{w.attempt - rapid.IntRange(0, 2).Draw(t, "older"), errors.New("503")})
			},
		})
		w.calm()
	})
}

// world is a pipeline with a source and a sink, and what a machine said to it.
type world struct {
	*rapid.T
	m           *Machine
	checkpoints bool
	desired     Phase
	grace       time.Duration
	now         time.Time
	clock       time.Duration
	last        time.Time
	live        bool

	told    Phase
	reads   bool // the source is read, which it is for a moment after it was told otherwise
	pending int
	quiet   bool          // nothing was left when somebody looked, in this pause
	began   time.Duration // of the pause
	asked   bool          // a checkpoint, in this pause
	stored  bool          // it is complete
	attempt int
	report  Report
}

func (w *world) want(p Phase) {
	w.desired = p
	w.step(Desired{p, w.grace})
}

// restart puts another pipeline in the place of the last, which restored something.
func (w *world) restart() {
	w.live, w.told, w.reads, w.pending = true, Running, true, 3
	w.quiet, w.asked, w.stored = false, false, false
	w.step(Restarted{})
}

// move lets the pipeline do something.
func (w *world) move() {
	w.reads = w.told == Running
	if w.reads {
		w.pending += 2
	}
	w.pending = max(0, w.pending-3)
}

func (w *world) look() {
	if !w.live {
		return
	}
	if w.told == Paused && !w.reads && w.pending == 0 {
		w.quiet = true
	}
	w.step(Tick{[]pipeline.Left{
		{Vertex: "in", Moving: w.reads, Paused: !w.reads, Unacked: w.pending},
		{Vertex: "out", Queued: w.pending, Open: 2},
	}})
}

func (w *world) step(ev Event) {
	if done, ok := ev.(CheckpointDone); ok && w.asked && done.Attempt == w.attempt {
		w.stored = true
	}
	if !w.last.IsZero() {
		w.clock += max(0, w.now.Sub(w.last))
	}
	w.last = w.now
	for _, a := range w.m.Step(w.now, ev) {
		w.do(a)
	}
	w.check()
}

func (w *world) do(a Action) {
	if !w.live {
		w.Fatalf("%s before there is a pipeline", render(a))
	}
	switch a := a.(type) {
	case PauseSources:
		if w.told == Paused {
			w.Fatal("the sources are paused twice")
		}
		w.told, w.began = Paused, w.clock
		w.quiet, w.asked, w.stored = false, false, false
	case ResumeSources:
		if w.told == Running {
			w.Fatal("the sources are resumed twice")
		}
		w.told = Running
	case TakeCheckpoint:
		if !w.checkpoints || w.told != Paused || !w.quiet || w.asked || a.Attempt <= w.attempt {
			w.Fatalf("checkpoint %d after %d: %+v", a.Attempt, w.attempt, w)
		}
		w.asked, w.attempt = true, a.Attempt
	case Report:
		if a == w.report {
			w.Fatalf("%s is reported twice", render(a))
		}
		w.report = a
	}
}

// check holds for every state between two steps.
func (w *world) check() {
	s := w.m.Status()
	switch {
	case s.Desired != w.desired:
		w.Fatalf("%s is desired, not %s", w.desired, s.Desired)
	case !w.live:
		return
	case w.told != w.desired:
		w.Fatalf("%s is desired, and the sources are told %s", w.desired, w.told)
	case w.report != Report{s.Desired, s.Actual, s.Drained}:
		w.Fatalf("the last report is %s, the status %+v", render(w.report), s)
	case (s.Actual == StateRunning || s.Actual == StateResuming) != (w.told == Running):
		w.Fatalf("the state is %s, and the sources are told %s", s.Actual, w.told)
	case s.Drained != (w.told == Paused && w.quiet && (w.stored || !w.checkpoints)):
		w.Fatalf("drained: %v of %+v", s.Drained, w)
	case w.told == Paused && w.clock-w.began >= w.grace && s.Actual != StatePaused:
		w.Fatalf("the state is %s after pauseGrace", s.Actual)
	case s.Drained && s.Actual != StatePaused:
		w.Fatalf("drained, and the state is %s", s.Actual)
	}
	hinders := false
	for _, r := range s.Reasons {
		hinders = hinders || r.Hinders
	}
	if hinders && s.Drained || s.Actual == StateCheckpointing && !hinders {
		w.Fatalf("%+v has reasons that it should not have, or none", s)
	}
}

// calm lets everything come to its end.
func (w *world) calm() {
	if !w.live {
		w.restart()
	}
	for range 100 {
		w.move()
		w.look()
		if w.asked && !w.stored {
			w.step(CheckpointDone{w.attempt})
		}
	}
	s := w.m.Status()
	if w.desired == Running && s.Actual != StateRunning || w.desired == Paused && (s.Actual != StatePaused || !s.Drained) {
		w.Fatalf("%s is desired, and in the end it is %+v", w.desired, s)
	}
	before := w.report
	w.now = w.now.Add(time.Hour)
	w.look()
	if w.report != before {
		w.Fatal("something goes on by itself")
	}
}
