package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// Upgrade lets this binary take over an instance from the one that it runs with. It is
// refused, and nothing is touched, unless this one can run it: see Check, which a process of
// its own does, where the paths in settings lead to what they are of. Then the instance drains,
// with a last checkpoint, and this one goes on from there. That it runs with this one is put
// down when it is ready. If that is not within the time given it ends, drained, and
// the error says how it goes on with the binary before.
//
// Whatever becomes of this process, the instance can be resumed, upgraded or deleted: once
// this binary's keeper has it, that ends the upgrade. progress is told what is waited for.
func (i *Instance) Upgrade(ctx context.Context, env []string, within time.Duration, progress func(string)) (Seen, error) {
	was, now := i.Spec.binary(), i.home.binary()
	s, err := i.upgradable(was, now)
	if err == nil {
		err = i.launch(ctx, env, "--check")
	}
	if err != nil {
		return s, err
	}
	i.home.at("checked")
	if s.PID > 0 {
		progress("drains " + was.String())
		_, err := i.Shutdown(ctx, false)
		if err != nil && stream.CodeOf(err) != stream.InstanceState { // else it has ended by itself
			return s, i.notDrained(was, err)
		}
	}
	i.home.at("drained by upgrade")
	if err := i.launch(ctx, env, "--check"); err != nil { // what has been stored since
		return s, i.notBegun(now, was, err)
	}
	progress("starts " + now.String())
	if err := i.launch(ctx, env, "--upgrade", within.String()); err != nil {
		return s, i.notBegun(now, was, err)
	}
	i.home.at("launched")
	return i.taken(ctx, within, was, now, progress)
}

// upgradable refuses what need not be upgraded, and what another command has in its hands.
func (i *Instance) upgradable(was, now Binary) (Seen, error) {
	s, err := i.See()
	switch {
	case err != nil:
		return s, err
	case s.State == Deleting:
		return s, i.deleting()
	case was.kin(now) == same:
		fix := "run the upgrade with the binary that is to take over"
		if s.PID == 0 {
			fix = "wasmill resume " + i.Name + " lets it go on; to change to another binary, run the upgrade with that"
		}
		return s, &stream.Error{Code: stream.InstanceVersion, Where: i.dir, Why: fmt.Sprintf("it runs with this binary already, %s: there is nothing to do", now), Fix: fix}
	case s.State == Pausing || s.State == Stopping:
		return s, i.busy("another command ends it")
	case s.PID > 0 && s.Upgrade != nil:
		return s, i.busy("an upgrade to " + s.Upgrade.Version + " is under way")
	}
	return s, nil
}

// Check says why this binary would not run the instance, in its working folder: its pipeline,
// with settings and plugins, and its newest checkpoint. o has what is not of the spec. It
// changes nothing. The answer goes to who launched this process, too.
func (i *Instance) Check(ctx context.Context, o host.Options) error {
	mine, err := i.options(os.Environ())
	if err == nil {
		mine.Compiler, mine.Version, mine.Native = o.Compiler, o.Version, o.Native
		err = opened(ctx, mine, func(h *host.Host, p *host.Pipeline) error { return h.Readable(ctx, p) })
	}
	tell(err)
	return err
}

// taken waits until the keeper has ended the upgrade.
func (i *Instance) taken(ctx context.Context, within time.Duration, was, now Binary, progress func(string)) (Seen, error) {
	grace := i.grace()
	waiting, cancel := context.WithTimeout(ctx, within+grace)
	defer cancel()
	told := ""
	for {
		s, err := i.again()
		switch {
		case err != nil:
			return s, err
		case s.Binary.kin(now) == same && (s.Ready || s.State == Stopped):
			return s, nil
		case s.Binary.kin(now) == same && s.State == Failed:
			return s, &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: fmt.Sprintf("it is upgraded to %s, and has failed since: %s", now, s.Reason), Fix: "mend that, then wasmill resume " + i.Name}
		case !s.State.kept():
			return s, &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: fmt.Sprintf("the upgrade to %s has failed, and nothing of it runs: it is %s, as %s", now, s.State, s.Reason), Fix: i.resumes(was)}
		case s.Progress != nil && s.State == Starting && Missing(s.Progress) != told:
			if told = Missing(s.Progress); told != "" {
				progress(told)
			}
		}
		if pause(waiting, lookEvery) {
			continue
		}
		if ctx.Err() != nil {
			return s, &stream.Error{
				Code: stream.InstanceTimeout, Where: i.dir, Why: fmt.Sprintf("the waiting was interrupted: it is %s, with %s, which goes on with the upgrade, and ends it if it is not ready in time", s.State, now),
				Fix: "wasmill status " + i.Name + " shows what comes of it",
			}
		}
		s, _ = i.Shutdown(ctx, true) // it had its time to drain; what is killed is what fails to do so
		return s, &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: fmt.Sprintf("the upgrade to %s has failed: it was not ready within %v, and did not drain within %v. It is %s", now, within, grace, s.State), Fix: i.resumes(was)}
	}
}

// again is See of what the spec says by now.
func (i *Instance) again() (Seen, error) {
	now, err := i.home.Open(i.Name)
	if err != nil {
		return Seen{Name: i.Name}, err
	}
	return now.See()
}

// notDrained says that the binary before has not let go in good order.
func (i *Instance) notDrained(was Binary, err error) error {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok {
		return err
	}
	return &stream.Error{Code: e.Code, Where: e.Where, Why: "it is not upgraded: " + e.Reason(), Fix: i.resumes(was) + ", when it has ended; then try again"}
}

// notBegun says that this binary's keeper does not have the instance, which has been shut
// down.
func (i *Instance) notBegun(now, was Binary, err error) error {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok {
		return err
	}
	return &stream.Error{Code: e.Code, Where: e.Where, Why: fmt.Sprintf("%s does not take it over: %s", now, e.Reason()), Fix: e.Fix + "; " + i.resumes(was)}
}
