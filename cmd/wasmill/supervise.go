package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/supervise"
)

// workerFlag tells a process that it is the worker of a supervisor, and which attempt: it
// leaves SIGINT to that, as a terminal sends it to both, and says by its exit code what is
// the user's input to mend.
const workerFlag = "worker"

// deaths is how many times a worker has to die in calls of a plugin before that is in
// quarantine.
const deaths = 3

// workFlags say how a run is one of others that are started and ended by a program.
type workFlags struct {
	supervise bool
	worker    int    // the attempt, from 1; 0 = nobody supervises
	instance  string // the background instance that it is; empty = none
}

func (w *workFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&w.supervise, "supervise", false, "run in a child process, which is started again when it has died")
	f.IntVar(&w.worker, workerFlag, 0, "")
	f.StringVar(&w.instance, "instance", "", "")
	for _, name := range []string{workerFlag, "instance"} {
		f.Lookup(name).Hidden = true
	}
}

// apply puts what the flags say into options.
func (w *workFlags) apply(o *host.Options) {
	o.Instance = w.instance
	if w.worker > 0 {
		o.Deaths = deaths
		signal.Ignore(os.Interrupt)
	}
}

// signals are those that end a run.
func (w *workFlags) signals() []os.Signal {
	if w.worker > 0 {
		return []os.Signal{syscall.SIGTERM} // which the supervisor makes of SIGINT
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM}
}

// exitCode is the code that a command line ends the process with.
func exitCode(c *cobra.Command, code int) int {
	if f := c.Flags().Lookup(workerFlag); f != nil && f.Changed {
		return supervise.WorkerCode(code)
	}
	return code
}

// superviseRun runs this command line in child processes, one after the other.
func superviseRun(c *cobra.Command, f *flags, s stdio, start *startFlags) error {
	if start.from != "" || start.fresh {
		return usageError(c, "--fresh and --from are for one start, and with --supervise there may be many: run once without it, and then with it and without them")
	}
	settings, err := host.Settings(f.options(nil, s))
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	log := newLogger(s.err, settings.Log)
	ctx, signals, last, stop := passedOn(c.Context())
	defer stop()
	exit, err := supervise.Run(ctx, supervise.Options{
		Start: func(ctx context.Context, attempt int) (*exec.Cmd, error) {
			worker := exec.CommandContext(ctx, exe, append([]string{"--" + workerFlag + "=" + strconv.Itoa(attempt)}, os.Args[1:]...)...)
			worker.Stdin, worker.Stdout, worker.Stderr = s.in, s.out, s.err
			return worker, nil
		},
		Signals: signals,
		Policy:  supervise.DefaultPolicy(),
		Events:  log.supervised(),
	})
	switch {
	case err != nil && exit == supervise.Exit{}:
		return err // no worker was ever started
	case exit.Signal == 0 && exit.Code == exitOf(syscall.SIGTERM) && last() == os.Interrupt:
		return exitError(exitOf(os.Interrupt)) // that it was told of as SIGTERM
	case exit.Code != 0:
		return exitError(exit.Code) // all is said
	}
	return nil
}

// passedOn returns a context that the first signal to end ends, and the signals that come
// besides it. SIGINT is passed on as SIGTERM. last is the last that was caught, once stop has
// been called or nothing is passed on any more.
func passedOn(parent context.Context) (ctx context.Context, signals <-chan os.Signal, last func() os.Signal, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	caught, passed := make(chan os.Signal, 8), make(chan os.Signal, 8)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done, ended := make(chan struct{}), make(chan struct{})
	var ending os.Signal
	go func() {
		defer close(ended)
		for {
			select {
			case sig := <-caught:
				switch {
				case sig == syscall.SIGHUP:
				case ending == nil:
					ending = sig
					cancel()
					continue
				default:
					ending, sig = sig, syscall.SIGTERM
				}
				select {
				case passed <- sig:
				default: // so many wait that one more says nothing new
				}
			case <-done:
				return
			}
		}
	}()
	halt := func() {
		select {
		case <-done:
		default:
			signal.Stop(caught)
			close(done)
		}
		<-ended
	}
	return ctx, passed, func() os.Signal { halt(); return ending }, func() { halt(); cancel() }
}

// supervised returns the callbacks of a supervisor.
func (l *logger) supervised() supervise.Events {
	return supervise.Events{
		Started: func(attempt, pid int) { l.Info("the worker is started", "attempt", attempt, "pid", pid) },
		Exited: func(e supervise.Exit, again bool, in time.Duration) {
			switch {
			case again:
				l.Warn("the worker has died and is started again", "how", e.String(), "in", in.Round(time.Millisecond).String())
			case e.Code != 0:
				l.Error("the worker has ended and is not started again", "how", e.String(), "exit", e.Code)
			default:
				l.Info("the worker has ended", "how", e.String())
			}
		},
		Failed: func(err error, in time.Duration) {
			l.Error("the worker cannot be started; that is tried again", "cause", err.Error(), "in", in.Round(time.Millisecond).String())
		},
		GaveUp: func(why string) { l.Error("given up", "why", why) },
	}
}
