package phase

// Action is what whoever steps a Machine has to do: one of the types below. None may
// take long.
type Action interface{ action() }

type (
	// PauseSources stops reading: Pipeline.Pause.
	PauseSources struct{}

	// ResumeSources goes on reading: Pipeline.Resume.
	ResumeSources struct{}

	// TakeCheckpoint asks for a checkpoint of what is there now, which is tried until it
	// is complete or the pipeline ends. A further one takes the place of the one before.
	TakeCheckpoint struct{ Attempt int }

	// Report says what has changed.
	Report struct {
		Desired Phase
		Actual  State
		Drained bool
	}
)

func (PauseSources) action()   {}
func (ResumeSources) action()  {}
func (TakeCheckpoint) action() {}
func (Report) action()         {}
