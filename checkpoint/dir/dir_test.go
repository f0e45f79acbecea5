package dir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/host/stream"
)

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	store := open(t, folder)
	if err := store.Create(t.Context(), "a/b/created", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "a/put", []byte("x")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(filepath.Dir(folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if err == nil && info.Mode() != want {
			t.Errorf("%s has mode %s, want %s", path, info.Mode(), want)
		}
		seen++
		return err
	})
	if err != nil || seen != 7 {
		t.Errorf("%d files and folders, want 7 (two of them new above): %v", seen, err)
	}
}

func TestFoldersGoWithTheirLastObject(t *testing.T) {
	folder := t.TempDir()
	store := open(t, folder)
	for _, name := range []string{"p/gen/1/a", "p/gen/1/b", "p/gen/2/a", "p/x"} {
		if err := store.Put(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		remove string
		want   string
	}{
		{"p/gen/1/a", ".tmp p p/gen p/gen/1 p/gen/1/b p/gen/2 p/gen/2/a p/x"},
		{"p/gen/1/b", ".tmp p p/gen p/gen/2 p/gen/2/a p/x"},
		{"p/gen/2/a", ".tmp p p/x"},
		{"p/x", ".tmp"},
	} {
		if err := store.Delete(t.Context(), c.remove); err != nil {
			t.Fatal(err)
		}
		if got := tree(t, folder); got != c.want {
			t.Errorf("without %s there is\n%s, want\n%s", c.remove, got, c.want)
		}
	}
}

func TestNothingOfOthersIsTouched(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "of somebody else")
	folder := t.TempDir()
	store := open(t, folder)
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(folder, "file-link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "notes with spaces.txt"), "kept")
	write(t, filepath.Join(folder, ".hidden"), "kept")
	for _, name := range []string{"link/secret", "file-link"} {
		if data, err := store.Get(t.Context(), name); err == nil {
			t.Errorf("get %s gives %q", name, data)
		}
	}
	if err := store.Put(t.Context(), "link/new", []byte("x")); err == nil {
		t.Error("a put through a link was taken")
	}
	if err := store.Create(t.Context(), "file-link", []byte("x")); err == nil {
		t.Error("a create over a link was taken")
	}
	store.Delete(t.Context(), "link/secret")
	for o, err := range store.List(t.Context(), "") {
		t.Errorf("listed: %v, %v", o, err)
	}
	if got := tree(t, outside); got != "secret" {
		t.Errorf("outside there is %s", got)
	}
	if got := tree(t, folder); got != ".hidden .tmp file-link link notes with spaces.txt" {
		t.Errorf("the folder has %s", got)
	}
}

func TestOpenSweepsWhatProcessesHaveLeft(t *testing.T) {
	folder := t.TempDir()
	open(t, folder).Close()
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": 61 * time.Minute, "older": 48 * time.Hour, "fresh": 55 * time.Minute, "future": -time.Hour} {
		path := filepath.Join(folder, ".tmp", name)
		write(t, path, "half")
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, folder)
	if got := tree(t, folder); got != ".tmp .tmp/fresh .tmp/future" {
		t.Errorf("left is %s", got)
	}
}

func TestNoCallLeavesATemporaryFile(t *testing.T) {
	folder := t.TempDir()
	store := open(t, folder)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		store.Create(t.Context(), "a", []byte("x"))
		store.Put(t.Context(), "b", []byte("x"))
		store.Put(t.Context(), "b/below-a-file", []byte("x"))
		store.Put(ended, "c", []byte("x"))
	}
	if got := tree(t, folder); got != ".tmp a b" {
		t.Errorf("the folder has %s", got)
	}
}

func TestAFileThatIsNoObjectIsNotRead(t *testing.T) {
	folder := t.TempDir()
	store := open(t, folder)
	if err := os.Truncate(write(t, filepath.Join(folder, "huge"), ""), checkpoint.MaxObject+1); err != nil {
		t.Fatal(err)
	}
	if data, err := store.Get(t.Context(), "huge"); data != nil || stream.CodeOf(err) != stream.StoreUnavailable {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T) (folder string)
		want stream.Code
		fix  string
	}{
		{"a file in the place of the folder", func(t *testing.T) string {
			return write(t, filepath.Join(t.TempDir(), "file"), "")
		}, stream.StoreMisconfigured, "checkpoint.storage"},
		{"a file above the folder", func(t *testing.T) string {
			return filepath.Join(write(t, filepath.Join(t.TempDir(), "file"), ""), "below")
		}, stream.StoreMisconfigured, "checkpoint.storage"},
		{"a file in the place of the temporary folder", func(t *testing.T) string {
			folder := t.TempDir()
			write(t, filepath.Join(folder, ".tmp"), "")
			return folder
		}, stream.StoreMisconfigured, "checkpoint.storage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dir.Open(c.make(t))
			expect(t, err, c.want, c.fix)
		})
	}
	t.Run("an object where a folder has to be", func(t *testing.T) {
		store := open(t, t.TempDir())
		if err := store.Put(t.Context(), "a", nil); err != nil {
			t.Fatal(err)
		}
		expect(t, store.Put(t.Context(), "a/b", nil), stream.StoreMisconfigured, "checkpoint.storage")
		expect(t, store.Create(t.Context(), "a/b", nil), stream.StoreMisconfigured, "checkpoint.storage")
	})
	t.Run("the folder is gone", func(t *testing.T) {
		folder := t.TempDir()
		store := open(t, folder)
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		expect(t, store.Put(t.Context(), "a", nil), stream.StoreUnavailable, "bring it back")
	})
}

func BenchmarkDir(b *testing.B) {
	store := open(b, b.TempDir())
	b.Run("Put16MiB", func(b *testing.B) {
		data := bytes.Repeat([]byte("wasmill!"), checkpoint.MaxObject/8)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := store.Put(b.Context(), "a/put", data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Create1KiB", func(b *testing.B) {
		data := make([]byte, 1024)
		for n := 0; b.Loop(); n++ {
			if err := store.Create(b.Context(), fmt.Sprintf("pipeline/epochs/%d-%d", b.N, n), data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func expect(t *testing.T, err error, code stream.Code, fix string) {
	t.Helper()
	if stream.CodeOf(err) != code || stream.ExitCode(err) != stream.ExitEnvironment || errors.Is(err, checkpoint.ErrExists) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if _, advice, _ := strings.Cut(err.Error(), "fix: "); !strings.Contains(advice, fix) {
		t.Errorf("%v: want a fix about %q", err, fix)
	}
}

// tree returns all paths below a folder.
func tree(t *testing.T, folder string) string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if rel, e := filepath.Rel(folder, path); e == nil && rel != "." {
			paths = append(paths, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return strings.Join(paths, " ")
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
