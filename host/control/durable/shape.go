package durable

import "github.com/wasmill/wasmill/host/stream"

// Shape says what a vertex is, as far as it matters for what a checkpoint has of it.
type Shape struct {
	Role string // source, udf, aggregate, join or sink
	Kind string // of its connector; the plugin; or what it aggregates
	Code string // the hash of its plugin

	// State describes what its state means: state of another meaning is not restored.
	// Empty: it has none.
	State string

	// Bound says that its state has a meaning for its Code alone.
	Bound bool

	Concurrency int
	From        []stream.VertexID // of its inbound edges, by port
}
