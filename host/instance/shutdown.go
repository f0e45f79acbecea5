package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// margin is what a shutdown takes at most beyond shutdown.grace.
const margin = 10 * time.Second

// killTime is the time after which a process that was killed is taken to be stuck in the system.
const killTime = 5 * time.Second

// leaveTime is the time after which a keeper that has nothing left to do but to put down how
// it ended, and to let go of the lock, is taken not to go by itself: a shutdown by force kills
// it, and who wants the instance is told who has it.
const leaveTime = 5 * time.Second

// Shutdown lets an instance drain, and returns when nothing of it runs. It is an error if it
// does not run, or if it has not drained: it may run on then, or be stopped. With force
// it is killed when its time is over, which is shutdown.grace and some seconds, and not
// before; so is a worker that has lost its keeper, also if that is all that runs.
func (i *Instance) Shutdown(ctx context.Context, force bool) (Seen, error) {
	s, err := i.See()
	if err != nil {
		return s, err
	}
	keeper, ok := ownerOf(i.path(lockFile))
	if !ok && s.Worker > 0 && force {
		if err := i.EndOrphan(ctx, true, nil); err != nil {
			return s, err
		}
		return i.drained()
	}
	if !ok || !s.State.kept() {
		return s, i.notRunning(s)
	}
	if err := keeper.signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return s, &stream.Error{Code: stream.Environment, Where: i.dir, Why: fmt.Sprintf("process %d cannot be told to end", keeper.PID), Err: err, Fix: "do it as the user that it runs as"}
	}
	grace := i.grace()
	gone := func() bool { return !keeper.alive() }
	if !wait(ctx, grace, gone) {
		if err := i.overdue(ctx, keeper, force, grace); err != nil {
			s, _ := i.See()
			return s, err
		}
	}
	if force {
		if err := i.EndOrphan(ctx, true, nil); err != nil { // that the keeper waited for
			return s, err
		}
	}
	return i.drained()
}

// drained is how the instance is, now that nothing of it runs: it is an error if it has not
// drained.
func (i *Instance) drained() (Seen, error) {
	s, err := i.See()
	if err != nil {
		return s, err
	}
	r, err := i.Record()
	if err == nil && (s.State != Stopped || r.Exit != 0) {
		err = &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: fmt.Sprintf("it is %s, and did not drain: %s", s.State, s.Reason), Fix: "wasmill resume " + i.Name + " goes on from its last checkpoint"}
	}
	return s, err
}

// grace is the time that a shutdown may take.
func (i *Instance) grace() time.Duration {
	grace := 25 * time.Second // the usual one
	if settings, err := host.Settings(i.Spec.options(i.PipelineFile(), os.Environ())); err == nil {
		grace = settings.Shutdown.Grace
	}
	return grace + cmp.Or(i.home.margin, margin)
}

// overdue ends what has not ended in time, if that is allowed: first the worker, so that the
// keeper can put down what has become of it.
func (i *Instance) overdue(ctx context.Context, keeper Owner, force bool, grace time.Duration) error {
	if ctx.Err() != nil || !force {
		why := fmt.Sprintf("it was told to end, and has not after %v", grace)
		if ctx.Err() != nil {
			why = "the waiting was interrupted: it was told to end, and has not yet"
		}
		return &stream.Error{
			Code: stream.InstanceTimeout, Where: i.dir, Why: why,
			Fix: fmt.Sprintf("wasmill logs %[1]s says what it waits for; wasmill shutdown %[1]s --force kills it", i.Name),
		}
	}
	for _, o := range []func() (Owner, bool){
		func() (Owner, bool) { return ownerOf(i.path(workerFile)) },
		func() (Owner, bool) { return keeper, keeper.alive() },
	} {
		if process, ok := o(); ok {
			if err := i.kill(process); err != nil {
				return err
			}
		}
		if wait(ctx, leaveTime, func() bool { return !keeper.alive() }) {
			return nil
		}
	}
	return nil
}

func (i *Instance) notRunning(s Seen) error {
	why := fmt.Sprintf("it is not running: it is %s", s.State)
	if s.Reason != "" {
		why += ", as " + s.Reason
	}
	fix := fmt.Sprintf("wasmill resume %[1]s lets it go on, wasmill delete %[1]s removes it", i.Name)
	if s.Worker > 0 {
		fix = fmt.Sprintf("wasmill resume %[1]s waits for process %[2]d to end, and then lets it go on; if that hangs, wasmill shutdown %[1]s --force kills it when it had its time", i.Name, s.Worker)
	}
	if s.State == Deleting {
		fix = "wasmill delete " + i.Name + " goes on with that"
	}
	return &stream.Error{Code: stream.InstanceState, Where: i.dir, Why: why, Fix: fix}
}
