//go:build unix

package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

func TestErrorsOfTheMachineSayWhatToDo(t *testing.T) {
	path := func(errno syscall.Errno) error { return &fs.PathError{Op: "openat", Path: "a/b", Err: errno} }
	for _, c := range []struct {
		err  error
		want stream.Code
		fix  string
	}{
		{path(syscall.EACCES), stream.StoreDenied, "chown"},
		{path(syscall.EPERM), stream.StoreDenied, "chown"},
		{path(syscall.EROFS), stream.StoreDenied, "mount"},
		{path(syscall.ENOSPC), stream.StoreUnavailable, "free space"},
		{path(syscall.EDQUOT), stream.StoreUnavailable, "quota"},
		{path(syscall.EIO), stream.StoreUnavailable, "dmesg"},
		{path(syscall.ESTALE), stream.StoreUnavailable, "dmesg"},
		{path(syscall.ENOENT), stream.StoreUnavailable, "bring it back"},
		{path(syscall.ENOTDIR), stream.StoreMisconfigured, "checkpoint.storage"},
		{path(syscall.EISDIR), stream.StoreMisconfigured, "checkpoint.storage"},
		{&linkError{&os.LinkError{Op: "linkat", Old: "a", New: "b", Err: syscall.EPERM}}, stream.StoreNotAtomic, "hard links"},
		{&linkError{&os.LinkError{Op: "linkat", Old: "a", New: "b", Err: syscall.ENOSPC}}, stream.StoreUnavailable, "free space"},
	} {
		err := explain("/the/folder", "store a/b", c.err)
		var e *stream.Error
		if !errors.As(err, &e) || e.Code != c.want || !strings.Contains(e.Fix, c.fix) || !errors.Is(err, c.err) || !strings.Contains(err.Error(), "/the/folder") {
			t.Errorf("%v becomes %v, want %s with a fix about %q", c.err, err, c.want, c.fix)
		}
		if stream.ExitCode(err) != stream.ExitEnvironment {
			t.Errorf("%v: exit code %d", c.err, stream.ExitCode(err))
		}
	}
	for err, want := range map[error]error{
		path(syscall.EEXIST):                          checkpoint.ErrExists,
		fmt.Errorf("copy: %w", context.Canceled):      context.Canceled,
		fs.ErrClosed:                                  fs.ErrClosed,
		fmt.Errorf("x: %w", context.DeadlineExceeded): context.DeadlineExceeded,
	} {
		if got := explain("/the/folder", "store a/b", err); !errors.Is(got, want) {
			t.Errorf("%v becomes %v, want %v", err, got, want)
		}
	}
}
