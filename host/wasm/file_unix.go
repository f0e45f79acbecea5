//go:build unix

package wasm

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a named pipe from blocking, and a terminal from becoming ours.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

// ours says whether a file belongs to the user of the process, or to root.
func ours(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && (s.Uid == 0 || s.Uid == uint32(os.Geteuid()))
}

// readOnly says whether a folder is on a file system that nobody can write to, as it is
// mounted here.
func readOnly(dir string) bool {
	const write = 2 // W_OK of access(2)
	return errors.Is(syscall.Access(dir, write), syscall.EROFS)
}
