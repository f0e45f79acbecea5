package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
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
	"github.com/wasmill/wasmill/host/wasm"
)

// Reloaded is what became of a pipeline's file.
type Reloaded struct {
	Pipeline string `json:"pipeline"`
	ConfigStatus
	Plan    plan.Plan `json:"plan"`              // what is different in the file; of class none, if nothing is
	Plugins []string  `json:"plugins,omitempty"` // what is different of plugins, and how they did on trial, for people
}

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
	fresh := h.newPlugins(now)
	c, content, err := h.reread(read, s.file)
	if err == nil {
		r.Plan = plan.Of(now.Config, c)
		class, err = h.apply(ctx, s, c, r.Plan, &fresh)
	}
	r.ConfigStatus = h.note(s, content, class, origin, err)
	if err == nil {
		r.Plugins = fresh.steps
	}
	switch e := h.eventsOf(now.Name); {
	case err != nil && e.ConfigRefused != nil:
		e.ConfigRefused(err)
	case err == nil && class != plan.None && e.ConfigApplied != nil:
		e.ConfigApplied(stream.ConfigChange{Revision: r.Revision, Class: r.Class, Steps: append(fresh.steps, lines(r.Plan)...), Took: time.Since(began)})
	}
	if next, _ := s.look(); err == nil {
		h.keep(next.Name, now.plugins, next.plugins)
	}
	return r, err
}

// newPlugins says which plugins of a pipeline have another content now. One that is gone or
// cannot be read goes on as it was loaded.
func (h *Host) newPlugins(p *Pipeline) (all news) {
	for _, name := range slices.Sorted(maps.Keys(p.plugins)) {
		hash, _, err := wasm.HashFile(filepath.Join(h.Settings.Plugins.Dir, name+".wasm"))
		if err == nil && hash != p.plugins[name] {
			all.names = append(all.names, name)
			all.steps = append(all.steps, fmt.Sprintf("plugin %s: %.12s → %.12s", name, p.plugins[name], hash))
		}
	}
	return all
}

// apply puts a config, and other contents of plugins, in force, and says what that took.
func (h *Host) apply(ctx context.Context, s *seat, c *config.Pipeline, p plan.Plan, fresh *news) (plan.Class, error) {
	class := p.Class()
	switch {
	case class == plan.Restart:
		return class, h.needsRestart(c, p)
	case len(fresh.names) > 0:
		class = max(class, plan.Vertex)
	case class == plan.None:
		return class, nil
	}
	if err := h.change(ctx, s, c, p, fresh); !errors.Is(err, control.ErrNewGeneration) {
		return class, err
	}
	want := s.desired(c)
	if phased(p) {
		want = desired(c)
	}
	if err := h.replace(ctx, s, c, want); err != nil {
		return plan.Graph, err
	}
	if phased(p) {
		s.ask("")
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
func (h *Host) replace(ctx context.Context, s *seat, c *config.Pipeline, want phase.Desired) error {
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
	next, err := h.build(ctx, c, s.file, durable.Start{}, want)
	if err != nil {
		return err
	}
	return s.hand(ctx, &handover{
		next: next,
		again: func() (*Pipeline, error) {
			return h.build(context.WithoutCancel(ctx), now.Config, now.File, durable.Start{}, s.desired(now.Config))
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
