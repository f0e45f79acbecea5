package file

import (
	"context"
	"os"
	"time"
)

// followed is one file of a follower.
//
// It is idle when its end was reached, and asleep until it changes. It is lost
// when its path stands for another file or for none, final when nothing more
// is to be expected, and it is closed when final and read to its end.
type followed struct {
	*input
	seen      int64     // size up to which it was read, given out or not
	idle      bool      // seen was the end
	final     bool      // nothing will be appended
	was       string    // the path that a rename took it from, until it was idle
	lostSince time.Time // zero while its path stands for it
}

// lost says whether its path does not stand for it.
func (f *followed) lost() bool { return !f.lostSince.IsZero() }

// is says whether a file on disk is this one.
func (f *followed) is(info os.FileInfo) bool { return os.SameFile(f.info, info) }

// wakes says whether there is something new to read in an idle file, and
// whether that is because the file was truncated: it then starts again.
func (f *followed) wakes() (wakes, truncated bool, err error) {
	info, err := f.file.Stat()
	switch {
	case err != nil:
		return false, false, f.readError(err)
	case info.Size() == f.seen:
		return false, false, nil
	case info.Size() < f.seen || !f.isOf(f.file):
		f.restart()
		f.seen = 0
		return info.Size() > 0, true, nil
	}
	return true, false, nil
}

// sleep waits for a time, or for ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
