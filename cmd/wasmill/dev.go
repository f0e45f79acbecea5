package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

func newDev(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "dev [DIR | NAME]",
		Short: "Build a plugin at each edit, and show what it makes of records",
		Long: `dev builds the plugin whose source is in the working directory, or in DIR, or of that NAME
in the plugins folder, runs the pipeline beside it, NAME.yaml, and shows what its vertex
emits: ten records a second at most, of more a fair sample. What the sinks standard output
would get is not shown.

At each edit of a source it builds again, as wasmill build does, and the new version is
swapped into the pipeline while that runs. If that cannot be, it says why, and the last
good one goes on. An edit of the pipeline is put in force, too. Checkpoints go to a folder
that is deleted at the end: those of the pipeline are not looked at. Folders that are new
in DIR are looked at from the next start on.

` + projectHelp + `

^C ends it. With --json each line is an object, with event: built, failed, running,
record, changed, refused, log, or ended.`,
		Example: `  wasmill dev plugins/shout
  cd plugins/shout && wasmill dev`,
		Args: args(0, 1, "at most one folder"),
		RunE: func(c *cobra.Command, a []string) error {
			p, o, settings, err := projectArg(f, s, a)
			if err != nil {
				return err
			}
			b, done, err := newBuilder(c.Context(), settings, o, "")
			if err != nil {
				return err
			}
			d := &developing{options: o, project: p, builder: b, tell: &devPrinter{out: s.out, notes: s.err, json: f.json}, again: make(chan struct{}, 1)}
			return errors.Join(d.run(c.Context()), done())
		},
	}
}

// tapRate is how many records dev shows in a second, and lookEvery how often it looks for them.
const (
	tapRate   = 10
	lookEvery = 100 * time.Millisecond
)

// developing is one call of dev.
type developing struct {
	options host.Options
	project *project.Project
	builder *project.Builder
	tell    *devPrinter
	again   chan struct{} // holds one if there is reason to try to run the pipeline
	good    bool          // there was a good build; of the goroutine that builds
}

// run builds, and runs the pipeline each time that there is reason to, until ctx ends or the
// process is told to end.
func (d *developing) run(ctx context.Context) error {
	ctx, end := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer end()
	watching := make(chan error, 1)
	dev := project.Dev{Project: d.project, Build: d.build, Edited: d.tryAgain}
	go func() { watching <- dev.Run(ctx) }()
	for {
		select {
		case <-d.again:
			if err := d.runPipeline(ctx); err != nil && ctx.Err() == nil {
				d.tell.failed("", err)
			}
		case err := <-watching:
			if ctx.Err() != nil { // it was told to end
				return nil
			}
			return err
		}
	}
}

// build builds once and tells what came of it.
func (d *developing) build(ctx context.Context) {
	built, err := d.builder.Build(ctx, d.project)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		d.tell.failed(built.Output, err)
		return
	}
	d.tell.built(built)
	d.good = true
	d.tryAgain()
}

// tryAgain has the pipeline run, if it does not and there is a plugin.
func (d *developing) tryAgain() {
	if !d.good {
		return
	}
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// runPipeline runs the pipeline until it ends, or ctx does.
func (d *developing) runPipeline(ctx context.Context) (err error) {
	checkpoints, err := os.MkdirTemp("", "wasmill-dev-*")
	if err != nil {
		return &stream.Error{Code: stream.Environment, Where: os.TempDir(), Why: "no folder can be made for checkpoints", Err: err, Fix: "name a folder that this user may write to with TMPDIR"}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(checkpoints)) }()
	o := d.options
	o.Files = []string{d.project.Pipeline()}
	o.Stdout, o.Follow = io.Discard, true
	o.Set = append(slices.Clone(o.Set), "checkpoint.storage=file://"+checkpoints) // so that every edit can be put in force
	o.Events = d.tell.events
	h, err := host.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	p := h.Pipelines()[0]
	vertex, err := d.vertex(p.Config)
	if err != nil {
		return err
	}
	tap, err := h.Observe(p.Name, admin.TapQuery{Vertex: string(vertex), Rate: tapRate, Bytes: admin.UsualTapBytes})
	if err != nil {
		return err
	}
	defer tap.Close()
	d.tell.running(p.Name, vertex)
	running, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(running) }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	stop, late := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case <-look.C:
			d.tell.records(tap)
		case <-stop:
			h.Drain()
			stop, late = nil, time.After(abortTime)
		case <-late:
			abort()
		case err := <-ended:
			<-time.After(2 * lookEvery) // until the last sample is over
			d.tell.records(tap)
			select {
			case <-d.again: // for an edit that it has taken while it ran
			default:
			}
			if err == nil && ctx.Err() == nil {
				d.tell.ended()
			}
			return err
		}
	}
}

// vertex is the one that has the plugin.
func (d *developing) vertex(c *config.Pipeline) (stream.VertexID, error) {
	for _, v := range c.Vertices {
		if v.UDF != nil && v.UDF.Plugin == d.project.Name {
			return v.Name, nil
		}
	}
	return "", &stream.Error{
		Code: stream.ConfigMissing, Where: d.project.Pipeline(), Why: "no vertex has the plugin " + d.project.Name, Fix: fmt.Sprintf("add one such as - {name: %[1]s, udf: {plugin: %[1]s}}", d.project.Name),
	}
}
