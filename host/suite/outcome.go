package suite

import (
	"errors"

	"github.com/wasmill/wasmill/host/stream"
)

// outcome is what a pipeline made of the input of a test.
type outcome struct {
	left       map[stream.VertexID][]Record // by exit; what leaves the last vertex is under resultsName
	failures   []failure
	kept       map[stream.VertexID][]string // entries of state, JSON objects, sorted
	unanswered []string                     // requests, each once
	waits      []string                     // vertices that wait for side inputs
}

// failure is a record that a vertex could not handle.
type failure struct {
	Record int // of the input; 0 = of none, as it is of a time or of the end
	Vertex stream.VertexID
	Err    error
}

// Code returns the code of the failure.
func (f *failure) Code() stream.Code { return stream.CodeOf(f.Err) }

// Reason returns why, without place and fix.
func (f *failure) Reason() string {
	var e *stream.Error
	if errors.As(f.Err, &e) {
		return e.Reason()
	}
	return f.Err.Error()
}

func joined(errs []error) error { return errors.Join(errs...) }
