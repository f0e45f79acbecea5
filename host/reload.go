package host

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
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
)

// Reloaded is what became of a pipeline's file.
type Reloaded struct {
	Pipeline string `json:"pipeline"`
	ConfigStatus
	Plan plan.Plan `json:"plan"` // what is different; of class none, if nothing is
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
	steps := h.newPlugins(now)
	c, content, err := h.reread(read, s.file)
	if err == nil {
		r.Plan = plan.Of(now.Config, c)
		class, err = h.apply(ctx, s, c, r.Plan, len(steps) > 0)
	}
	r.ConfigStatus = h.note(s, content, class, origin, err)
	switch e := h.eventsOf(now.Name); {
	case err != nil && e.ConfigRefused != nil:
		e.ConfigRefused(err)
	case err == nil && class != plan.None && e.ConfigApplied != nil:
		e.ConfigApplied(stream.ConfigChange{Revision: r.Revision, Class: r.Class, Steps: append(steps, lines(r.Plan)...), Took: time.Since(began)})
	}
	return r, err
}

// newPlugins says, a line each, which plugins of a pipeline have another content now. One
// that is gone or cannot be read goes on as it was loaded.
func (h *Host) newPlugins(p *Pipeline) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(p.plugins)) {
		hash, err := hashOf(filepath.Join(h.Settings.Plugins.Dir, name+".wasm"))
		if err == nil && hash != p.plugins[name] {
			all = append(all, fmt.Sprintf("plugin %s: %.12s → %.12s", name, p.plugins[name], hash))
		}
	}
	return all
}

// hashOf returns the SHA-256 of a file, hex.
func hashOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// apply puts a config in force, and says what that took. anew: a new generation takes the
// pipeline's place, whatever the plan says.
func (h *Host) apply(ctx context.Context, s *seat, c *config.Pipeline, p plan.Plan, anew bool) (plan.Class, error) {
	switch class := p.Class(); {
	case class == plan.None && !anew:
		return class, nil
	case class == plan.Restart:
		return class, h.needsRestart(c, p)
	case class == plan.Live && !anew && !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return !inPlace(s.Path) }):
		return class, h.set(ctx, s, c, p)
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

// inPlace says whether a running generation takes another value at a path.
func inPlace(path string) bool {
	return path == "phase" || path == "pauseGrace" || path == "description" || strings.HasPrefix(path, "checkpoint.")
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

// set changes the generation that runs.
func (h *Host) set(ctx context.Context, s *seat, c *config.Pipeline, p plan.Plan) error {
	now, _ := s.look()
	if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return strings.HasPrefix(s.Path, "checkpoint.") }) {
		if _, err := now.Durable.Configure(ctx, control.CheckpointSettings(c.Checkpoint.Live)); err != nil {
			return err
		}
	}
	if phased(p) {
		s.ask("")
	}
	now.Phases.Set(s.desired(c))
	changed := *now
	changed.Config = c
	s.set(&changed)
	return nil
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

// lines are the steps of a plan.
func lines(p plan.Plan) (all []string) {
	for _, s := range p.Steps {
		all = append(all, fmt.Sprintf("%s: %s → %s", s.Path, cmp.Or(s.Old, "nothing"), cmp.Or(s.New, "nothing")))
	}
	return all
}

// eventsOf returns who listens to a pipeline.
func (h *Host) eventsOf(pipeline string) stream.Events {
	var e stream.Events
	if h.options.Events != nil {
		e = h.options.Events(pipeline)
	}
	return h.observed(pipeline, e)
}
