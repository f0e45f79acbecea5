package host

import (
	"context"
	"fmt"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// operator is what the API does in a host.
type operator struct{ *Host }

// Pipelines implements admin.Control.
func (o operator) Pipelines() []admin.Pipeline {
	var all []admin.Pipeline
	for _, s := range o.Status().Pipelines {
		all = append(all, admin.Pipeline{Name: s.Pipeline, Status: s, Vertices: s.Vertices})
	}
	return all
}

// Ready implements admin.Control.
func (o operator) Ready(name string) any {
	for _, r := range o.Readiness() {
		if r.Pipeline == name {
			return r
		}
	}
	return nil
}

// SetPhase implements admin.Control.
func (o operator) SetPhase(_ context.Context, pipeline string, want admin.Phase) (any, error) {
	return o.Host.SetPhase(pipeline, phase.Phase(want))
}

// Reload implements admin.Control.
func (o operator) Reload(ctx context.Context) (any, error) {
	all, err := o.Host.Reload(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"pipelines": all}, nil
}

// Checkpoint implements admin.Control.
func (o operator) Checkpoint(_ context.Context, name string) error {
	for _, p := range o.Host.Pipelines() {
		if p.Name != name {
			continue
		}
		if p.Durable == nil {
			return &stream.Error{
				Code: admin.PipelineState, Where: p.Config.Where("checkpoint"), Why: fmt.Sprintf("pipeline %s has no checkpoints", name),
				Fix: "add checkpoint: {storage: file://./data/checkpoints}",
			}
		}
		if phase := p.Phase(); phase == pipeline.PhaseStopped || phase == pipeline.PhaseFailed {
			return &stream.Error{
				Code: admin.PipelineState, Where: "pipeline " + name, Why: fmt.Sprintf("it is %s, so there is nothing to take a checkpoint of", phase),
				Fix: "wasmill checkpoint list shows those that there are",
			}
		}
		p.Durable.Request()
		return nil
	}
	if err := o.refusal(name); err != nil {
		return err
	}
	return &stream.Error{Code: admin.PipelineUnknown, Where: name, Why: "there is no such pipeline", Fix: "wasmill status lists them"}
}
