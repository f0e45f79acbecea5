package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

// workCommand is how wasmill calls itself to run the pipeline of an instance.
const workCommand = "instance-work"

func newWork(s stdio) *cobra.Command {
	c := &cobra.Command{
		Use:    workCommand + " NAME",
		Short:  "Run the pipeline of an instance, for its keeper",
		Hidden: true,
		Args:   args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			w, err := i.Work()
			if err != nil {
				return err
			}
			var told atomic.Bool
			err = work(c.Context(), w, s, &told)
			if w.End(err); err != nil {
				report(s, false, err)
				return exitError(supervise.WorkerCode(stream.ExitCode(err)))
			}
			if told.Load() {
				return dieTold()
			}
			return nil
		},
	}
	homeFlag(c)
	return c
}

// dieTold ends the process by SIGTERM, as one does that was told to end: its keeper knows whether
// it has sent that. SIGINT is no such signal, as what a shell starts may ignore it.
func dieTold() error {
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	select {} // until it comes
}

// work runs the pipeline of an instance until it ends, or is told to by a signal.
func work(ctx context.Context, w *instance.Worker, s stdio, told *atomic.Bool) (err error) {
	o, err := w.Options(os.Environ())
	if err != nil {
		return err
	}
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	file, err := w.Log()
	if err != nil {
		return err
	}
	log := newLogger(file, settings.Log)
	slog.SetDefault(log.Logger) // libraries log by package log
	var h *host.Host
	o.Events = func(pipeline string) stream.Events {
		e := log.events(pipeline)
		told := e.PipelineStarted
		e.PipelineStarted = func(name string) {
			told(name)
			boundHeap(settings, h.Pipelines())
		}
		return e
	}
	o.Version, o.Compiler, o.Deaths = versions()["wasmill"], compiler(), deaths
	o.Admin, o.Watch, o.Follow, o.Revisions = true, true, true, true
	o.Stdout, o.Renewed, o.Notice = file, log.renewed, func(text string) { log.Info(safe(text)) }
	if h, err = host.Open(ctx, o); err != nil {
		return err
	}
	ended := true
	defer func() {
		if ended {
			err = errors.Join(err, h.Close(context.WithoutCancel(ctx)))
		}
	}()
	boundHeap(settings, h.Pipelines())
	if err := w.Listens(h.Admin.URL); err != nil {
		return err
	}
	if log.admin(h.Admin); h.Uncached != nil {
		log.Warn("compiled plugins are not kept, so that starting takes longer", "cause", h.Uncached.Error())
	}
	expired, drain := drainer(h, log, settings.Shutdown.Grace)
	defer onEnd(func(why string) { told.Store(true); drain(why) })()
	defer onHangup(func() { _, _ = h.Reload(ctx) })() // errors are told by events
	go func() {
		instance.Orphaned(s.in)
		drain("its keeper is gone")
	}()
	looking, end := context.WithCancel(ctx)
	defer end()
	go w.Report(looking, func() host.Readiness { return h.Readiness()[0] })
	ended, err = runUntil(ctx, h, expired, settings.Shutdown.Grace)
	return err
}

// drainer makes a function that ends the sources, the first time that it is called. expired
// is closed when what they have read has had its time.
func drainer(h *host.Host, log *logger, grace time.Duration) (expired chan struct{}, drain func(why string)) {
	expired = make(chan struct{})
	first := make(chan struct{}, 1)
	return expired, func(why string) {
		select {
		case first <- struct{}{}:
		default:
			return
		}
		log.Info("draining: no more is read, what was read goes through", "cause", why, "grace", grace.String())
		h.Drain()
		time.AfterFunc(grace, func() { close(expired) })
	}
}

// onEnd drains at SIGTERM and SIGINT, each of them: who wants more kills the process. The
// function it returns lets go of the signals.
func onEnd(drain func(why string)) (stop func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-caught:
				drain(sig.String())
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(caught); close(done) }
}
