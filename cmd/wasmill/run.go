package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/notify"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

func newRun(f *flags, s stdio) *cobra.Command {
	var quiet, follow bool
	var start startFlags
	var work workFlags
	c := &cobra.Command{
		Use:   "run [PIPELINE…]",
		Short: "Run pipelines in the foreground until their sources end",
		Long: `run runs the pipelines of the files named, or of all files in the pipelines
folder. It ends when all sources have ended. SIGINT or SIGTERM ends the sources
and lets what they have read through, for shutdown.grace at most, after which
the error says what was stuck; a second one stops at once.

Pipeline files and plugins are followed while it runs: a change is checked, and put
in force if all of it can be, or else refused and told, and everything goes on as
it was. wasmill plan says what a change takes, wasmill revisions what was in force.
SIGHUP looks at once; --follow=false takes no changes but by that.

Without files named, pipelines come and go with the files of the folder: a new one
begins, one whose file is gone for some seconds lets through what it has read and
ends, with its data kept, and one whose file is broken does not run until it is
mended. None of that concerns the others, and the process waits for files until it
is told to end. With --follow=false all files have to be right, and it ends when all
sources have.

Records go to sinks, which may be standard output. Progress, logs, errors and
the result of --json go to standard error: a live table on a terminal, JSON
lines elsewhere. Health, metrics and status are served where admin.listen says,
and the first line says where that is.

A pipeline with checkpoints goes on from its newest one: what was read before it
is not read again. If a part of the checkpoint does not fit the pipeline, it does
not start, unless --allow-dropped-state lets go of it; wasmill checkpoint restore
tells what fits.

--from goes on from another checkpoint: EPOCH, one of its own; or others,
STORAGE[?pipeline=NAME][#EPOCH], such as a copy or those of another pipeline.
Without a name they are those of a pipeline with the same one, without an epoch
it is their newest. They are not changed, and the next checkpoint goes where the
pipeline's own are.

--fresh begins with nothing: all checkpoints of the pipelines are deleted. It says
how many there are and asks; where there is no terminal it needs --yes.

--supervise runs all of that in a child process, the worker, and starts it again when
it has died, half a second later and later each time, up to a minute: by a signal that it did not
expect, by a crash of Go's runtime, or with an exit code that says that another start
may help (1, 3). It gives up when it died 11 times within 10 minutes, but for 3, which it tries
for ever. A plugin that was in a call at three deaths is in quarantine: the worker ends
with an error that names it. Signals are passed on, and the exit code is the last worker's.

A data.dir of a background instance is refused: wasmill resume runs that.

The exit code is 2 if what was given cannot run, 3 if the store or the machine
failed, or too many checkpoints in a row, and 4 if another process has taken the
pipeline over.`,
		Example: `  wasmill run examples/access-log/pipeline.yaml
  wasmill run pipeline.yaml --from 42
  wasmill run pipeline.yaml --from 's3://bucket/backup?pipeline=access-log-2#42'
  wasmill run pipeline.yaml --fresh --yes
  wasmill run pipeline.yaml --supervise`,
		RunE: func(c *cobra.Command, files []string) error {
			defer reap(c.Context())()
			if work.supervise && work.worker == 0 {
				return superviseRun(c, f, s, &start)
			}
			return runPipelines(c, f, s, files, &start, &work, quiet, follow)
		},
	}
	start.add(c)
	work.add(c)
	c.Flags().BoolVar(&follow, "follow", true, "take changes of pipeline files and plugins while running")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "no progress and no summary")
	return c
}

func runPipelines(c *cobra.Command, f *flags, s stdio, files []string, start *startFlags, work *workFlags, quiet, follow bool) (err error) {
	ctx := c.Context()
	o := f.options(files, s)
	work.apply(&o)
	if err := start.apply(c, &o); err != nil {
		return err
	}
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	service, err := notify.Open()
	if err != nil {
		return err
	}
	log := newLogger(s.err, settings.Log)
	var h *host.Host
	o.Events = func(pipeline string) stream.Events {
		e := log.events(pipeline)
		told := e.PipelineStarted
		e.PipelineStarted = func(file string) {
			told(file)
			boundHeap(settings, h.Pipelines())
		}
		return e
	}
	o.Renewed, o.Admin, o.Watch, o.Follow, o.Revisions = log.renewed, true, true, follow, true
	o.Notice = func(text string) { log.Info(safe(text)) }
	slog.SetDefault(log.Logger) // libraries log by package log
	h, err = host.Open(ctx, o)
	if err != nil {
		return err
	}
	ended := true
	defer func() {
		if ended {
			err = errors.Join(err, h.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := start.check(ctx, c, h, o, s, log, f.json); err != nil {
		return err
	}
	boundHeap(settings, h.Pipelines())

	grace := settings.Shutdown.Grace
	expired := make(chan struct{})
	defer onSignals(func(sig os.Signal) {
		service.Stopping()
		log.draining(sig, grace)
		h.Drain()
		time.AfterFunc(grace, func() { close(expired) })
	}, work.signals()...)()
	defer onHangup(func() { service.Reload(func() { _, _ = h.Reload(ctx) }) })() // errors are told by events
	defer serveManager(ctx, service, h)()
	progress := newProgress(s, h, log, f.json)
	progress.live = progress.live && !writesTo(h, "stdout")
	stop := func() {}
	if !quiet {
		stop = progress.start(500 * time.Millisecond)
	}
	defer stop()
	if h.Uncached != nil {
		log.Warn("compiled plugins are not kept, so that starting takes longer", "cause", h.Uncached.Error())
	}
	if !quiet && !f.json {
		log.admin(h.Admin)
	}
	ended, err = runUntil(ctx, h, expired, grace)
	service.Stopping()
	stop()
	progress.warnLost()
	switch {
	case err != nil:
		progress.early()
	case !quiet || f.json:
		progress.summary()
	}
	return err
}

// reap takes in what becomes a child of this process in a container, until the function that
// it returns is called.
func reap(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var reaping sync.WaitGroup
	reaping.Go(func() { supervise.Reap(ctx) })
	return func() {
		cancel()
		reaping.Wait()
	}
}

// abortTime is how long a run that was aborted may take to end.
const abortTime = 2 * time.Second

// runUntil runs a host, and aborts it when expired is closed, grace after
// draining began. It returns false if the run does not end even then, as
// something is stuck in what nothing can interrupt.
func runUntil(ctx context.Context, h *host.Host, expired <-chan struct{}, grace time.Duration) (ended bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	select {
	case err := <-done:
		return true, err
	case <-expired:
	}
	stuck := h.Stuck(grace)
	cancel()
	select {
	case err := <-done:
		if err == nil { // it had ended
			return true, nil
		}
		return true, stuck
	case <-time.After(abortTime):
		return false, stuck
	}
}

// writesTo says whether a pipeline has a sink of a kind.
func writesTo(h *host.Host, kind string) bool {
	for _, p := range h.Pipelines() {
		if hasSink(p.Config, kind) {
			return true
		}
	}
	return false
}

func hasSink(c *config.Pipeline, kind string) bool {
	for _, v := range c.Vertices {
		if v.Sink != nil && v.Sink.Kind == kind {
			return true
		}
	}
	return false
}

// onSignals drains at the first signal and ends the process at the second: what
// is in the way then may be a system call that nothing can interrupt. The
// function it returns lets go of the signals.
func onSignals(drain func(os.Signal), signals ...os.Signal) (stop func()) {
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, signals...)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case sig := <-caught:
				if n > 0 {
					os.Exit(exitOf(sig))
				}
				drain(sig)
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(caught); close(done) }
}

// onHangup calls reload at each SIGHUP, until the function it returns is called.
func onHangup(reload func()) (stop func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-caught:
				reload()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(caught); close(done) }
}

// exitOf is the exit code of a process that a signal ended.
func exitOf(sig os.Signal) int {
	if n, ok := sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 1
}

// humanBytes prints a number of bytes with a unit.
func humanBytes(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; n >= 1024 && i < len(units)-1; i++ {
		n /= 1024
	}
	return fmt.Sprintf("%.4g %s", n, units[i])
}

// humanCount prints a number with thousands apart.
func humanCount(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
