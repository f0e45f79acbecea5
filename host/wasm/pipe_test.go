//go:build unix

package wasm

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("a socket cannot be made here: %v", err)
	}
	t.Cleanup(func() { l.Close() })
}

// before is a time before that of a file.
func before(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime().Add(-time.Hour)
}

// TestAPipeThatTakesThePlaceOfAFileDoesNotBlock: openFlags, without the look before.
func TestAPipeThatTakesThePlaceOfAFileDoesNotBlock(t *testing.T) {
	dir := t.TempDir()
	makePipe(t, dir+"/f.wasm")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := root.OpenFile("f.wasm", os.O_RDONLY|openFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := allowed(root, dir+"/f.wasm", info); err == nil {
		t.Error("it is let in")
	}
}

// TestAReadOnlyFolder is one where nothing can be made for that reason. There is not one
// everywhere.
func TestAReadOnlyFolder(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/sys", "/proc/sys", "/proc/bus"} {
		err := os.Mkdir(dir+"/wasmill-test", 0o700)
		if got, want := readOnly(dir), errors.Is(err, syscall.EROFS); got != want {
			t.Errorf("%s: %v, and making something there gives %v", dir, got, err)
		}
		if err == nil {
			if err := os.Remove(dir + "/wasmill-test"); err != nil {
				t.Error(err)
			}
		}
	}
}
