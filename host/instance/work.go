package instance

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Worker is the process that runs the pipeline of an instance.
type Worker struct {
	*Instance
	lock *lock
}

// Work makes this process the instance's worker. There is one at a time.
func (i *Instance) Work() (*Worker, error) {
	l, err := take(i.path(workerFile))
	if errors.Is(err, errHeld) {
		return nil, &stream.Error{Code: stream.Environment, Where: i.dir, Why: "another worker of the instance has not ended yet", Fix: "wait until it has"}
	}
	if err != nil {
		return nil, fault(err)
	}
	return &Worker{i, l}, nil
}

// options add where the process listens, if no setting says something else.
func (i *Instance) options(env []string) (host.Options, error) {
	o := i.Spec.options(i.PipelineFile(), env)
	settings, err := host.Settings(o)
	o.Instance, o.Claimant = i.Name, i.claimant()
	if err == nil && settings.Admin.Listen == config.ListenAuto {
		o.Set = append(o.Set, "admin.listen="+i.listen())
	}
	return o, err
}

// listen is a socket in the instance's folder, or a free port where its path is too long
// for one.
func (i *Instance) listen() string {
	at := "unix:" + i.path(socketFile)
	if (*new(config.Listen)).UnmarshalText([]byte(at)) != nil {
		return "127.0.0.1:0"
	}
	return at
}

// Listens puts down where the worker can be asked.
func (w *Worker) Listens(url string) error {
	return fault(whole.Replace(w.path(adminFile), []byte(url), 0o600))
}

// Report puts down what look says of readiness, until ctx ends.
func (w *Worker) Report(ctx context.Context, look func() host.Readiness) { report(ctx, w.dir, look) }

// Orphaned returns when the keeper is gone, by in, which it holds the other end of.
func Orphaned(in io.Reader) { _, _ = io.Copy(io.Discard, in) }

// End puts down why the worker ends, nil = as it should.
func (w *Worker) End(err error) {
	if err != nil {
		why := strings.ToValidUTF8(reasons(err), "�")
		_ = os.WriteFile(w.path(errorFile), []byte(why), 0o600) // else the exit code says as much
	}
	w.lock.release()
}

// reasons are those of all errors that are joined, with what to do.
func reasons(err error) string {
	var all []string
	for _, e := range config.Faults(err) {
		all = append(all, e.Error())
	}
	if all == nil {
		return err.Error()
	}
	return strings.Join(all, "\n")
}
