package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/stream"
)

// Reloaded is what became of a pipeline's file.
type Reloaded struct {
	Pipeline string `json:"pipeline"`
	ConfigStatus
	Plan    plan.Plan `json:"plan"`              // what is different in the file; of class none, if nothing is
	Plugins []string  `json:"plugins,omitempty"` // what is different of plugins, and how they did on trial, for people
}

// loadTries is how often a plugin may change while it is loaded, until it has to rest.
const loadTries = 3

// Reload reads the files and plugins of all pipelines again and returns when what is
// different is in force, for one pipeline after the other. What cannot be in force
// changes nothing: its pipeline goes on as it was, and the error says why.
func (h *Host) Reload(ctx context.Context) ([]Reloaded, error) {
	h.reloads.Lock()
	defer h.reloads.Unlock()
	refused := h.surveyNow(ctx)
	all, err := h.reload(ctx, revision.Asked, config.ReadFile, func(s *seat) bool { return !s.leaving })
	return all, errors.Join(err, refused)
}

// reader reads a config file.
type reader func(file string) (config.File, error)

// reload is Reload for some pipelines, with reloads held.
func (h *Host) reload(ctx context.Context, origin revision.Origin, read reader, which func(*seat) bool) (all []Reloaded, err error) {
	for _, s := range h.crew.all() {
		if which(s) {
			r, e := h.reloadOne(ctx, s, origin, read)
			all, err = append(all, r), errors.Join(err, e)
		}
	}
	return all, err
}

func (h *Host) reloadOne(ctx context.Context, s *seat, origin revision.Origin, read reader) (r Reloaded, err error) {
	began := time.Now()
	now, _ := s.look()
	r.Pipeline = now.Name
	class := plan.None
	var found looked
	var content []byte
	for range loadTries {
		var c *config.Pipeline
		if c, content, err = h.reread(read, s.file); err != nil {
			break
		}
		r.Plan = plan.Of(now.Config, c)
		if found, err = h.inspect(now, c); err == nil {
			class, err = h.apply(ctx, s, c, r.Plan, &found)
		}
		if stream.CodeOf(err) != stream.PluginChanged {
			break
		}
	}
	if found.missing != nil {
		h.miss(s, now, found.missing)
	}
	r.ConfigStatus = h.note(s, content, class, origin, err)
	if err == nil {
		r.Plugins = found.steps
	}
	switch e := h.eventsOf(now.Name); {
	case err != nil && e.ConfigRefused != nil:
		e.ConfigRefused(err)
	case err == nil && class != plan.None && e.ConfigApplied != nil:
		e.ConfigApplied(stream.ConfigChange{Revision: r.Revision, Class: r.Class, Steps: append(found.steps, lines(r.Plan)...), Took: time.Since(began)})
	}
	if next, _ := s.look(); err == nil {
		h.keep(next.Name, now.plugins, next.plugins)
	}
	return r, err
}

// apply puts a config, and other contents of plugins, in force, and says what that took. It
// adds to found what is to be told of the plugins.
func (h *Host) apply(ctx context.Context, s *seat, c *config.Pipeline, p plan.Plan, found *looked) (plan.Class, error) {
	class := p.Class()
	switch {
	case class == plan.Restart:
		return class, h.needsRestart(c, p)
	case len(found.fresh) > 0:
		class = max(class, plan.Vertex)
	case class == plan.None:
		return class, nil
	}
	now, _ := s.look()
	defer now.Scaling.Hold("the config is changing")()
	if err := h.change(ctx, s, c, p, found); !errors.Is(err, control.ErrNewGeneration) {
		return class, err
	}
	want := s.desired(c)
	if phased(p) {
		want = desired(c)
	}
	if err := h.replace(ctx, s, c, *found, want); err != nil {
		return plan.Graph, err
	}
	if phased(p) {
		h.forget(s)
	}
	return plan.Graph, nil
}

func (h *Host) needsRestart(c *config.Pipeline, p plan.Plan) error {
	var paths []string
	for _, s := range p.Steps {
		if s.Class == plan.Restart {
			paths = append(paths, s.Path)
		}
	}
	return &stream.Error{
		Code: stream.ConfigValue, Where: c.Where(paths[0]), Why: fmt.Sprintf("%s cannot change while the pipeline runs", strings.Join(paths, ", ")),
		Fix: "take the change back, or stop wasmill and run it again: until then everything goes on as it was",
	}
}

// replace stops the generation that runs at a checkpoint, from which a new one goes on.
func (h *Host) replace(ctx context.Context, s *seat, c *config.Pipeline, found looked, want phase.Desired) error {
	now, _ := s.look()
	refuse := func(where, why, fix string) error {
		return &stream.Error{Code: stream.ConfigValue, Where: where, Why: why, Fix: fix}
	}
	switch i := slices.IndexFunc(c.Vertices, func(v config.Vertex) bool { return v.Source != nil && v.Source.Kind == "stdin" }); {
	case now.Durable == nil || c.Checkpoint == nil:
		return refuse(c.Where("name"), "the change takes a new generation of the pipeline, and without checkpoints that would begin with nothing",
			"add checkpoint: {storage: file://./data/checkpoints}, or stop wasmill and run it again")
	case i >= 0:
		return refuse(c.Where(fmt.Sprintf("vertices[%d].source", i)), "the change takes a new generation of the pipeline, and standard input cannot be read again",
			"stop wasmill and run it again")
	}
	next, err := h.build(ctx, c, s.file, durable.Start{}, want, now.Scaling)
	if err != nil {
		return err
	}
	if err := h.moved(found, next.plugins); err != nil {
		return errors.Join(err, next.Discard(ctx))
	}
	return s.hand(ctx, &handover{
		next: next,
		again: func() (*Pipeline, error) {
			return h.build(context.WithoutCancel(ctx), now.Config, now.File, durable.Start{}, s.desired(now.Config), now.Scaling)
		},
		done: make(chan error, 1),
	})
}

// eventsOf returns who listens to a pipeline.
func (h *Host) eventsOf(pipeline string) stream.Events {
	var e stream.Events
	if h.options.Events != nil {
		e = h.options.Events(pipeline)
	}
	return h.observed(pipeline, e)
}
