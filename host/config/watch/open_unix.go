//go:build unix

package watch

import (
	"os"
	"syscall"
)

// openFile opens a file to read. A named pipe does not block it.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
