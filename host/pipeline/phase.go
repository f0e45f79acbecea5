package pipeline

import "sync/atomic"

// Phase says how far a pipeline is.
type Phase string

// The phases.
const (
	PhaseStarting Phase = "starting" // its sources and sinks are not all open
	PhaseRunning  Phase = "running"
	PhaseStopping Phase = "stopping" // no source is read, what was read goes through
	PhaseStopped  Phase = "stopped"  // all that was read is through
	PhaseFailed   Phase = "failed"   // Run returned an error
)

// Phases lists the phases in their order.
func Phases() []Phase {
	return []Phase{PhaseStarting, PhaseRunning, PhaseStopping, PhaseStopped, PhaseFailed}
}

// progress is what the phase follows from.
type progress struct{ opened, draining, ended, failed atomic.Bool }

// end notes how Run ended.
func (p *progress) end(err error) {
	p.failed.Store(err != nil)
	p.ended.Store(true)
}

// Phase may be called at any time.
func (p *Pipeline) Phase() Phase {
	switch {
	case p.progress.ended.Load() && p.progress.failed.Load():
		return PhaseFailed
	case p.progress.ended.Load():
		return PhaseStopped
	case p.progress.draining.Load():
		return PhaseStopping
	case p.progress.opened.Load():
		return PhaseRunning
	}
	return PhaseStarting
}
