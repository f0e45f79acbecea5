package checkpoint

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Action is what the loop around a Coordinator has to do: one of the types below.
// It does them in order, waits for none, and reports what comes of them as events.
type Action interface{ action() }

type (
	// Trigger begins a checkpoint: the sources send its barrier. Config and Reason go
	// into the manifest.
	Trigger struct {
		Epoch    stream.Epoch
		Reason   Reason
		Revision Revision
		Choice   Choice
	}

	// Unalign lets the barriers of a checkpoint overtake the records they wait
	// behind, which become part of it.
	Unalign struct{ Epoch stream.Epoch }

	// Publish writes the snapshots of a checkpoint: Writer.Write.
	Publish struct{ Epoch stream.Epoch }

	// CommitSinks tells every vertex that a checkpoint is published, and lets the
	// sinks commit it. Attempt counts from 1; a further one takes the place of the one
	// before, which is cancelled.
	CommitSinks struct {
		Epoch   stream.Epoch
		Attempt int
	}

	// Abort gives a checkpoint up, at whatever step it is: what is written of it is
	// cancelled, and its vertices forget its snapshots. Events of it that are still on
	// the way change nothing.
	Abort struct {
		Epoch stream.Epoch
		Err   error
	}

	// Retain removes what is not kept any more: Collector.Run, beside everything else.
	Retain struct{ Retention Retention }

	// Applied says that a revision, or an interval chosen anew, is in force.
	Applied struct {
		Revision Revision
		Choice   Choice
	}

	// Finished says that the final checkpoint is complete. No action follows.
	Finished struct{ Epoch stream.Epoch }

	// Fail ends the pipeline. No action follows.
	Fail struct{ Err error }
)

func (Trigger) action()     {}
func (Unalign) action()     {}
func (Publish) action()     {}
func (CommitSinks) action() {}
func (Abort) action()       {}
func (Retain) action()      {}
func (Applied) action()     {}
func (Finished) action()    {}
func (Fail) action()        {}

// Event is what a Coordinator is stepped with: one of the types below. Those of a
// checkpoint that is not under way, or not at that step, change nothing.
type Event interface{ step(c *Coordinator) }

type (
	// Tick lets time pass. An interval is met within one tick.
	Tick struct{}

	// Restored says what the pipeline goes on from, before anything else: the highest
	// epoch that was ever recorded, the interval then in force, and how often the
	// process came back after a crash within the last AssumedMTBF.
	Restored struct {
		Epoch    stream.Epoch
		Interval time.Duration // 0 if it is not known
		Restarts int
	}

	// BarrierPassed says that a vertex has sent a barrier on, and for how long its
	// records had to wait for that.
	BarrierPassed struct {
		Epoch   stream.Epoch
		Vertex  stream.VertexID
		Blocked time.Duration
	}

	// SnapshotDone says that the snapshot of a vertex is there.
	SnapshotDone struct {
		Epoch  stream.Epoch
		Vertex stream.VertexID
	}

	// SnapshotFailed says that there will be none.
	SnapshotFailed struct {
		Epoch  stream.Epoch
		Vertex stream.VertexID
		Err    error
	}

	// Published says that Writer.Write has succeeded.
	Published struct{ Epoch stream.Epoch }

	// UploadFailed says that it has not.
	UploadFailed struct {
		Epoch stream.Epoch
		Err   error
	}

	// SinkCommitted says that all sinks have committed and that this is marked.
	SinkCommitted struct{ Epoch stream.Epoch }

	// CommitFailed says that one has not, in an attempt.
	CommitFailed struct {
		Epoch   stream.Epoch
		Attempt int
		Err     error
	}

	// ConfigChanged brings settings. Those that are not newer, or out of range, change
	// nothing.
	ConfigChanged struct {
		Settings Settings
		Revision Revision
	}

	// Requested asks for a checkpoint of what is there now. Requests that cannot be
	// met at once are met by one.
	Requested struct{}

	// Stopping asks for a final checkpoint, after what is under way.
	Stopping struct{}

	// Fenced says that another writer has taken over.
	Fenced struct{ Err error }

	// DirtyBytes says how much has changed that is in no snapshot yet, all vertices
	// together. While the barriers of a checkpoint are under way it does not count.
	DirtyBytes struct{ Bytes int64 }

	// Measured brings new figures for an adaptive interval.
	Measured struct{ Load Load }
)
