package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Removed is what a deletion has removed.
type Removed struct {
	What    string `json:"what"`
	Where   string `json:"where"`
	Objects int    `json:"objects,omitempty"` // of a store
	Bytes   int64  `json:"bytes"`
	Left    int    `json:"left,omitempty"` // objects below its name, or files and folders in its data, that are not of wasmill, and stay
}

// Delete removes an instance: its checkpoints, in each store that it has had some in, what
// is below its own name and no other's; its data; and its folder with the spec, at last. One
// that runs is not touched without force, with which it drains first. With keep its
// checkpoints stay; without it one is refused whose checkpoints another has claimed, in any of
// its stores. removed is told of each part. If it fails or the process ends, the rest goes
// when it is called again.
func (i *Instance) Delete(ctx context.Context, force, keep bool, removed func(Removed)) error {
	if err := i.quiet(ctx, force); err != nil {
		return err
	}
	l, err := i.take()
	if err != nil {
		return err
	}
	defer l.release()
	i.home.at("locked")
	ledger, err := openLedger(i.dir, nil)
	if err != nil {
		return err
	}
	stores := ledger.read().Stores
	if keep {
		stores = nil
	}
	var o host.Options
	if len(stores) > 0 {
		if o, err = i.Spec.placed(i.Spec.options(i.PipelineFile(), os.Environ())); err == nil {
			err = i.ownClaims(ctx, ledger.read(), o)
		}
		if err != nil {
			return err
		}
	}
	for _, log := range []string{olderLog, logFile} {
		_ = os.Remove(i.path(log)) // so that a full disk has room for the state; else it goes with the rest
	}
	_, err = ledger.move(Lost, lost, nil)
	if err == nil {
		_, err = ledger.move(Delete, "", nil)
	}
	if err != nil {
		return err
	}
	i.home.at("deleting")
	for _, store := range stores {
		p, err := host.Purge(ctx, host.CheckpointsOf{Storage: store, Pipeline: i.Name}, o)
		if err != nil {
			return err
		}
		removed(Removed{What: "checkpoints", Where: store + ", " + i.Name + "/", Objects: p.Objects, Bytes: p.Bytes, Left: p.Left})
		i.home.at("checkpoints deleted")
	}
	if i.owns() {
		r, err := i.empty()
		if err != nil {
			return err
		}
		removed(r)
	}
	i.home.at("data deleted")
	r := Removed{What: "instance", Where: i.dir, Bytes: sizeOf(i.dir)}
	gone := filepath.Join(i.home.Dir, halfGone+i.Name+fmt.Sprint(time.Now().UnixNano()))
	if err := os.Rename(i.dir, gone); err != nil { // from now on there is no such instance
		return fault(err)
	}
	i.home.at("renamed")
	if err := errors.Join(os.RemoveAll(gone), whole.Sync(i.home.Dir)); err != nil {
		return fault(err)
	}
	removed(r)
	sweep(i.home.Dir)
	return nil
}

// Deletable says why Delete would touch nothing.
func (i *Instance) Deletable(force bool) error {
	s, err := i.See()
	if err == nil && s.PID > 0 && s.State.kept() && !force {
		err = i.runs(s)
	}
	return err
}

func (i *Instance) runs(s Seen) error {
	return &stream.Error{
		Code: stream.InstanceState, Where: i.dir, Why: fmt.Sprintf("it is %s, in process %d: nothing is deleted", s.State, s.PID),
		Fix: fmt.Sprintf("wasmill shutdown %[1]s first, or wasmill delete %[1]s --force, which lets it drain", i.Name),
	}
}

// quiet makes sure that nothing of the instance runs.
func (i *Instance) quiet(ctx context.Context, force bool) error {
	s, err := i.See()
	if err != nil {
		return err
	}
	if s.PID > 0 && s.State.kept() {
		if !force {
			return i.runs(s)
		}
		if s, err := i.Shutdown(ctx, true); err != nil && s.PID > 0 {
			return err
		}
	}
	err = i.EndOrphan(ctx, force, nil)
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return &stream.Error{Code: e.Code, Where: e.Where, Why: "nothing is deleted: " + e.Reason(), Fix: e.Fix}
	}
	return err
}
