package phase

import (
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
)

// Event is what a Machine is stepped with: one of the types below.
type Event interface{ step(m *Machine) }

type (
	// Desired says what the pipeline is to do, and how long a pause may take to drain
	// before it counts as one. Grace counts from the begin of the pause, also if it
	// changes during it; a pause that has come to be one stays one.
	Desired struct {
		Phase Phase
		Grace time.Duration
	}

	// Tick lets time pass and says what is left in the pipeline, after all actions so
	// far were done.
	Tick struct{ Left []pipeline.Left }

	// CheckpointDone says that a checkpoint is complete that began after the
	// TakeCheckpoint with this number.
	CheckpointDone struct{ Attempt int }

	// CheckpointFailed says that one was given up. It is tried again.
	CheckpointFailed struct {
		Attempt int
		Err     error
	}

	// Restarted says that there is another pipeline, the first or one in the place of
	// the last, whose sources nobody has told anything yet: they are to be read.
	Restarted struct{}
)

func (e Desired) step(m *Machine) { m.desired, m.grace = e.Phase, e.Grace }

func (e Tick) step(m *Machine) { m.left = e.Left }

func (e CheckpointDone) step(m *Machine) {
	if m.taking && e.Attempt == m.attempt {
		m.drained, m.err = true, nil
	}
}

func (e CheckpointFailed) step(m *Machine) {
	if m.taking && e.Attempt == m.attempt && !m.drained {
		m.err = e.Err
	}
}

func (Restarted) step(m *Machine) {
	m.live, m.told, m.left, m.drained, m.taking = true, Running, nil, false, false
	m.enter(StateRunning)
}
