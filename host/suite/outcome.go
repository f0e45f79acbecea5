package suite

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// outcome is what a pipeline made of the input of a test.
type outcome struct {
	left       map[stream.VertexID][]Record // by exit; what leaves the last vertex is under resultsName
	failures   []Failure
	kept       map[stream.VertexID][]string // entries of state, JSON objects, sorted
	unanswered []string                     // requests, each once
	waits      []string                     // vertices that wait for side inputs
}

// Failure is a record that a vertex could not handle.
type Failure struct {
	Record int // of the input; 0 = of none, as it is of a time or of the end
	Vertex stream.VertexID
	Err    error
}

func (f *Failure) String() string {
	return fmt.Sprintf("%s, %s, %s, %s", number(f.Record), f.Vertex, f.Code(), cut(f.Reason()))
}

// Code returns the code of the failure.
func (f *Failure) Code() stream.Code { return stream.CodeOf(f.Err) }

// Reason returns why, without place and fix.
func (f *Failure) Reason() string {
	var e *stream.Error
	if errors.As(f.Err, &e) {
		return e.Reason()
	}
	return f.Err.Error()
}

// Report is what a test has shown.
type Report struct {
	Findings []Finding // what is not as expected; none = it passed
	Seen     []Seen    // all that came out, failed and was kept
}

// Seen is what came out at one place.
type Seen struct {
	What  string   `json:"what"` // as that of a Finding
	Lines []string `json:"lines"`
}

// seen lists an outcome for people.
func (o *outcome) seen() (all []Seen) {
	for _, exit := range slices.Sorted(maps.Keys(o.left)) {
		s := Seen{What: whatOf(exit), Lines: []string{}}
		for i := range o.left[exit] {
			r := &o.left[exit][i]
			about := regard{key: len(r.Key) > 0, headers: true, tag: true}
			s.Lines = append(s.Lines, about.actual(r))
		}
		all = append(all, s)
	}
	if o.failures != nil {
		s := Seen{What: "errors"}
		for i := range o.failures {
			s.Lines = append(s.Lines, o.failures[i].String())
		}
		all = append(all, s)
	}
	for _, v := range slices.Sorted(maps.Keys(o.kept)) {
		all = append(all, Seen{"state of " + string(v), o.kept[v]})
	}
	return all
}

// whatOf names an exit.
func whatOf(exit stream.VertexID) string {
	if exit == resultsName {
		return "results"
	}
	return string(exit)
}

func joined(errs []error) error { return errors.Join(errs...) }
