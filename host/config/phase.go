package config

import "time"

// Phase says what a pipeline is to do. It may change while the pipeline runs.
type Phase string

// The phases.
const (
	PhaseRunning Phase = "running"
	PhasePaused  Phase = "paused" // its sources stay open and are not read; what was read goes through
)

// Choices implements Choice.
func (Phase) Choices() []string { return []string{string(PhaseRunning), string(PhasePaused)} }

const (
	defaultPauseGrace = 30 * time.Second
	minPauseGrace     = time.Millisecond
	maxPauseGrace     = 24 * time.Hour
)

// phase checks how a pipeline pauses.
func (b *binder) phase(p *Pipeline) {
	within(b, "pauseGrace", p.PauseGrace, minPauseGrace, maxPauseGrace)
}
