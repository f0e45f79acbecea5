package host

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// Stuck says what keeps pipelines from ending that were told to drain this long
// ago, by vertex; nil if all have ended.
func (h *Host) Stuck(after time.Duration) error {
	var errs []error
	for _, p := range h.Status().Pipelines {
		if p.Phase == pipeline.PhaseStopped || p.Phase == pipeline.PhaseFailed {
			continue
		}
		var held []string
		for _, v := range p.Vertices {
			if text := holds(v); text != "" {
				held = append(held, fmt.Sprintf("%s holds %s", v.Vertex, text))
			}
		}
		if held == nil {
			held = []string{"no vertex holds a record, so a source or sink does not open, stop or flush"}
		}
		errs = append(errs, &stream.Error{
			Code: stream.DrainTimeout, Where: "pipeline " + p.Pipeline,
			Why: fmt.Sprintf("what was read is not through after %v: %s", after, strings.Join(held, "; ")),
			Fix: "see what the last of these waits for (/status names the oldest while it runs), or set shutdown.grace to a longer time",
		})
	}
	return errors.Join(errs...)
}

// holds says what is in a vertex.
func holds(v control.VertexStatus) string {
	var parts []string
	for _, s := range v.Stages {
		if s.Records > 0 {
			parts = append(parts, fmt.Sprintf("%d records in %s", s.Records, s.Stage))
		}
	}
	if v.Oldest > 0 {
		parts = append(parts, fmt.Sprintf("the oldest in flight for %.3g s", v.Oldest))
	}
	return strings.Join(parts, ", ")
}
