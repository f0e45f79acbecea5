//go:build unix

package dir

import (
	"errors"
	"os"
	"syscall"
)

const nonBlocking = syscall.O_NONBLOCK

// syncFolder makes the names in a folder durable, and closes it.
func syncFolder(f *os.File, sync func(*os.File) error) error {
	err := sync(f)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // a file system that keeps names without being asked
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool  { return errors.Is(err, syscall.EROFS) }
func isFolder(err error) bool    { return errors.Is(err, syscall.EISDIR) }
func isNotFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
