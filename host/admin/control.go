package admin

import "context"

// Control is what the API shows and changes. Any goroutine may call it. ctx ends with
// the request. An error that is a *stream.Error is told to whoever asked, with all that
// are joined; of others only the text is.
type Control interface {
	// Pipelines returns the pipelines as they are now, in the order in which people
	// should read them. It must not block.
	Pipelines() []Pipeline

	// Ready says how far a pipeline is with the revision in force, to be written as JSON;
	// nil = there is none with this name. It must not block.
	Ready(pipeline string) any

	// SetPhase asks for a phase of a pipeline. It returns when that is noted, not when
	// it is reached; the answer is written as JSON.
	SetPhase(ctx context.Context, pipeline string, phase Phase) (answer any, err error)

	// Checkpoint asks for a checkpoint of a pipeline now, and does not wait for it.
	Checkpoint(ctx context.Context, pipeline string) error

	// Reload reads the config again and returns what became of it, to be written as
	// JSON, once it is in force. After an error all is as it was.
	Reload(ctx context.Context) (answer any, err error)
}

// Pipeline is what there is to see of a pipeline, to be written as JSON.
type Pipeline struct {
	Name     string
	Status   any // all of it
	Vertices any // that part of Status
}

// Phase is what a pipeline is asked to be.
type Phase string

// The phases that can be asked for.
const (
	Running Phase = "running"
	Paused  Phase = "paused"
)

// Phases lists them.
func Phases() []Phase { return []Phase{Running, Paused} }
