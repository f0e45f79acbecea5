//go:build unix

package file

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// identify returns what tells a file from all others of the machine.
func identify(info fs.FileInfo) (dev, ino uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino) // the types differ by system
	}
	return 0, 0
}

// unlinked says whether an open file has no name any more.
func unlinked(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}

// syncFolder makes the names in a folder durable.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // a file system that keeps names without being asked
	}
	return errors.Join(err, f.Close())
}
