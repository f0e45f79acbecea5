package host

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/stream"
)

// touched says what a change is about, as far as a graph takes it while it runs.
type touched struct {
	checkpoint bool
	flows      []stream.VertexID // with other limits, or another way with failures
	guests     []stream.VertexID // with another plugin, or another use of it
}

// touches says what a plan, and other contents of plugins, change of a running graph. It
// returns false if that takes a new one.
func touches(c *config.Pipeline, p plan.Plan, plugins []string) (t touched, ok bool) {
	for _, s := range p.Steps {
		field := s.Path[strings.IndexByte(s.Path, ']')+1:]
		switch {
		case s.Class > plan.Vertex:
			return t, false
		case s.Vertex == "":
			t.checkpoint = t.checkpoint || strings.HasPrefix(s.Path, "checkpoint.")
		case field == ".udf.limits.stateBytes": // what keeps the state is told once
			return t, false
		case strings.HasPrefix(field, ".udf.") || strings.HasPrefix(field, ".sandbox."):
			t.guests = append(t.guests, s.Vertex)
		default:
			t.flows = append(t.flows, s.Vertex)
		}
	}
	for i := range c.Vertices {
		if v := &c.Vertices[i]; v.UDF != nil && slices.Contains(plugins, v.UDF.Plugin) {
			t.guests = append(t.guests, v.Name)
		}
	}
	return t, true
}

// change changes the generation that runs, and adds to found what is to be told of its
// plugins. control.ErrNewGeneration is for what it cannot become.
func (h *Host) change(ctx context.Context, s *seat, c *config.Pipeline, p plan.Plan, found *looked) error {
	now, _ := s.look()
	t, ok := touches(c, p, found.fresh)
	if !ok {
		return control.ErrNewGeneration
	}
	ch := new(control.Change)
	if len(t.flows)+len(t.guests) > 0 {
		var err error
		if ch, err = h.builder(c.Name, s.file).Prepare(ctx, c, now.graph, now.Pipeline, t.flows, t.guests); err != nil {
			return err
		}
	}
	if err := h.moved(*found, ch.Plugins); err != nil {
		return errors.Join(err, ch.Discard(ctx))
	}
	if t.checkpoint {
		if _, err := now.Durable.Configure(ctx, control.CheckpointSettings(c.Checkpoint.Live)); err != nil {
			return errors.Join(err, ch.Discard(ctx))
		}
	}
	now.Scaling.Apply(ch, now.Pipeline)
	if now.Durable != nil && len(t.guests) > 0 {
		ch.Reshape(now.Durable)
	}
	if phased(p) {
		h.forget(s)
	}
	now.Phases.Set(s.desired(c))
	changed := *now
	changed.Config = c
	changed.plugins = maps.Clone(now.plugins)
	maps.Copy(changed.plugins, ch.Plugins)
	maps.DeleteFunc(changed.plugins, func(name, _ string) bool { return !usesPlugin(c, name) })
	changed.collects()
	s.set(&changed)
	found.steps = append(found.steps, ch.Notes...)
	return nil
}

// lines are the steps of a plan.
func lines(p plan.Plan) (all []string) {
	for _, s := range p.Steps {
		all = append(all, s.Path+": "+cmp.Or(s.Old, "nothing")+" → "+cmp.Or(s.New, "nothing"))
	}
	return all
}
