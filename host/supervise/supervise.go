package supervise

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Options say what is supervised.
type Options struct {
	// Start returns the command of the worker, which Run starts and waits for. attempt
	// counts from 1. ctx does not end before Run returns, so that a command that is bound
	// to it is not killed. An error at the first attempt ends Run; later ones are tried again.
	Start func(ctx context.Context, attempt int) (*exec.Cmd, error)
	// Signals are passed on to the worker: such as SIGHUP, and the second SIGTERM after
	// that which the end of ctx is. While there is no worker they are dropped. nil = none come.
	Signals <-chan os.Signal
	Policy  Policy
	Events  Events
}

// Events tell what happens. All are called by the goroutine of Run; nil = nobody listens.
type Events struct {
	Started func(attempt, pid int)
	// Exited says how a worker ended, and whether another one follows, and when.
	Exited func(e Exit, again bool, in time.Duration)
	// Failed says why a worker could not be started, and when that is tried again.
	Failed func(err error, in time.Duration)
	GaveUp func(why string)
}

// Run keeps a worker running until it ends in a way that a restart cannot better, until it
// died too often, which is an error with the code stream.WorkerDied, or until ctx ends: then
// the worker gets SIGTERM and is waited for. It returns how the last worker ended.
func Run(ctx context.Context, o Options) (Exit, error) {
	s := supervisor{policy: o.Policy, events: o.Events, signals: o.Signals}
	return s.run(ctx, func(attempt int) (worker, error) {
		c, err := o.Start(context.WithoutCancel(ctx), attempt)
		if err != nil {
			return nil, err
		}
		bind(c)
		if err := c.Start(); err != nil {
			return nil, err
		}
		return process{c}, nil
	})
}

// worker is a process that runs.
type worker interface {
	pid() int
	signal(os.Signal)
	wait() (Exit, error) // until it has ended; called once
}

// process is a worker of the system.
type process struct{ *exec.Cmd }

func (p process) pid() int            { return p.Process.Pid }
func (p process) signal(s os.Signal)  { _ = p.Process.Signal(s) } // an error = it has ended
func (p process) wait() (Exit, error) { return exitOf(p.Wait()) }

// supervisor is the loop around Policy.next.
type supervisor struct {
	policy  Policy
	events  Events
	signals <-chan os.Signal
}

func (s *supervisor) run(ctx context.Context, start func(attempt int) (worker, error)) (Exit, error) {
	runtime.LockOSThread() // whose end would be the supervisor's for the system
	defer runtime.UnlockOSThread()
	var past state
	var last Exit
	for attempt := 1; ; attempt++ {
		began := time.Now()
		w, failed := start(attempt)
		if failed != nil {
			if attempt == 1 {
				return Exit{}, failed
			}
			last = Exit{Code: stream.ExitEnvironment}
		} else {
			if s.events.Started != nil {
				s.events.Started(attempt, w.pid())
			}
			var err error
			if last, err = s.attend(ctx, w); err != nil {
				return last, err
			}
		}
		now := time.Now()
		var what verdict
		var pause time.Duration
		past, what, pause = s.policy.next(past, last, now.Sub(began), now, rand.Float64())
		restart := what == again && ctx.Err() == nil
		switch {
		case failed != nil && s.events.Failed != nil:
			s.events.Failed(failed, pause)
		case failed == nil && s.events.Exited != nil:
			s.events.Exited(last, restart, pause)
		}
		if what == givenUp && ctx.Err() == nil {
			return last, s.giveUp(last)
		}
		if !restart || !s.pause(ctx, pause) {
			return last, nil
		}
	}
}

func (s *supervisor) giveUp(last Exit) error {
	why := s.policy.why(last)
	if s.events.GaveUp != nil {
		s.events.GaveUp(why)
	}
	return &stream.Error{
		Code: stream.WorkerDied, Why: why,
		Fix: "see in its log what ended it; then start it again",
	}
}

// attend passes signals on until a worker has ended.
func (s *supervisor) attend(ctx context.Context, w worker) (Exit, error) {
	type result struct {
		exit Exit
		err  error
	}
	over := make(chan result, 1)
	go func() {
		exit, err := w.wait()
		over <- result{exit, err}
	}()
	ending := ctx.Done()
	for {
		select {
		case r := <-over:
			return r.exit, r.err
		case <-ending:
			w.signal(syscall.SIGTERM)
			ending = nil
		case sig := <-s.signals:
			w.signal(sig)
		}
	}
}

// pause waits, and says whether ctx has not ended. Signals that come meanwhile are nobody's.
func (s *supervisor) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return ctx.Err() == nil
		case <-ctx.Done():
			return false
		case <-s.signals:
		}
	}
}
