package whole

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestATemporaryNameIsToldFromOthers(t *testing.T) {
	f := newFolder(t)
	var name string
	f.must(Fill(f.file, 0o600, func(w io.Writer) error {
		name = filepath.Base(w.(*os.File).Name())
		return nil
	}))
	if ok, err := filepath.Match(Temporaries, name); !Temporary(name) || !ok || err != nil {
		t.Errorf("%q is not known", name)
	}
	for _, other := range []string{"", ".tmp-", ".tmp-1", ".tmp-" + strings.ToLower(rand.Text()), "x.tmp-" + rand.Text(), ".tmp-" + rand.Text() + ".txt", ".tmp-" + rand.Text() + "\n", "f"} {
		if Temporary(other) {
			t.Errorf("%q is taken for one", other)
		}
	}
}

func TestWhatADeadWriterHasLeftGoes(t *testing.T) {
	dir := t.TempDir()
	dead, living, inside := prefix+rand.Text(), prefix+rand.Text(), prefix+rand.Text()
	if err := os.Mkdir(filepath.Join(dir, inside), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{dead: 2 * abandoned, living: abandoned / 2, "notes": 2 * abandoned, prefix + "notes": 2 * abandoned, inside: 2 * abandoned} {
		path, at := filepath.Join(dir, name), time.Now().Add(-age)
		if name != inside {
			if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{living, inside, "notes", prefix + "notes"}
	if slices.Sort(want); err != nil || !slices.Equal(left, want) {
		t.Errorf("left are %q, %v, want %q", left, err, want)
	}
	if err := Sweep(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
