package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// take takes the lock. It is tried for a moment, as who looks may have it (see held), and
// for longer where nobody is to have it: a keeper that has put down how it ended is about to
// go.
func (i *Instance) take() (l *lock, err error) {
	for began, tries := time.Now(), 0; ; tries++ {
		if l, err = take(i.path(lockFile)); errors.Is(err, fs.ErrNotExist) {
			return nil, i.home.unknown(i.Name) // it was deleted meanwhile
		}
		if !errors.Is(err, errHeld) {
			return l, fault(err)
		}
		r, err := i.Record()
		if tries >= 5 && (err != nil || r.State.kept() || time.Since(began) > leaveTime) {
			return nil, i.busy("another process has it")
		}
		time.Sleep(lookEvery)
	}
}

// busy says that a process has the instance.
func (i *Instance) busy(why string) error {
	if o, ok := ownerOf(i.path(lockFile)); ok {
		why = fmt.Sprintf("it is in the hands of process %d", o.PID)
		if r, err := i.Record(); err == nil {
			why = fmt.Sprintf("it is %s, in process %d", r.State, o.PID)
		}
	}
	return &stream.Error{Code: stream.InstanceState, Where: i.dir, Why: why, Fix: "wasmill status " + i.Name + " shows it; wasmill shutdown " + i.Name + " ends it"}
}
