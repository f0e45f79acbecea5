package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/pipeline"
)

// Readiness says how far a pipeline is with the revision in force: exactly the vertices of
// that, each once, whatever ran before.
type Readiness struct {
	Pipeline string                `json:"pipeline"`
	Revision uint64                `json:"revision"` // in force; 0 = none was ever accepted
	Phase    pipeline.Phase        `json:"phase"`
	Ready    bool                  `json:"ready"` // all vertices are, and it runs; or would, if it is paused; or it has ended well
	Over     bool                  `json:"over"`  // it has ended, so that nothing of this changes by waiting
	Why      string                `json:"why,omitempty"`
	Vertices []control.VertexReady `json:"vertices"`
}

// Readiness returns that of all pipelines, also of those whose file is refused. It may be
// called at any time.
func (h *Host) Readiness() []Readiness {
	all := []Readiness{}
	for _, s := range h.crew.all() {
		all = append(all, s.readiness())
	}
	for _, r := range h.refused() {
		all = append(all, Readiness{Pipeline: r.pipeline, Phase: pipeline.PhaseFailed, Why: "it does not run, because its file " + r.file + " is refused: " + reason(r.err), Vertices: []control.VertexReady{}})
	}
	return all
}

// reason is why something failed, on one line.
func reason(err error) string {
	if faults := config.Faults(err); len(faults) > 0 {
		return faults[0].Reason()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// readiness is that of the generation that runs.
func (s *seat) readiness() Readiness {
	p, c := s.look()
	r := Readiness{Pipeline: p.Name, Revision: c.Revision, Phase: p.Phase(), Vertices: []control.VertexReady{}}
	switch r.Phase {
	case pipeline.PhaseStarting:
		if r.Why = "it starts"; p.Durable != nil {
			r.Why = "it starts, and its last checkpoint is not restored yet"
		}
	case pipeline.PhaseRunning:
		r.Ready = true
	case pipeline.PhaseStopping:
		r.Why = s.stops()
	case pipeline.PhaseStopped:
		if r.Why, r.Over = s.ended(); r.Over {
			r.Ready = true
			return r
		}
	case pipeline.PhaseFailed:
		r.Why, r.Over = s.ended()
		return r
	}
	for _, v := range control.Readiness(p.graph, p.Pipeline) {
		r.Vertices = append(r.Vertices, v)
		r.Ready = r.Ready && v.Ready >= v.Want
	}
	return r
}

// stops says why a pipeline reads no more.
func (s *seat) stops() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		return "another generation is to take its place"
	}
	return "it is ending: no more is read"
}

// ended says how a generation has ended, and whether none follows.
func (s *seat) ended() (why string, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.over:
		return "another generation begins", false
	case s.failed != nil:
		return "it has failed: " + reason(s.failed), true
	}
	return "it has ended, and all that it read is through", true
}

// ready says which pipelines are not, as Readiness has it. Whoever can connect is told, so it
// says nothing but states and counts.
func (h *Host) ready() error {
	var errs []error
	for _, s := range h.crew.all() {
		r := s.readiness()
		if r.Ready {
			continue
		}
		if r.Phase != pipeline.PhaseRunning {
			errs = append(errs, fmt.Errorf("pipeline %s is %s", r.Pipeline, r.Phase))
		}
		for _, v := range r.Vertices {
			if v.Ready < v.Want && r.Phase == pipeline.PhaseRunning {
				errs = append(errs, fmt.Errorf("pipeline %s: %s has %d of %d instances", r.Pipeline, v.Vertex, v.Ready, v.Want))
			}
		}
	}
	for _, r := range h.refused() {
		errs = append(errs, fmt.Errorf("pipeline %s does not run: its file %s is refused", r.pipeline, r.file))
	}
	return errors.Join(errs...)
}
