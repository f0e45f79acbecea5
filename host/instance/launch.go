package instance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// answerFile is the descriptor at which a keeper answers who launched it.
const answerFile = 3

// answer is what a keeper says once: that it has the instance, or why not.
type answer struct {
	Begun bool
	Why   []reason
}

// reason is an error, as one process tells it to another.
type reason struct {
	Code            stream.Code
	Where, Why, Fix string
}

// Launch starts the keeper of an instance in the background, in a session of its own, and
// returns when that has the instance: it starts then, and goes on whatever becomes of this
// process. An error is why it does not start. env is the environment, of which the saved
// settings replace those of the process.
func (i *Instance) Launch(ctx context.Context, env []string) error {
	if err := i.startable(); err != nil {
		return err
	}
	if err := i.ours(); err != nil {
		return err
	}
	return i.launch(ctx, env)
}

// launch starts the command of a keeper, with some more arguments, and hears its answer.
func (i *Instance) launch(ctx context.Context, env []string, more ...string) error {
	hear, say, err := os.Pipe()
	if err != nil {
		return fault(err)
	}
	defer hear.Close()
	log, err := os.OpenFile(i.LogFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fault(errors.Join(err, say.Close()))
	}
	command := append(append(slices.Clone(i.home.Keeper), i.Name), more...)
	c := exec.Command(command[0], command[1:]...) // without ctx, as it outlives it
	c.Dir, c.Env, c.Stdout, c.Stderr = i.Spec.WorkDir, i.Spec.environ(env), log, log
	c.ExtraFiles = []*os.File{say}
	keepFiles()
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.Start()
	_, _ = say.Close(), log.Close()
	if err != nil {
		if gone := i.homeless(); gone != nil {
			return gone
		}
		return fault(err)
	}
	go func() { _ = c.Wait() }() // nothing of it stays, while this process runs
	heard := make(chan error, 1)
	go func() { heard <- i.hear(hear) }()
	select {
	case err := <-heard:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keepFiles lets no file go to those that this process starts but what they are given: what
// it has from its caller, such as a lock of a shell or a pipe that somebody reads to its end,
// would be held for as long as the instance runs.
func keepFiles() {
	open, _ := os.ReadDir("/dev/fd") // without it they are held
	for _, f := range open {
		if n, err := strconv.Atoi(f.Name()); err == nil && n > 2 {
			syscall.CloseOnExec(n)
		}
	}
}

// startable says what can be said without a keeper of why one would not take the instance.
func (i *Instance) startable() error {
	r, err := i.Record()
	switch {
	case err != nil:
		return err
	case r.State == Deleting:
		return i.deleting()
	}
	if _, ok := ownerOf(i.path(lockFile)); ok && r.State.kept() { // else it is about to go, which take waits for
		return i.busy("another process has it")
	}
	return nil
}

// hear reads the answer of a keeper.
func (i *Instance) hear(from io.Reader) error {
	var a answer
	if err := json.NewDecoder(from).Decode(&a); err != nil {
		return &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: "its process ended before it had the instance", Fix: "wasmill logs " + i.Name + " says why; then resume or delete it"}
	}
	var errs []error
	for _, r := range a.Why {
		errs = append(errs, &stream.Error{Code: r.Code, Where: r.Where, Why: r.Why, Fix: r.Fix})
	}
	return errors.Join(errs...)
}

// tell answers who launched this keeper, if somebody waits for that.
func tell(err error) {
	to := os.NewFile(answerFile, "answer")
	if to == nil {
		return
	}
	defer to.Close()
	a := answer{Begun: err == nil}
	for _, e := range config.Faults(err) {
		a.Why = append(a.Why, reason{e.Code, e.Where, e.Reason(), e.Fix})
	}
	if err != nil && a.Why == nil {
		a.Why = []reason{{Code: stream.CodeOf(err), Why: err.Error()}}
	}
	_ = json.NewEncoder(to).Encode(a) // nobody has to wait
}
