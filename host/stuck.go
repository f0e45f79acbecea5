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
		held = append(held, unfinished(p.Checkpoint)...)
		if held == nil {
			held = []string{"no vertex holds a record, so a source or sink does not open, stop or flush"}
		}
		errs = append(errs, &stream.Error{
			Code: stream.DrainTimeout, Where: "pipeline " + p.Pipeline,
			Why: fmt.Sprintf("what was read is not through after %v: %s", after, strings.Join(held, "; ")),
			Fix: "see what the last of these waits for (/status tells more while it runs), or set shutdown.grace to a longer time",
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

// unfinished says which checkpoints the end waits for, nil if there are none.
func unfinished(c *control.CheckpointStatus) (parts []string) {
	if c == nil {
		return nil
	}
	for _, f := range c.InFlight {
		text := fmt.Sprintf("checkpoint %d (%s) is %s for %.3g s", f.Epoch, f.Reason, f.Phase, f.Age)
		if len(f.WaitsFor) > 0 {
			text += fmt.Sprintf(" and waits for %v", f.WaitsFor)
		}
		parts = append(parts, text)
	}
	if c.InARow > 0 && c.LastError != nil {
		if parts == nil {
			parts = []string{"the last checkpoint failed and is tried again"}
		}
		parts[len(parts)-1] += "; the error before: " + *c.LastError
	}
	return parts
}
