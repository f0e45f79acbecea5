package supervise

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"github.com/wasmill/wasmill/host/stream"
)

// Exit is how a worker ended.
type Exit struct {
	Code   int            // one of stream.Exit…, 0 = it ended well; 128 + Signal if one ended it
	Signal syscall.Signal // that ended it; 0 = none did
	Crash  bool           // Go's runtime ended it: a panic or a fatal error
}

// Go's runtime ends a process that panics with 2, which is also stream.ExitInput. So a worker
// that ends of itself with that says refusal, which is EX_CONFIG of sysexits.h, instead.
const (
	crashed = 2
	refusal = 78
)

// WorkerCode is the code that a worker exits with where a process that is not supervised
// exits with code. Run tells the one from the other.
func WorkerCode(code int) int {
	if code == stream.ExitInput {
		return refusal
	}
	return code
}

// exitOf reads the result of waiting for a process.
func exitOf(err error) (Exit, error) {
	exited, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return Exit{}, err
	}
	if w, ok := exited.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return Exit{Code: 128 + int(w.Signal()), Signal: w.Signal()}, nil
	}
	switch code := exited.ExitCode(); code {
	case crashed:
		return Exit{Code: stream.ExitInternal, Crash: true}, nil
	case refusal:
		return Exit{Code: stream.ExitInput}, nil
	default:
		return Exit{Code: code}, nil
	}
}

// String says how it ended, to follow "the worker".
func (e Exit) String() string {
	switch {
	case e.Signal != 0:
		return fmt.Sprintf("was ended by signal %d (%s)", int(e.Signal), e.Signal)
	case e.Crash:
		return "crashed"
	}
	return fmt.Sprintf("exited with %d", e.Code)
}
