package stream

import "time"

// Events is the full list of what can be observed of a running pipeline: a
// struct of optional callbacks, so that working packages never log. Callbacks
// may come from any goroutine and must not block.
type Events struct {
	// GuestLog is a line that a guest logged, or wrote to its standard streams.
	// The text is the guest's: escape it before it reaches a terminal.
	GuestLog func(vertex VertexID, level GuestLevel, text string)

	// Unmetered says that a vertex trusts its plugin with the whole process: it
	// cannot be interrupted.
	Unmetered func(vertex VertexID, plugin string)

	// PluginSuspended says that the calls of a plugin wait for a time, after which
	// one tries it again, because too many have failed; why is what ailed the last.
	PluginSuspended func(vertex VertexID, plugin, why string, wait time.Duration)

	// PluginResumed says that a suspended plugin answers again.
	PluginResumed func(vertex VertexID, plugin string)

	// Scaled says that a vertex has another number of instances from now on, and why.
	Scaled func(ScaleChange)

	// RequestDenied says that a guest asked for what its vertex does not let it ask
	// over HTTP: where, as in http://10.0.0.7:80, and why not. Both are the guest's
	// text in part: escape them before they reach a terminal.
	RequestDenied func(vertex VertexID, target, why string)

	// SourceNotice is something a source noticed and went on from, such as a
	// rotated file.
	SourceNotice func(vertex VertexID, text string)

	// SideNotice says that a side input of a vertex cannot be refreshed and keeps
	// its last value, and why, or that it can be again.
	SideNotice func(vertex VertexID, name, text string)

	// CheckpointDamaged says that a checkpoint cannot be restored, and why, so that an
	// older one is tried.
	CheckpointDamaged func(epoch Epoch, err error)

	// Restoring says how many bytes of a checkpoint are read, of how many.
	Restoring func(done, total int64)

	// Restored says what a pipeline with checkpoints goes on from.
	Restored func(Restoration)

	// Uploading says about how many bytes of a checkpoint are stored, of how many.
	Uploading func(epoch Epoch, done, total int64)

	// CheckpointDone says that a checkpoint is stored and its sinks have committed.
	CheckpointDone func(CheckpointReport)

	// CheckpointFailed says that a checkpoint was given up, or could not be committed
	// yet. The pipeline goes on, and tries the next one.
	CheckpointFailed func(epoch Epoch, err error)

	// CheckpointInterval says that an interval is in force, and what decided it. 0 is
	// checkpoints on request only.
	CheckpointInterval func(interval time.Duration, revision uint64, by string)

	// CheckpointNotice is something about checkpoints that went wrong and costs
	// nothing but room or time.
	CheckpointNotice func(text string)

	// ConfigApplied says that a change of the pipeline's file is in force.
	ConfigApplied func(ConfigChange)

	// ConfigRefused says that the file as it is now cannot be in force, and why: what
	// was before stays.
	ConfigRefused func(err error)

	// ConfigNotice is something about the files of the pipeline, or about following
	// changes of them, that changes nothing for its records: also what would keep the
	// pipeline from starting again, such as a plugin that is gone, and that a version of
	// one cannot be put back later.
	ConfigNotice func(text string)

	// PipelineStarted says that a pipeline begins while others run, because its file is
	// new, mended or another one.
	PipelineStarted func(file string)

	// PipelineRefused says that a pipeline does not run because of its file, and why.
	// Where nothing can be made of the file it is named after it.
	PipelineRefused func(file string, err error)

	// PipelineRemoved says that the file of a pipeline is gone, so that no more is read:
	// what was read goes through, and it ends. kept is where it has what is not deleted.
	PipelineRemoved func(file string, kept []string)

	// PipelineEnded says that a pipeline has ended while the process goes on; err is
	// nil if it ended well.
	PipelineEnded func(err error)
}

// ConfigChange is one of a pipeline's file.
type ConfigChange struct {
	Revision uint64        // the number of what is in force now, from 1
	Class    string        // what it took: live, vertex or graph
	Steps    []string      // what is different, a line each
	Took     time.Duration // from reading the file until it was in force
}

// ScaleChange is one of the instances of a vertex that is scaled.
type ScaleChange struct {
	Vertex   VertexID
	From, To int
	Reason   string // in words
}

// Restoration is what a pipeline goes on from.
type Restoration struct {
	Epoch    Epoch // 0 = from nothing
	Created  time.Time
	Took     time.Duration
	Bytes    int64
	InFlight int      // records that were in flight
	Findings []string // what is not as the checkpoint has it
	Dropped  []string // those of them that lose something
}

// CheckpointReport is about one checkpoint.
type CheckpointReport struct {
	Epoch    Epoch
	Reason   string
	Took     time.Duration // from the start until it is committed
	Blocked  time.Duration // the longest that a vertex stood still for it
	NewBytes int64         // of state that it adds
	AllBytes int64         // of state that a restore reads
}

// GuestLevel is the severity that a guest gives to a line.
type GuestLevel int32

// Levels of guest lines.
const (
	GuestDebug GuestLevel = iota
	GuestInfo
	GuestWarn
	GuestError
)
