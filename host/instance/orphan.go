package instance

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

// An orphan is a worker that has lost its keeper. It drains and ends by itself, within the time
// that a shutdown may take; one that does not hangs, such as after SIGSTOP.

// orphan waits for the instance's orphan, as of two workers one would be fenced. The error says
// that it has not ended in its time, or before ctx does.
func (k *keeper) orphan(ctx context.Context) (supervise.Exit, error) {
	o, ok := ownerOf(k.path(workerFile))
	if !ok {
		return supervise.Exit{}, nil
	}
	if k.events.Waits != nil {
		k.events.Waits(o.PID)
	}
	grace := k.grace()
	switch {
	case wait(ctx, grace, func() bool { return !k.works(o) }):
		if ctx.Err() == nil {
			_, _ = k.ledger.move(Restart, "", nil) // it does not wait any more, which the next state says, too
		}
		return supervise.Exit{}, nil
	case ctx.Err() != nil:
		return supervise.Exit{Code: stream.ExitEnvironment}, &stream.Error{Code: stream.InstanceTimeout, Where: k.dir, Why: lives(o) + " yet", Fix: "wasmill resume " + k.Name + " waits for it"}
	}
	return supervise.Exit{Code: stream.ExitEnvironment}, k.hangs(o, grace)
}

// works says whether a process is still the worker.
func (i *Instance) works(o Owner) bool {
	now, ok := ownerOf(i.path(workerFile))
	return ok && now == o
}

// hangs says that an orphan has not ended in its time.
func (i *Instance) hangs(o Owner, grace time.Duration) error {
	return &stream.Error{
		Code: stream.InstanceTimeout, Where: i.dir,
		Why: fmt.Sprintf("%s within %v; wasmill resume %[3]s --force or wasmill shutdown %[3]s --force kills it, if it does not after as long again", lives(o), grace, i.Name),
		Fix: "see what it does, with wasmill diagnostics " + i.Name,
	}
}

// toDrain says what is waited for.
func toDrain(o Owner, grace time.Duration) string {
	return fmt.Sprintf("process %d, a worker that has lost its keeper, to let through what it has read, for at most %v", o.PID, grace)
}

func lives(o Owner) string {
	return fmt.Sprintf("process %d, a worker that has lost its keeper, has not ended", o.PID)
}

// EndOrphan waits for a worker that has lost its keeper to end, for the time that a shutdown may
// take. With force it is killed then, and not before; what it has read and not let through is
// read again from the last checkpoint. waits is told of the process; nil = nobody listens.
// Without such a worker nothing is done.
func (i *Instance) EndOrphan(ctx context.Context, force bool, waits func(text string)) error {
	o, ok := ownerOf(i.path(workerFile))
	if _, kept := ownerOf(i.path(lockFile)); !ok || kept {
		return nil
	}
	grace := i.grace()
	if waits != nil {
		waits("waits for " + toDrain(o, grace))
	}
	switch {
	case wait(ctx, grace, func() bool { return !i.works(o) }):
		return nil
	case ctx.Err() != nil:
		return &stream.Error{Code: stream.InstanceTimeout, Where: i.dir, Why: "the waiting was interrupted: " + lives(o) + " yet", Fix: "try again, and wait longer"}
	case !force:
		return i.hangs(o, grace)
	}
	return i.kill(o)
}

// kill ends a process that had its time.
func (i *Instance) kill(o Owner) error {
	_ = o.signal(syscall.SIGKILL) // it has ended, or is found to live on
	if !wait(context.Background(), killTime, func() bool { return !o.alive() }) {
		return &stream.Error{Code: stream.Environment, Where: i.dir, Why: fmt.Sprintf("process %d does not end, although it was killed", o.PID), Fix: "it is stuck in the system, such as in a disk that does not answer: mend that"}
	}
	return nil
}
