package wasm

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// archived is an archive, and the file of a plugin that is written over in place.
type archived struct {
	*testing.T
	Archive
	file string
}

func newArchived(t *testing.T, keep int) *archived {
	return &archived{t, Archive{filepath.Join(t.TempDir(), "plugins"), keep}, filepath.Join(t.TempDir(), "p.wasm")}
}

// serve writes a version, which begins to serve.
func (a *archived) serve(content string) (hash string) {
	a.Helper()
	if err := os.WriteFile(a.file, []byte(content), 0o640); err != nil {
		a.Fatal(err)
	}
	hash = fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	if err := a.Serves("p", hash, a.file); err != nil {
		a.Fatal(err)
	}
	return hash
}

// has compares what is listed with contents.
func (a *archived) has(contents ...string) {
	a.Helper()
	all, err := a.Versions("p")
	if err != nil {
		a.Fatal(err)
	}
	var got []string
	for _, v := range all {
		data, err := os.ReadFile(filepath.Join(a.Dir, "p", v.Hash+".wasm"))
		if err != nil || int64(len(data)) != v.Bytes || v.Hash != fmt.Sprintf("%x", sha256.Sum256(data)) || time.Since(v.Began) > time.Hour {
			a.Errorf("%+v: %v", v, err)
		}
		got = append(got, string(data))
	}
	if !slices.Equal(got, contents) {
		a.Errorf("versions %q, want %q", got, contents)
	}
}

func TestAnArchiveKeepsTheVersionsThatServedLast(t *testing.T) {
	a := newArchived(t, 2)
	a.has()
	a.serve("one")
	a.serve("two")
	a.serve("three")
	a.has("three", "two", "one")
	a.serve("one") // again
	a.has("one", "three", "two")
	a.serve("four")
	a.has("four", "one", "three")
	a.serve("four")
	a.has("four", "one", "three")
	a.Keep = 0
	a.serve("five")
	a.has()
}

// TestAClockThatIsSetBackChangesNoOrder has versions that began to serve in an hour.
func TestAClockThatIsSetBackChangesNoOrder(t *testing.T) {
	a := newArchived(t, 1)
	later := time.Now().Add(time.Hour)
	for _, content := range []string{"one", "two"} {
		hash := a.serve(content)
		if err := os.Chtimes(a.Archive.file("p", hash), later, later); err != nil {
			t.Fatal(err)
		}
		later = later.Add(time.Second)
	}
	a.serve("three")
	a.has("three", "two")
	a.serve("two")
	a.has("two", "three")
	a.serve("four")
	a.has("four", "two")
}

// TestAnArchiveTouchesNothingElse has other files in the folder: the source of a plugin,
// what another process writes at the moment, and what one left that died.
func TestAnArchiveTouchesNothingElse(t *testing.T) {
	a := newArchived(t, 0)
	dir := filepath.Join(a.Dir, "p")
	if err := os.MkdirAll(filepath.Join(dir, strings.Repeat("0", 64)+".wasm"), 0o700); err != nil {
		t.Fatal(err)
	}
	living, left := filepath.Join(dir, ".tmp-"+rand.Text()), filepath.Join(dir, ".tmp-"+rand.Text())
	for _, name := range []string{"p.rs", "p.wasm", strings.Repeat("g", 64) + ".wasm", filepath.Base(living), filepath.Base(left)} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(left, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	a.serve("one")
	a.has()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("what a dead process left is there")
	}
}

// TestAFileThatWasReplacedIsNotKeptAsAnother wants the bytes that were loaded.
func TestAFileThatWasReplacedIsNotKeptAsAnother(t *testing.T) {
	a := newArchived(t, 2)
	one := a.serve("one")
	if err := os.WriteFile(a.file, []byte("half of tw"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := a.Serves("p", fmt.Sprintf("%x", sha256.Sum256([]byte("two"))), a.file)
	if stream.CodeOf(err) != stream.PluginFile || !strings.Contains(err.Error(), "another content") {
		t.Errorf("got %v", err)
	}
	a.has("one")
	if left, err := filepath.Glob(filepath.Join(a.Dir, "p", "*")); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
	a.restore(one, "one")
}

func (a *archived) restore(hash, want string) {
	a.Helper()
	if err := a.Restore("p", hash, a.file); err != nil {
		a.Error(err)
	}
	if data, err := os.ReadFile(a.file); err != nil || string(data) != want {
		a.Errorf("restored %q, %v", data, err)
	}
}

func TestAVersionIsPutBackWholeOrNotAtAll(t *testing.T) {
	a := newArchived(t, 2)
	one, two := a.serve("one"), a.serve("two")
	before, err := os.Stat(a.file)
	if err != nil {
		t.Fatal(err)
	}
	a.restore(one, "one")
	after, err := os.Stat(a.file)
	if err != nil || os.SameFile(before, after) || after.Mode() != before.Mode() {
		t.Errorf("it is written in place, or with another mode: %v, %v", after.Mode(), err)
	}
	kept := filepath.Join(a.Dir, "p", two+".wasm")
	if err := os.WriteFile(kept, []byte("tw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.Restore("p", two, a.file); stream.CodeOf(err) != stream.PluginFile {
		t.Errorf("a damaged one: %v", err)
	}
	if err := os.Remove(a.file); err != nil {
		t.Fatal(err)
	}
	a.restore(one, "one") // where nothing is
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(a.file), ".*")); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
