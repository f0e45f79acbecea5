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
