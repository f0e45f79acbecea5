package instance

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// hung is a brief instance whose worker is stopped and whose keeper was killed.
func (p *place) hung() (*Instance, Owner) {
	p.Helper()
	i := p.brief()
	p.goesOn(i)
	return i, p.hang(i)
}

// hang stops the worker of an instance that runs, and kills its keeper.
func (p *place) hang(i *Instance) Owner {
	p.Helper()
	worker, ok := ownerOf(i.path(workerFile))
	if !ok || worker.signal(syscall.SIGSTOP) != nil {
		p.Fatal("there is no worker")
	}
	keeper, ok := ownerOf(i.path(lockFile))
	if !ok || keeper.signal(syscall.SIGKILL) != nil {
		p.Fatal("there is no keeper")
	}
	if !wait(p.Context(), time.Minute, func() bool { return !keeper.alive() }) {
		p.Fatal("the keeper lives")
	}
	return worker
}

// TestInstanceWhoseWorkerHangsIsEndedWithForceOnly has a worker that is stopped, whose keeper is gone.
func TestInstanceWhoseWorkerHangsIsEndedWithForceOnly(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i, worker := p.hung()
	quiet := func(Removed) { t.Error("something is removed") }
	over, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		name string
		try  func() error
		code stream.Code
		says string
	}{
		{"shutdown", func() error { _, err := i.Shutdown(t.Context(), false); return err }, stream.InstanceState, "wasmill shutdown a --force kills it"},
		{"delete", func() error { return i.Delete(t.Context(), false, false, quiet) }, stream.InstanceTimeout, "nothing is deleted: process "},
		{"waiting", func() error { return i.EndOrphan(t.Context(), false, nil) }, stream.InstanceTimeout, "wasmill resume a --force"},
		{"a shutdown with force that is interrupted", func() error { _, err := i.Shutdown(over, true); return err }, stream.InstanceTimeout, "interrupted"},
	} {
		if err := c.try(); stream.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || !worker.alive() {
			t.Errorf("%s: %v; the worker is alive: %v", c.name, err, worker.alive())
		}
	}
	s, err := i.Shutdown(t.Context(), true)
	if stream.CodeOf(err) != stream.InstanceFailed || s.State != Failed || worker.alive() {
		t.Errorf("with force it is %+v, %v", s, err)
	}
	p.goesOn(i)

	worker = p.hang(i)
	told := ""
	if err := i.EndOrphan(t.Context(), true, func(text string) { told = text }); err != nil || worker.alive() || !strings.Contains(told, "for at most 100ms") {
		t.Errorf("told %q, %v; the worker is alive: %v", told, err, worker.alive())
	}
	p.goesOn(i)
	worker = p.hang(i)
	p.goes(i)
	if worker.alive() {
		t.Error("it is deleted, and its worker lives")
	}
}

// TestKeeperDoesNotWaitForEverForAWorkerThatHangs is one of a process that has lost its keeper, and
// does not end.
func TestKeeperDoesNotWaitForEverForAWorkerThatHangs(t *testing.T) {
	for _, c := range []struct {
		name  string
		ended bool // it was told to end meanwhile
		want  State
		says  []string
	}{
		{"it has its time", false, Failed, []string{"has not ended within 100ms", "wasmill resume a --force"}},
		{"it is shut down before", true, Stopped, []string{"not all that was read went through: process ", "has not ended yet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			i := p.brief()
			worker, err := take(i.path(workerFile))
			if err != nil {
				t.Fatal(err)
			}
			defer worker.release()
			ctx, end := context.WithCancel(t.Context())
			defer end()
			k := &keeper{Instance: i, binary: p.binary(), events: KeepEvents{Waits: func(int) {
				if c.ended {
					end()
				}
			}}}
			if err := k.begin(); err != nil {
				t.Fatal(err)
			}
			e, err := k.orphan(ctx)
			err = k.finish(ctx, e, err)
			r, read := i.Record()
			if stream.CodeOf(err) != stream.InstanceTimeout || read != nil || r.State != c.want || r.Exit != stream.ExitEnvironment {
				t.Errorf("kept: %v; it is %+v", errors.Join(err, read), r)
			}
			for _, want := range c.says {
				if !strings.Contains(r.Reason, want) {
					t.Errorf("no %q in %s", want, r.Reason)
				}
			}
		})
	}
}
