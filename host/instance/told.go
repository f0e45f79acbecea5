package instance

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

// A worker that is told to end by a signal dies by SIGTERM, when what it has read is through
// or before it has read anything. Whether that was asked for the keeper knows, which passes it
// on when its own ctx has ended: else another worker follows.

// asTold is how a worker has ended, as seen by who may have told it to.
func asTold(ctx context.Context, e supervise.Exit) supervise.Exit {
	if ctx.Err() != nil && e.Signal == syscall.SIGTERM {
		return supervise.Exit{}
	}
	return e
}

// unasked says of a worker that was told to end that its keeper has not done so.
func unasked(e supervise.Exit) string {
	if e.Signal == syscall.SIGTERM {
		return ", which no wasmill shutdown has sent"
	}
	return ""
}

// reasonOf is what is wrong, without what to do.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return e.Reason()
	}
	return err.Error()
}

// homeless says that the working folder is gone, which starting a process there does not tell.
func (i *Instance) homeless() error {
	_, err := os.Stat(i.Spec.WorkDir)
	if err == nil {
		return nil
	}
	return &stream.Error{Code: stream.Environment, Where: i.Spec.WorkDir, Why: "the working folder of the instance is gone", Err: err, Fix: "bring it back: the instance was created there, and its settings may have paths relative to it"}
}
