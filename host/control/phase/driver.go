package phase

import (
	"context"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
)

// Pipeline is what a Driver pauses: a *pipeline.Pipeline. No method waits.
type Pipeline interface {
	Pause()
	Resume()
	Left() []pipeline.Left
}

// Checkpoints takes checkpoints of it: a *durable.Runner.
type Checkpoints interface {
	// Checkpoint asks for a checkpoint of what is there now. It does not wait. report
	// is called with why each time that one was given up, and last with nil when one
	// that began after the call is complete.
	Checkpoint(report func(error))
}

// Driver steps a Machine for one run of a pipeline.
type Driver struct {
	p       Pipeline
	c       Checkpoints // nil = there are none
	changed func(Status)
	came    chan struct{} // capacity 1: there are events
	m       *Machine      // of Run, and of New before

	mu     sync.Mutex
	events []Event // guarded by mu; to be stepped with
	status Status  // guarded by mu
	over   bool    // guarded by mu; no event counts any more
}

// How often a Driver looks at what is left.
const (
	paceMoving  = 20 * time.Millisecond // until it is as desired
	paceSettled = time.Second           // in a pause
	paceRunning = time.Hour             // nothing is looked for
)

// New returns a Driver for a pipeline that is not running yet, and tells it at once
// what is desired: so it begins paused if that is it. c is nil if the pipeline takes no
// checkpoints. changed is called, from one goroutine at a time, when the state is
// another one or the pause is drained, and must not block; nil = nobody listens.
func New(p Pipeline, c Checkpoints, want Desired, changed func(Status)) *Driver {
	d := &Driver{p: p, c: c, changed: changed, came: make(chan struct{}, 1), m: NewMachine(c != nil)}
	d.step(want)
	d.step(Restarted{})
	return d
}

// Set says what is desired from now on, and how long a pause may take to drain. It
// does not wait, and after the run it changes nothing.
func (d *Driver) Set(want Desired) {
	d.push(want)
}

// Status may be called at any time.
func (d *Driver) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	for _, ev := range d.events {
		if want, ok := ev.(Desired); ok {
			s.Desired = want.Phase
		}
	}
	return s
}

// Run steps the machine until ctx ends, which has to be when the run of the pipeline
// has ended.
func (d *Driver) Run(ctx context.Context) {
	tick := time.NewTimer(0)
	defer tick.Stop()
	defer d.end()
	for {
		select {
		case <-d.came:
			for _, ev := range d.take() {
				d.step(ev)
			}
		case <-tick.C:
			d.step(Tick{d.p.Left()})
		case <-ctx.Done():
			return
		}
		tick.Reset(d.pace())
	}
}

func (d *Driver) pace() time.Duration {
	switch {
	case !d.m.settled():
		return paceMoving
	case d.m.state == StateRunning:
		return paceRunning
	}
	return paceSettled
}

// step takes an event and does what follows.
func (d *Driver) step(ev Event) {
	actions := d.m.Step(time.Now(), ev)
	status := d.m.Status()
	d.mu.Lock()
	d.status = status
	d.mu.Unlock()
	for _, a := range actions {
		d.do(a, status)
	}
}

func (d *Driver) do(a Action, status Status) {
	switch a := a.(type) {
	case PauseSources:
		d.p.Pause()
	case ResumeSources:
		d.p.Resume()
	case TakeCheckpoint:
		d.c.Checkpoint(func(err error) {
			if err != nil {
				d.push(CheckpointFailed{a.Attempt, err})
				return
			}
			d.push(CheckpointDone(a))
		})
	case Report:
		if d.changed != nil {
			d.changed(status)
		}
	}
}

// push adds an event. It never blocks.
func (d *Driver) push(ev Event) {
	d.mu.Lock()
	if !d.over {
		d.events = append(d.events, ev)
	}
	d.mu.Unlock()
	select {
	case d.came <- struct{}{}:
	default:
	}
}

// end lets events count for nothing.
func (d *Driver) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events, d.over = nil, true
}

func (d *Driver) take() []Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.events
	d.events = nil
	return taken
}
