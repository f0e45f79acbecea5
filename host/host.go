package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// Options say what to open.
type Options struct {
	Files []string // pipeline files; none = those in pipelines.dir
	// Base is the folder that relative paths in pipeline files are relative to; empty = that
	// of each file.
	Base    string
	Process []string // files with settings of the process, later ones win
	Root    string   // folder that relative paths in them, and defaults, begin in; empty = the working directory
	// Settings are such files that were read before; those of Process win over them.
	Settings []config.File
	Env      []string // KEY=value, for settings of the process
	Set      []string // path=value, for both kinds of settings
	Stdin    io.Reader
	Stdout   io.Writer
	Events   func(pipeline string) stream.Events // nil = nobody listens
	// Compiler is a command that leads to CompileMain with further arguments:
	// plugins are compiled in processes of their own, with limits. nil = they are
	// compiled in this one, without.
	Compiler []string
	// Native replaces plugins by Go, by name.
	Native map[string]func() stream.Transform
	// Watch keeps a plugin from being loaded again that is in a call when a fatal
	// error ends the process. It sets the process's crash output.
	Watch bool
	// Deaths is how many times a process has to die in calls of a plugin before Watch keeps
	// that from being loaded, where it is started again each time; 0 = it is not.
	Deaths int
	Start  durable.Start // of pipelines with checkpoints
	// From are other checkpoints, of which Start takes one. Without a name they are
	// those of a pipeline with the same one. nil = the pipeline's own.
	From    *CheckpointsOf
	Version string // of this binary, which checkpoints and metrics name
	// Admin serves health and metrics where the setting admin.listen says, while
	// Run runs. Without it the setting is checked and not used.
	Admin bool
	// Renewed is told of changes of the files that admin.tls names, while Run runs: nil
	// if they are used from now on, or why those before still are. nil = nobody listens.
	Renewed func(error)
	// Follow reloads pipelines whose files or plugins change while Run runs. Without
	// Files, pipelines come and go with the files of pipelines.dir, one that cannot run
	// keeps none from running, and Run ends only when it is told to.
	Follow bool
	// Revisions keeps the configs that are accepted in data.dir, so that their numbers
	// go on over restarts, and phases that are asked for by hand. Without it revisions
	// count from 1, and only what the file says outlives the process.
	Revisions bool
	Notice    func(text string) // what concerns no single pipeline; nil = nobody listens
	// Instance is the background instance that this is: with Admin or Revisions, which use
	// data.dir, that has to be its own (see OwnData). Empty = a foreground run, which may
	// use that of no instance.
	Instance string
	// Claimant is for whom checkpoints are claimed, no other has the same; it has no slash.
	// Empty = a foreground run.
	Claimant string
}

// base is the folder that relative paths in a pipeline file are relative to.
func (o *Options) base(file string) string {
	if o.Base != "" {
		return o.Base
	}
	return filepath.Dir(file)
}

// Host holds the pipelines of a process.
type Host struct {
	Settings *config.Process
	Uncached error // why compiled plugins are not kept; nil = they are
	Admin    Admin
	engine   *wasm.Engine
	stores   *control.Stores
	server   *admin.Server // nil = health and metrics are not served
	options  Options
	process  string // names it in claims of checkpoints
	crew     crew
	folder   *folder // nil = pipelines do not come and go
	ran      bool

	reloads sync.Mutex // held by a reload
}

// Pipeline is one of a host's pipelines: a generation of it, which a change of its file
// may replace by another one.
type Pipeline struct {
	Name   string
	File   string
	Config *config.Pipeline
	*pipeline.Pipeline
	Durable *durable.Runner  // what takes checkpoints of it; nil = it has none
	Phases  *phase.Driver    // what pauses it
	Scaling *control.Scaling // what scales it, also the generations after it
	builder *control.Builder
	graph   pipeline.Graph
	collect []func(*admin.Writer)
	plugins map[string]string // the SHA-256 of each, by name, hex
}

// Settings reads the settings of the process.
func Settings(o Options) (*config.Process, error) {
	set, _ := config.SplitSet(o.Set)
	layers := config.Layers{Files: slices.Clone(o.Settings), Env: o.Env, Set: set, Root: o.Root}
	for _, name := range o.Process {
		f, err := config.ReadFile(name)
		if err != nil {
			return nil, err
		}
		layers.Files = append(layers.Files, f)
	}
	return config.LoadProcess(layers)
}

// Load reads a pipeline file, and checks all that can be checked without
// plugins.
func Load(file string, o Options) (*config.Pipeline, error) {
	f, err := config.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parse(f, o)
}

// parse is Load of a file that has been read.
func parse(f config.File, o Options) (*config.Pipeline, error) {
	_, set := config.SplitSet(o.Set)
	return config.LoadPipeline(config.Layers{Files: []config.File{f}, Set: set}, control.Catalog())
}

// Open reads the config, loads the plugins and builds all pipelines. Nothing is
// read and written yet. The error joins everything that is wrong.
func Open(ctx context.Context, o Options) (h *Host, err error) {
	settings, err := Settings(o)
	if err != nil {
		return nil, err
	}
	if o.Admin || o.Revisions {
		if err := mayUse(settings.Data.Dir, o.Instance); err != nil {
			return nil, err
		}
	}
	files, follow := o.Files, o.Follow && len(o.Files) == 0
	if len(files) == 0 {
		if files, err = pipelineFiles(settings.Pipelines.Dir, follow); err != nil {
			return nil, err
		}
	}
	admission, err := Admission(settings)
	if err != nil {
		return nil, err
	}
	engine, err := NewEngine(ctx, settings, o)
	if err != nil {
		return nil, err
	}
	engine.Require(admission)
	h = &Host{Settings: settings, Uncached: engine.Uncached, engine: engine, stores: control.NewStores(settings, o.Env), options: o, process: control.ProcessOf(o.Claimant)}
	if o.Watch {
		if err := engine.Watch(o.Deaths); err != nil {
			return nil, errors.Join(err, engine.Close(ctx))
		}
	}
	var errs []error
	if follow {
		h.folder = newFolder(settings.Pipelines.Dir)
		h.survey(ctx, h.folder.read(files), opening)
	} else {
		for _, file := range files {
			errs = append(errs, h.add(ctx, file))
		}
	}
	if o.Admin {
		errs = append(errs, h.listen())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return h, nil
}

// Budget returns the memory that the guests of a pipeline may have together;
// 0 = no limit is known.
func Budget(s *config.Process) config.Bytes { return control.Budget(s.Memory) }

// patterns are those of the pipeline files in a folder.
func patterns() []string { return []string{"*.yaml", "*.yml"} }

// pipelineFiles lists the pipeline files in a folder. It has to be there, and to have one
// at least, if none may come later.
func pipelineFiles(dir string, later bool) ([]string, error) {
	var files []string
	for _, pattern := range patterns() {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		for _, file := range found {
			if info, err := os.Stat(file); !strings.HasPrefix(filepath.Base(file), ".") && !config.TestFile(file) && !(later && err == nil && info.IsDir()) {
				files = append(files, file)
			}
		}
	}
	if info, err := os.Stat(dir); len(files) == 0 && !(later && err == nil && info.IsDir()) {
		return nil, &stream.Error{
			Code: stream.ConfigMissing, Where: dir, Why: "there is no pipeline file in the pipelines folder",
			Fix: "name one (wasmill run pipeline.yaml), set pipelines.dir, or let wasmill init make a folder with one",
		}
	}
	return files, nil
}

// add opens the pipeline of one file.
func (h *Host) add(ctx context.Context, file string) error {
	f, err := config.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := parse(f, h.options)
	if err != nil {
		return err
	}
	for _, other := range h.Pipelines() {
		if other.Name == c.Name {
			return usedTwice(c, other.File)
		}
	}
	s, err := h.open(ctx, c, f, h.options)
	if err != nil {
		return err
	}
	h.crew.add(s, nil)
	return nil
}

// usedTwice says that the name of a pipeline is that of another one.
func usedTwice(c *config.Pipeline, other string) error {
	return &stream.Error{
		Code: stream.ConfigValue, Where: c.Where("name"), Why: "there is another pipeline with this name in " + other,
		Fix: "give each pipeline a name of its own",
	}
}

// open makes a seat of a config that was read from a file.
func (h *Host) open(ctx context.Context, c *config.Pipeline, f config.File, o Options) (*seat, error) {
	start, err := h.start(c, o)
	if err != nil {
		return nil, err
	}
	want := desired(c)
	asked, err := h.wasAsked(c)
	if err != nil {
		return nil, err
	}
	if asked != "" {
		want.Phase = asked
	}
	p, err := h.build(ctx, c, f.Name, start, want, nil)
	if err != nil {
		return nil, err
	}
	s := newSeat(p, f.Data)
	s.ask(asked)
	return s, nil
}

// builder makes graphs for the pipeline of a file.
func (h *Host) builder(pipeline, file string) *control.Builder {
	o := &h.options
	b := &control.Builder{
		Engine:     h.engine,
		PluginsDir: h.Settings.Plugins.Dir,
		Canary:     h.Settings.Plugins.Canary == config.On,
		Budget:     Budget(h.Settings),
		Lent:       control.Lent{Stdin: o.Stdin, Stdout: o.Stdout, Dir: o.base(file)},
		Native:     o.Native,
		Process:    h.process,
		Events:     h.eventsOf(pipeline),
	}
	if b.Lent.Stdin == nil {
		b.Lent.Stdin = os.Stdin
	}
	if b.Lent.Stdout == nil {
		b.Lent.Stdout = os.Stdout
	}
	return b
}

// build makes a pipeline of a config, with the phase that it is to begin with, and what
// has scaled the generation before, if there was one. Run or Discard has to be called once.
func (h *Host) build(ctx context.Context, c *config.Pipeline, file string, start durable.Start, want phase.Desired, scaling *control.Scaling) (*Pipeline, error) {
	b := h.builder(c.Name, file)
	if scaling == nil {
		scaling = control.NewScaling(c, b.Events)
	}
	b.Wake = scaling.Wake
	graph, err := b.Build(ctx, c)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{Name: c.Name, File: file, Config: c, Scaling: scaling, builder: b, graph: graph, plugins: b.Plugins}
	if c.Checkpoint == nil {
		p.Pipeline, err = pipeline.New(graph, b.Hooks())
	} else {
		p.Durable, err = b.Durable(c, graph, h.stores, start, h.options.Version)
	}
	if err != nil {
		return nil, err
	}
	if p.Durable != nil {
		p.Pipeline = p.Durable.Pipeline
	}
	p.collects()
	var checkpoints phase.Checkpoints
	if p.Durable != nil {
		checkpoints = p.Durable
	}
	p.Phases = phase.New(p.Pipeline, checkpoints, want, nil)
	return p, nil
}

// collects sets what collects the metrics of a pipeline with its config.
func (p *Pipeline) collects() {
	p.collect = []func(*admin.Writer){control.Metrics(p.Config, p.graph, p.Pipeline), control.ScaleMetrics(p.Name, p.Scaling)}
	if p.Durable != nil {
		p.collect = append(p.collect, control.CheckpointMetrics(p.Name, p.Durable))
	}
}

// desired is the phase that a config asks for.
func desired(c *config.Pipeline) phase.Desired {
	return phase.Desired{Phase: phase.Phase(c.Phase), Grace: c.PauseGrace}
}

// run runs the pipeline, from its last checkpoint if it has some.
func (p *Pipeline) run(ctx context.Context) error {
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	p.Scaling.Begin(p.builder, p.Config, p.graph, p.Pipeline)
	var phases sync.WaitGroup
	phases.Go(func() { p.Phases.Run(running) })
	defer phases.Wait()
	defer end()
	control.Warm(p.graph)
	if p.Durable != nil {
		return p.Durable.Run(ctx)
	}
	return p.Run(ctx, nil)
}

// Status is what there is to see of a host.
type Status struct {
	Pipelines []PipelineStatus `json:"pipelines"`
}

// PipelineStatus is Status of a pipeline.
type PipelineStatus struct {
	control.Status
	Config ConfigStatus `json:"config"`
}

// Status may be called at any time.
func (h *Host) Status() Status {
	s := Status{Pipelines: []PipelineStatus{}}
	for _, seat := range h.crew.all() {
		p, c := seat.look()
		s.Pipelines = append(s.Pipelines, PipelineStatus{p.Status(), c})
	}
	for _, r := range h.refused() {
		s.Pipelines = append(s.Pipelines, r.status())
	}
	return s
}

// Status may be called at any time.
func (p *Pipeline) Status() control.Status {
	s := control.StatusOf(p.Config, p.Pipeline)
	s.AddGuests(p.Config, p.graph)
	s.AddScaling(p.Scaling)
	s.PauseStatus = control.PauseStatusOf(p.Phases)
	if p.Durable != nil {
		s.Checkpoint = control.CheckpointStatusOf(p.Durable)
	}
	return s
}

// Pipelines returns the pipelines as they are now, in the order of their files.
func (h *Host) Pipelines() []*Pipeline {
	seats := h.crew.all()
	all := make([]*Pipeline, len(seats))
	for i, s := range seats {
		all[i], _ = s.look()
	}
	return all
}

// Run runs all pipelines until each has ended, and until Drain if pipelines come and
// go; one that fails leaves the others alone. The error joins theirs. When ctx ends
// everything stops at once. It may be called once.
func (h *Host) Run(ctx context.Context) error {
	h.ran = true
	stop := h.serve(context.WithoutCancel(ctx)) // until the last pipeline has ended
	for _, s := range h.crew.all() {
		h.admit(s)
	}
	unfollow := h.follow(ctx)
	err := h.crew.runAll(ctx, h.folder != nil, func(s *seat) error { return h.runSeat(ctx, s) })
	unfollow()
	return errors.Join(err, stop())
}

// Drain ends all sources. Run returns when what they have read is through.
func (h *Host) Drain() { h.crew.drainAll() }

// Close frees what Open made, after Run has returned or instead of it.
func (h *Host) Close(ctx context.Context) error {
	var errs []error
	if !h.ran {
		for _, p := range h.Pipelines() {
			errs = append(errs, p.Discard(ctx))
		}
		if h.server != nil {
			errs = append(errs, h.server.Close())
		}
	}
	return errors.Join(append(errs, h.engine.Close(ctx))...)
}

// NewEngine returns an engine for plugins with the settings of the process, which lets all
// plugins in.
func NewEngine(ctx context.Context, s *config.Process, o Options) (*wasm.Engine, error) {
	e, err := wasm.NewEngine(ctx, s.Cache.Dir, wasm.CompileLimits{
		Command: o.Compiler, Timeout: s.Compile.Timeout, Memory: int64(s.Compile.Memory),
	})
	if err != nil {
		return nil, err
	}
	e.Bound(s.Sandbox.Running)
	return e, nil
}

// CompileMain is what Options.Compiler runs. It returns the exit code.
func CompileMain(ctx context.Context, args []string, in io.Reader, out io.Writer) int {
	return wasm.CompileMain(ctx, args, in, out)
}
