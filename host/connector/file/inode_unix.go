//go:build unix

package file

import (
	"io/fs"
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
