package wasm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// drop puts a plugin into a folder, with a mode.
func drop(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, abitest.Identity(), 0o600), os.Chmod(path, mode))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// link makes a symbolic link.
func link(t *testing.T, to, path string) string {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsNoPluginFileIsRefusedByName(t *testing.T) {
	e, dir := newEngine(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	good := drop(t, in("good.wasm"), 0o644)
	outside := drop(t, filepath.Join(t.TempDir(), "outside.wasm"), 0o600)
	if err := errors.Join(os.Mkdir(in("folder.wasm"), 0o700), os.Mkdir(in("open"), 0o700)); err != nil {
		t.Fatal(err)
	}
	makePipe(t, in("pipe.wasm"))
	makeSocket(t, in("socket.wasm"))
	exposed := drop(t, in("open/f.wasm"), 0o600)
	if err := os.Chmod(in("open"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(in("open/source"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(in("through/inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	drop(t, in("through/inner/f.wasm"), 0o600)
	if err := os.Chmod(in("through"), 0o777); err != nil {
		t.Fatal(err)
	}
	const links = "relative links inside of it are followed"
	tests := []struct {
		name, path string
		code       stream.Code
		why, fix   string
	}{
		{"a link to an absolute path", link(t, good, in("absolute.wasm")), stream.PluginName, "is a symbolic link out of its folder", links},
		{"a link to another folder", link(t, "../"+filepath.Base(filepath.Dir(outside))+"/outside.wasm", in("away.wasm")), stream.PluginName, "is a symbolic link out of its folder", links},
		{"a link that leads out over another", link(t, "away.wasm", in("over.wasm")), stream.PluginName, "is a symbolic link out of its folder", links},
		{"a link to nothing", link(t, "nothing", in("nothing.wasm")), stream.PluginName, "is a symbolic link to nothing", links},
		{"a link to itself", link(t, "circle.wasm", in("circle.wasm")), stream.PluginName, "is a symbolic link in a circle", links},
		{"a folder", in("folder.wasm"), stream.PluginName, "is a directory, not a regular file", "put the .wasm file itself there"},
		{"a named pipe", in("pipe.wasm"), stream.PluginName, "is a named pipe, not a regular file", "put the .wasm file itself there"},
		{"a link to a named pipe", link(t, "pipe.wasm", in("piped.wasm")), stream.PluginName, "is a named pipe, not a regular file", "put the .wasm file itself there"},
		{"a socket", in("socket.wasm"), stream.PluginName, "is a socket, not a regular file", "put the .wasm file itself there"},
		{"a device", "/dev/zero", stream.PluginName, "is a device, not a regular file", "put the .wasm file itself there"},
		{"a file that everybody can write", drop(t, in("open.wasm"), 0o666), stream.PluginName, "can be written by everybody on this machine", "chmod o-w " + in("open.wasm")},
		{"a file in a folder that everybody can write to", exposed, stream.PluginName, "is in a folder in which everybody on this machine can put files (" + in("open") + ")", "chmod o-w " + in("open")},
		{"a link into a folder that everybody can write to", link(t, "open/f.wasm", in("into.wasm")), stream.PluginName, "is in a folder in which everybody on this machine can put files (" + in("open") + ")", "chmod o-w " + in("open")},
		{"a link through a folder that everybody can write to", link(t, "through/inner/f.wasm", in("inner.wasm")), stream.PluginName, "is in a folder in which everybody on this machine can put files (" + in("through") + ")", "chmod o-w " + in("through")},
		{"a file that is not there", in("goood.wasm"), stream.PluginNotFound, "there is no such plugin", "holds absolute, away, circle, folder, good"},
		{"a plugin that is not built", in("open/source.wasm"), stream.PluginNotFound, "there is no such plugin", "wasmill build " + in("open/source")},
		{"a plugin in the plugins folder above", in("sub/plugins/good.wasm"), stream.PluginNotFound, "there is no such plugin", "add --plugins " + in(".")},
		{"a file in a folder that is not there", in("none/f.wasm"), stream.PluginNotFound, "does not exist", "--plugins"},
		{"a file in what is no folder", filepath.Join(good, "f.wasm"), stream.PluginNotFound, "is a file, not a plugins folder", "name the folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := e.Load(t.Context(), tt.path, DefaultLimits())
			_, _, hashed := HashOf(tt.path)
			for _, err := range []error{err, hashed} {
				var got *stream.Error
				if !errors.As(err, &got) || got.Code != tt.code || got.Where != tt.path || !strings.Contains(got.Why, tt.why) || !strings.Contains(got.Fix, tt.fix) {
					t.Errorf("got %v,\nwant %s of %s: …%s…, fix: …%s…", err, tt.code, tt.path, tt.why, tt.fix)
				}
			}
		})
	}
	small := DefaultLimits()
	small.PluginBytes = 100
	if _, err := e.Load(t.Context(), good, small); stream.CodeOf(err) != stream.PluginTooLarge {
		t.Errorf("got %v for a file over the limit", err)
	}
}

func TestANameIsNeverAPath(t *testing.T) {
	dir := t.TempDir()
	for name, why := range map[string]string{
		"../x":                        "is not a plain file name",
		"/etc/x":                      "is not a plain file name",
		"a/b":                         "is not a plain file name",
		`a\b`:                         "is not a plain file name",
		"":                            "is not a plain file name",
		".wasm":                       "is not a plain file name",
		".hidden":                     "is not a plain file name",
		"..":                          "is not a plain file name",
		"x\n":                         "characters that are not to be seen",
		"x\x00":                       "characters that are not to be seen",
		"x\x1b[31m":                   "characters that are not to be seen",
		"x\u202egnp":                  "characters that are not to be seen", // from right to left
		"x\u200b":                     "characters that are not to be seen", // of no width
		"x\xff":                       "characters that are not to be seen",
		strings.Repeat("x", 251):      "is longer than 250 bytes",
		strings.Repeat("long/", 9999): "is not a plain file name",
	} {
		_, err := File(dir, name)
		var got *stream.Error
		if !errors.As(err, &got) || got.Code != stream.PluginName || !strings.Contains(got.Why, why) || got.Fix == "" || len(got.Where) > 300 || strings.ContainsAny(got.Where, "\x00\n\x1b\u202e") {
			t.Errorf("name %.20q: got %v, want …%s…", name, err, why)
		}
	}
	for _, name := range []string{"good", "good.wasm", strings.Repeat("x", 250), "größe 2"} {
		if path, err := File(dir, name); err != nil || path != filepath.Join(dir, strings.TrimSuffix(name, Ext)+Ext) {
			t.Errorf("name %.20q: got %s, %v", name, path, err)
		}
	}
}

// TestLinksInsideOfTheFolderAreFollowed: what Kubernetes makes of a ConfigMap, and what it
// does when that changes.
func TestLinksInsideOfTheFolderAreFollowed(t *testing.T) {
	real := t.TempDir()
	dir := link(t, real, filepath.Join(t.TempDir(), "plugins")) // where the folder is, is the user's own choice
	drop(t, filepath.Join(dir, "..2026_01", "f.wasm"), 0o644)
	link(t, "..2026_01", filepath.Join(dir, "..data"))
	path := link(t, "..data/f.wasm", filepath.Join(dir, "f.wasm"))
	before, _, err := HashOf(path)
	if err != nil {
		t.Fatal(err)
	}
	other := drop(t, filepath.Join(dir, "..2026_02", "f.wasm"), 0o644)
	if err := os.WriteFile(other, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link(t, "..2026_02", filepath.Join(dir, "..data_tmp")), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	if after, _, err := HashOf(path); err != nil || after == before {
		t.Errorf("%s, and then %s, %v", before, after, err)
	}
}

func TestAFileThatChangesWhileItIsReadIsNotTaken(t *testing.T) {
	path := drop(t, filepath.Join(t.TempDir(), "f.wasm"), 0o600)
	for name, change := range map[string]func() error{
		"it grows":           func() error { return os.Truncate(path, 1000) },
		"it shrinks":         func() error { return os.Truncate(path, 10) },
		"it is written anew": func() error { return os.Chtimes(path, before(t, path), before(t, path)) },
	} {
		f, info, err := openFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := rested(f, path, info, info.Size(), nil); err != nil {
			t.Errorf("%s: before that it is %v", name, err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if err := rested(f, path, info, info.Size(), nil); stream.CodeOf(err) != stream.PluginChanged {
			t.Errorf("%s: got %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhoCanPutFilesIntoAFolder(t *testing.T) {
	is := func(b bool) func() bool { return func() bool { return b } }
	for _, tt := range []struct {
		name           string
		mode           fs.FileMode
		ours, readOnly bool
		exposed        bool
	}{
		{"one of its owner's", fs.ModeDir | 0o755, false, false, false},
		{"one of a group's", fs.ModeDir | 0o775, false, false, false},
		{"one of everybody's", fs.ModeDir | 0o777, true, false, true},
		{"one as /tmp, with a file of our own", fs.ModeDir | fs.ModeSticky | 0o777, true, false, false},
		{"one as /tmp, with a file of another", fs.ModeDir | fs.ModeSticky | 0o777, false, false, true},
		{"a ConfigMap", fs.ModeDir | 0o777, false, true, false},
	} {
		if got := exposed(tt.mode, tt.ours, is(tt.readOnly)); got != tt.exposed {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
