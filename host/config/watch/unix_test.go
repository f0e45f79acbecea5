//go:build unix

package watch

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestWhatIsNoRegularFile: neither a folder nor a named pipe holds a look up.
func TestWhatIsNoRegularFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe.wasm"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	write(t, filepath.Join(dir, "plain"), "one")
	s := start(t, New(heardOnly(
		Target{Path: dir, Pattern: "*.wasm", Large: true},
		Target{Path: filepath.Join(dir, "folder")},
		Target{Path: filepath.Join(dir, "plain"), Pattern: "*"},
	)))
	for path, want := range map[string]stream.Code{"pipe.wasm": stream.PluginName, "folder": stream.ConfigFile} {
		var e *stream.Error
		if f := s.last.Files[filepath.Join(dir, path)]; f.State != Unreadable || !errors.As(f.Err, &e) || e.Code != want {
			t.Errorf("%s is %+v", path, f)
		}
	}
	if f := s.last.Folders[filepath.Join(dir, "plain")]; f.State != Unreadable {
		t.Errorf("a file in place of a folder is %+v", f)
	}
	must(t, os.Remove(filepath.Join(dir, "pipe.wasm")))
	write(t, filepath.Join(dir, "pipe.wasm"), "one")
	s.until(filepath.Join(dir, "pipe.wasm"), Present, "one")
	must(t, os.Remove(filepath.Join(dir, "folder")))
	write(t, filepath.Join(dir, "folder"), "one")
	s.until(filepath.Join(dir, "folder"), Present, "one")
}
