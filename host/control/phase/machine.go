package phase

import (
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
)

// Phase is what a pipeline is desired to do.
type Phase string

// The phases.
const (
	Running Phase = "running"
	Paused  Phase = "paused"
)

// State says how far a pipeline is with that.
type State string

// The states.
const (
	StateRunning       State = "running"
	StatePausing       State = "pausing"       // the sources are to stand still, what was read goes through
	StateCheckpointing State = "checkpointing" // it is through, and is to be stored
	StatePaused        State = "paused"        // see Status.Drained
	StateResuming      State = "resuming"      // the sources are to be read, and one is not yet
)

// Machine decides how a pipeline pauses and resumes. It is stepped with events and has
// no goroutine, no lock, no clock and no I/O. Its clock is the sum of the differences of
// the times it is given, where a time before the last one counts as the same.
type Machine struct {
	checkpoints bool
	desired     Phase
	grace       time.Duration

	last  time.Time     // of the last step
	clock time.Duration // since the first one

	live  bool  // there is a pipeline
	told  Phase // what its sources are to do
	state State
	since time.Time       // of the state
	left  []pipeline.Left // since the sources were told; nil = not known yet

	// Of the pause, if told is Paused.
	began   time.Duration // when the sources were told
	late    bool          // pauseGrace was over before it was drained
	through bool          // nothing was left
	drained bool
	attempt int // of the last TakeCheckpoint, over all pauses
	taking  bool
	err     error // of the last try to take a checkpoint

	reported Report
	out      []Action
}

// NewMachine returns one for a pipeline that is desired to run, and is not there before
// the first Restarted. checkpoints says whether it takes some.
func NewMachine(checkpoints bool) *Machine {
	return &Machine{checkpoints: checkpoints, desired: Running, told: Running, state: StateRunning}
}

// Step takes an event and returns what to do, in this order. The actions are the
// caller's.
func (m *Machine) Step(now time.Time, ev Event) []Action {
	m.out = nil
	if m.last.IsZero() {
		m.since = now
	} else {
		m.clock += max(0, now.Sub(m.last))
	}
	m.last = now
	ev.step(m)
	if m.live {
		m.tell()
		m.advance()
		m.report()
	}
	return m.out
}

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

// tell makes the sources do what is desired.
func (m *Machine) tell() {
	if m.told == m.desired {
		return
	}
	m.told = m.desired
	m.began, m.left = m.clock, nil
	m.late, m.through, m.drained, m.taking, m.err = false, false, false, false, nil
	if m.told == Paused {
		m.do(PauseSources{})
		m.enter(StatePausing)
		return
	}
	m.do(ResumeSources{})
	m.enter(StateResuming)
}

func (m *Machine) enter(s State) {
	if m.state != s {
		m.state, m.since = s, m.last
	}
}

// advance goes on as far as is known to be possible.
func (m *Machine) advance() {
	switch {
	case m.told == Paused:
		m.drain()
	case m.state == StateResuming && m.resumed():
		m.enter(StateRunning)
	}
}

// drain goes on with a pause.
func (m *Machine) drain() {
	m.through = m.through || m.nothing()
	switch {
	case !m.through || m.drained:
	case !m.checkpoints:
		m.drained = true
	case !m.taking:
		m.attempt++
		m.taking = true
		m.do(TakeCheckpoint{m.attempt})
	}
	m.late = m.late || !m.drained && m.clock-m.began >= m.grace
	switch {
	case m.drained || m.late:
		m.enter(StatePaused)
	case m.through:
		m.enter(StateCheckpointing)
	default:
		m.enter(StatePausing)
	}
}

// nothing says whether it is known that nothing is left.
func (m *Machine) nothing() bool {
	for i := range m.left {
		if !m.left[i].Nothing() {
			return false
		}
	}
	return len(m.left) > 0
}

// resumed says whether it is known that no source stands still because of a pause.
func (m *Machine) resumed() bool {
	for i := range m.left {
		if m.left[i].Paused {
			return false
		}
	}
	return len(m.left) > 0
}

// settled says whether there is nothing to wait for.
func (m *Machine) settled() bool {
	return m.state == StateRunning || m.state == StatePaused && m.drained
}

// report tells of what has changed.
func (m *Machine) report() {
	now := Report{m.desired, m.state, m.drained}
	if now != m.reported {
		m.reported = now
		m.do(now)
	}
}

// Status is what there is to see of a pause or its end.
type Status struct {
	Desired Phase
	Actual  State
	Since   time.Time // of Actual
	Drained bool      // of a pause: what was read before is through, and stored if there are checkpoints
	Reasons []Reason  // why a pause is not drained, and what it holds
}

// Status returns the status as of the last step.
func (m *Machine) Status() Status {
	return Status{Desired: m.desired, Actual: m.state, Since: m.since, Drained: m.drained, Reasons: m.reasons()}
}
