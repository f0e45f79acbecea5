package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

func TestAChangedFileIsNoticed(t *testing.T) {
	for _, test := range []struct {
		name   string
		path   string
		change func(t *testing.T, dir string)
		says   string // empty = it goes on
	}{
		{"the file is gone", "out", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "out")) }, "gone"},
		{"the file is shorter", "out", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "out"), 3) }, "does not hold"},
		{"the file was written anew", "out", func(t *testing.T, dir string) { put(t, dir, "out", "x\ny\nz\n") }, "does not hold"},
		{"a reader took a part away", "{part}", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "00000002-0000")) }, ""},
		{"a part was changed", "{part}", func(t *testing.T, dir string) { put(t, dir, "00000002-0000", "x\n") }, "does not hold"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			w := newWorld(t, filepath.Join(dir, test.path))
			w.must(w.start())
			w.epoch(1, "a")
			w.epoch(2, "b")
			w.must(w.sink.Close())
			w.must(w.start())
			w.must(w.sink.Close())
			test.change(t, dir)
			err := w.start()
			if test.says == "" {
				w.must(err)
				return
			}
			var e *stream.Error
			if !errors.As(err, &e) || e.Code != stream.OutputFile || !strings.Contains(e.Why, test.says) || !strings.Contains(e.Fix, "fresh start") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWhatSomebodyElseAppendsIsNotWrittenOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	w := newWorld(t, path)
	w.must(w.start())
	w.epoch(1, "a")
	put(t, dir, "out", "a\nb")
	w.write("c")
	w.prepare(2)
	if err := w.sink.Commit(t.Context(), w.commit); stream.CodeOf(err) != stream.OutputFile || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("got %v", err)
	}
	if got := content(path); got != "a\nb" {
		t.Errorf("the file holds %q", got)
	}
}

func TestADamagedPartIsNotShown(t *testing.T) {
	for _, path := range []string{"out", "{part}"} {
		dir := t.TempDir()
		w := newWorld(t, filepath.Join(dir, path))
		w.must(w.start())
		w.write("a")
		w.prepare(1)
		for _, name := range hiddenFiles(t, dir) {
			w.must(os.WriteFile(name, []byte("b\n"), 0o600))
		}
		if err := w.sink.Commit(t.Context(), w.commit); stream.CodeOf(err) != stream.OutputFile || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("got %v", err)
		}
		if got := shown(t, dir); len(got) != 0 {
			t.Errorf("seen: %q", got)
		}
	}
}

func TestAPartTakesTheNameOfNoOtherFile(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "{part}"))
	w.must(w.start())
	w.write("a")
	w.prepare(1)
	put(t, dir, "00000001-0000", "of somebody else\n")
	if err := w.sink.Commit(t.Context(), w.commit); stream.CodeOf(err) != stream.OutputFile || !strings.Contains(err.Error(), "00000001-0000") {
		t.Errorf("got %v", err)
	}
	if got := shown(t, dir); !slices.Equal(got, []string{"of somebody else"}) {
		t.Errorf("seen: %q", got)
	}
}

func TestAChangedPathFinishesTheOldFile(t *testing.T) {
	for _, test := range []struct{ from, to string }{{"a", "b"}, {"a", "{part}"}, {"{part}", "b"}, {"{part}", "x-{part}"}} {
		t.Run(test.from+" to "+test.to, func(t *testing.T) {
			from, to := t.TempDir(), t.TempDir()
			w := newWorld(t, filepath.Join(from, test.from), func(c *file.SinkConfig) { c.Roll.Size = 1 << 20 })
			if !strings.Contains(test.from, "part") {
				w.cfg.Roll.Size = 0
			}
			w.must(w.start())
			w.epoch(1, "1")
			w.write("2")
			w.prepare(2)
			w.write("lost")
			w.must(w.sink.Flush(t.Context()))
			w.cfg = sinkSettings(filepath.Join(to, test.to))
			w.must(w.start())
			w.epoch(3, "3")
			w.must(w.sink.Close())
			if got := append(shown(t, from), shown(t, to)...); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAFolderMayBeMoved(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "a", "out"))
	w.must(os.Mkdir(filepath.Join(dir, "a"), 0o700))
	w.must(w.start())
	w.epoch(1, "1")
	w.write("2")
	w.prepare(2)
	w.must(os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
	w.cfg.Path = filepath.Join(dir, "b", "out")
	w.must(w.start())
	w.epoch(3, "3")
	if got := shown(t, filepath.Join(dir, "b")); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %q", got)
	}
}

func TestALinkStays(t *testing.T) {
	dir, real := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "out")
	if err := os.Symlink(put(t, real, "file", "old\n"), link); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, link)
	w.must(w.start())
	w.epoch(1, "1")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v", info.Mode())
	}
	if got := content(filepath.Join(real, "file")); got != "1\n" {
		t.Errorf("the file holds %q", got)
	}
}
