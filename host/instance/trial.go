package instance

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// trialRestarts is how often a worker is started again that dies before an upgrade is through.
const trialRestarts = 2

// trial is an upgrade whose end is not settled. It passes or fails, once: whatever comes
// later changes nothing. A nil one has passed.
type trial struct{ result atomic.Int32 }

const (
	open int32 = iota
	passed
	failed
)

// passes says that it has passed, unless it has failed.
func (t *trial) passes() bool {
	return t == nil || t.result.CompareAndSwap(open, passed) || t.result.Load() == passed
}

// fails says that it has failed, unless it has passed.
func (t *trial) fails() bool {
	return t != nil && (t.result.CompareAndSwap(open, failed) || t.result.Load() == failed)
}

// late ends an upgrade whose time is over.
func (k *keeper) late(within time.Duration) {
	if !k.trial.fails() {
		return
	}
	why := fmt.Sprintf("it was not ready within %v", within)
	if r := readiness(k.dir); r != nil && Missing(r) != "" {
		why += ": " + Missing(r)
	}
	k.ends(&stream.Error{Code: stream.InstanceTimeout, Where: k.dir, Why: fmt.Sprintf("the upgrade to %s has failed: %s", k.binary, why), Fix: k.resumes(k.Spec.binary())})
}

// failed is the reason of an instance whose upgrade has failed.
func (k *keeper) failed(why string) string {
	return fmt.Sprintf("the upgrade to %s has failed; %s\n%s", k.binary, k.resumes(k.Spec.binary()), why)
}

// named puts down that the instance runs with this binary, now that it has.
func (k *keeper) named() error {
	if k.Spec.binary() == k.binary {
		return nil
	}
	spec := k.Spec // which others read
	spec.Binary = k.binary
	if err := writeJSON(filepath.Join(k.dir, specFile), spec); err != nil {
		return fault(err)
	}
	k.home.at("named")
	return nil
}

// ours refuses an instance that runs with another version of wasmill.
func (i *Instance) ours() error {
	was, now := i.Spec.binary(), i.home.binary()
	if was.kin(now) != other {
		return nil
	}
	back := i.resumes(was)
	return &stream.Error{
		Code: stream.InstanceVersion, Where: i.dir, Why: fmt.Sprintf("it runs with wasmill %s, and this is %s", was.Version, now.Version),
		Fix: fmt.Sprintf("wasmill upgrade %s lets this one take over; or %s", i.Name, back),
	}
}
