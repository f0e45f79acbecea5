package instance

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

// KeepEvents tell what a keeper does. All may be nil.
type KeepEvents struct {
	Moved  func(from, to State, reason string)
	Waits  func(worker int)      // for a worker that lost its keeper, a process, to end
	Other  func(was, now Binary) // this one has it instead of the one that it ran with
	Exited func(how string, again bool, in time.Duration)
}

// keeper is the process that has an instance while it runs.
type keeper struct {
	*Instance
	ledger *ledger
	events KeepEvents
	binary Binary          // this one
	trial  *trial          // whether it stays with this one; nil = that is settled
	ends   func(why error) // the worker drains, and the keeper ends after it
	policy supervise.Policy
	looks  sync.WaitGroup // of the goroutine that looks whether the worker is ready
	unlook func()         // ends that; nil = there is none
}

// Keep has the instance until its worker has ended for good, or ctx ends, when the worker
// drains. SIGHUP is passed on to the worker. It answers who launched this process. The error
// is why the instance was not taken, or what failed.
//
// within > 0 makes it the end of an upgrade: if not all is ready within that time, or no
// worker can run, the instance ends, and goes on with the binary that it ran with before.
func (i *Instance) Keep(ctx context.Context, within time.Duration, e KeepEvents) error {
	l, err := i.take()
	if err != nil {
		tell(err)
		return err
	}
	defer l.release()
	i.home.at("locked")
	ctx, ends := context.WithCancelCause(ctx)
	defer ends(nil)
	k := &keeper{Instance: i, events: e, policy: supervise.DefaultPolicy(), binary: i.home.binary(), ends: ends}
	if within > 0 {
		k.trial, k.policy.Most = &trial{}, trialRestarts
	}
	if err := k.begin(); err != nil {
		tell(err)
		return err
	}
	i.home.at("starting")
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	tell(nil)
	context.AfterFunc(ctx, func() { _, _ = k.ledger.move(Drain, "it was told to end", nil) }) // else finish does
	if k.trial != nil {
		defer time.AfterFunc(within, func() { k.late(within) }).Stop()
	}
	if e, err := k.orphan(ctx); err != nil || ctx.Err() != nil {
		return k.finish(ctx, e, err)
	}
	exit, err := supervise.Run(ctx, supervise.Options{Start: k.worker, Signals: hangups, Policy: k.policy, Events: supervise.Events{
		Started: k.started, Exited: func(e supervise.Exit, again bool, in time.Duration) { k.exited(asTold(ctx, e), again, in) },
		Failed: func(err error, in time.Duration) { k.left("its worker cannot be started: "+reasonOf(err), true, in) },
	}})
	return k.finish(ctx, exit, err)
}

// begin moves the instance to its start.
func (k *keeper) begin() (err error) {
	if k.ledger, err = openLedger(k.dir, k.events.Moved); err != nil {
		return err
	}
	if _, err := k.ledger.move(Lost, lost, nil); err != nil {
		return err
	}
	if k.ledger.read().State == Deleting {
		return k.deleting()
	}
	if k.trial == nil {
		if err := k.ours(); err != nil {
			return err
		}
	}
	if err := host.OwnData(k.Spec.Data, k.Name); err != nil {
		return err
	}
	if was := k.Spec.binary(); was.kin(k.binary) != same && k.events.Other != nil {
		k.events.Other(was, k.binary)
	}
	k.clear()
	reason := ""
	if o, ok := ownerOf(k.path(workerFile)); ok {
		reason = "it waits for " + toDrain(o, k.grace())
	}
	_, err = k.ledger.move(Start, reason, func(r *Record) { r.Binary = &k.binary })
	return err
}

// lost is the reason of an instance whose keeper is gone.
const lost = "its process was gone: killed, or with the machine"

func (i *Instance) deleting() error {
	return &stream.Error{Code: stream.InstanceState, Where: i.dir, Why: "its deletion has begun, and parts of it are gone", Fix: "wasmill delete " + i.Name + " goes on with that"}
}

// clear removes what the last worker said.
func (k *keeper) clear() {
	for _, name := range []string{readyFile, adminFile, errorFile} {
		_ = os.Remove(k.path(name))
	}
}

// worker makes the command of a worker. It ends when its standard input does, which this
// process holds open as long as it lives.
func (k *keeper) worker(context.Context, int) (*exec.Cmd, error) {
	// Before the first one, too: a worker that had lost its keeper said more while it ended.
	k.clear()
	if err := k.homeless(); err != nil {
		return nil, err
	}
	if c, err := host.Load(k.PipelineFile(), k.Spec.options(k.PipelineFile(), os.Environ())); err == nil { // else the worker says what is wrong
		if err := k.ledger.stores(k.Spec.storeOf(c)); err != nil {
			return nil, err
		}
	}
	command := append(slices.Clone(k.home.Worker), k.Name)
	c := exec.Command(command[0], command[1:]...)
	if own, err := os.Executable(); err == nil && own == command[0] {
		c.Path = itself(own)
	}
	c.Env, c.Dir = k.Spec.environ(os.Environ()), k.Spec.WorkDir
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	_, err := c.StdinPipe() // closed by Wait
	return c, err
}

// started looks from now on whether the worker is ready.
func (k *keeper) started(int, int) {
	k.home.at("worker started")
	ctx, cancel := context.WithCancel(context.Background())
	k.unlook = cancel
	k.looks.Go(func() {
		for {
			if r := readiness(k.dir); r != nil && r.Ready {
				if !k.trial.passes() {
					return
				}
				err := k.named() // before who waits sees that it is ready
				if err == nil {
					_, err = k.ledger.move(Ready, "", func(now *Record) { now.Revision = r.Revision })
					k.home.at("ready")
				}
				if err == nil { // else the disk may be mended
					return
				}
			}
			if !pause(ctx, lookEvery) {
				return
			}
		}
	})
}

// exited is told how a worker has ended.
func (k *keeper) exited(e supervise.Exit, again bool, in time.Duration) {
	k.unlook()
	k.looks.Wait()
	k.left(exited(e), again, in)
}

// left says that there is no worker now.
func (k *keeper) left(how string, again bool, in time.Duration) {
	if k.events.Exited != nil {
		k.events.Exited(how, again, in)
	}
	if again {
		_, _ = k.ledger.move(Restart, followed(how, k.said()), nil) // it is told by the next state
	}
}

// finish puts down how it has ended.
func (k *keeper) finish(ctx context.Context, e supervise.Exit, failed error) error {
	e = asTold(ctx, e)
	end := ending{e, failed, k.said()}
	put := func(r *Record) {
		r.Exit = e.Code
		r.Revision = max(r.Revision, k.revision())
	}
	for _, name := range []string{readyFile, adminFile} {
		_ = os.Remove(k.path(name))
	}
	var err error
	switch {
	case ctx.Err() != nil:
		_, first := k.ledger.move(Drain, "", nil) // if it has not, before ctx was seen to end
		_, second := k.ledger.move(Drained, "", put)
		k.home.at("drained")
		_, third := k.ledger.move(End, end.drained(context.Cause(ctx)), nil)
		err = errors.Join(first, second, third)
	case failed == nil && e.Code == 0:
		if k.trial.passes() {
			err = k.named()
		}
		_, ended := k.ledger.move(End, "its sources have ended", put)
		err = errors.Join(err, ended)
	default:
		why := end.why()
		if k.trial.fails() {
			why = k.failed(why)
		}
		_, err = k.ledger.move(Fail, why, put)
	}
	k.home.at("ended")
	return errors.Join(err, failed)
}

// revision is the newest that is kept, 0 = none.
func (k *keeper) revision() uint64 {
	settings, err := host.Settings(k.Spec.options(k.PipelineFile(), os.Environ()))
	if err != nil {
		return 0
	}
	r, _, _ := host.Revisions(settings, k.Name).Newest() // for information only
	return uint64(r.Number)
}
