package whole

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

// TestTheDiskIsWaitedFor has a pipe take the place of the file while it is filled: the system
// refuses to wait until that is on a disk, which only who asks for it learns.
func TestTheDiskIsWaitedFor(t *testing.T) {
	f := newFolder(t)
	pipe, other, err := os.Pipe()
	f.must(err)
	defer pipe.Close()
	defer other.Close()
	swap := func(w io.Writer) error { return syscall.Dup3(int(other.Fd()), int(w.(*os.File).Fd()), 0) }
	if err := Fill(f.file, 0o600, swap); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v", err)
	}
	f.must(fleeting().write(f.file, 0o600, swap, os.Rename))
	f.alone()
}
