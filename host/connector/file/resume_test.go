package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

func TestResumeAfterTheFilesChanged(t *testing.T) {
	text, values := numbered(0, 20)
	long := strings.Repeat("The same first KiB.\n", 60)
	join := func(dir, name string) string { return filepath.Join(dir, name) }
	rename := func(t *testing.T, dir, from, to string) {
		if err := os.Rename(join(dir, from), join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		path   string // default a
		text   string // default numbered
		change func(t *testing.T, dir string)
		want   []string
		code   stream.Code
	}{
		{name: "an unchanged file goes on", change: func(*testing.T, string) {}, want: values[6:]},
		{name: "a long file that is unchanged goes on", text: long + text, change: func(*testing.T, string) {}, want: values[3:]},
		{name: "a file that grew goes on", change: func(t *testing.T, dir string) { put(t, dir, "a", text+"more\n") }, want: slices.Concat(values[6:], []string{"more"})},
		{name: "a copy of the file goes on", change: func(t *testing.T, dir string) {
			rename(t, dir, "a", "gone")
			put(t, dir, "a", text)
			os.Remove(join(dir, "gone"))
		}, want: values[6:]},
		{name: "a rotated file is finished before the new one", change: func(t *testing.T, dir string) {
			rename(t, dir, "a", "a.1")
			put(t, dir, "a", "new 1\nnew 2\nnew 3\nnew 4\nnew 5\nnew 6\nnew 7\nnew 8\n")
		}, want: slices.Concat(values[6:], []string{"new 1", "new 2", "new 3", "new 4", "new 5", "new 6", "new 7", "new 8"})},
		{name: "a rotated file without a new one is finished", change: func(t *testing.T, dir string) { rename(t, dir, "a", "a.1") }, want: values[6:]},
		{name: "a rotated file is not read twice by a glob that covers it", path: "a*", change: func(t *testing.T, dir string) {
			rename(t, dir, "a", "a.1")
			put(t, dir, "a", "new\n")
		}, want: slices.Concat(values[6:], []string{"new"})},
		{name: "a file of the same inode that begins differently is refused", change: func(t *testing.T, dir string) {
			put(t, dir, "a", strings.Repeat("other\n", 100))
		}, code: stream.InputChanged},
		{name: "a file that is shorter is refused", change: func(t *testing.T, dir string) { os.Truncate(join(dir, "a"), 10) }, code: stream.InputChanged},
		{name: "a long file that is shorter, but begins the same, is refused", text: long + text,
			change: func(t *testing.T, dir string) { os.Truncate(join(dir, "a"), 1100) }, code: stream.InputChanged},
		{name: "a file that is gone is refused", change: func(t *testing.T, dir string) { os.Remove(join(dir, "a")) }, code: stream.InputChanged},
		{name: "a replaced file is refused", change: func(t *testing.T, dir string) {
			os.Remove(join(dir, "a"))
			put(t, dir, "b", "keeps the inode busy")
			put(t, dir, "a", strings.Repeat("other\n", 100))
		}, code: stream.InputChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.text == "" {
				test.text = text
			}
			put(t, dir, "a", test.text)
			if test.path == "" {
				test.path = "a"
			}
			cfg := settings(filepath.Join(dir, test.path), small, func(c *file.SourceConfig) { c.BatchBytes = 64 })
			n := 6
			if test.text != text {
				n = 63
			}
			after := readTo(t, open(t, cfg, nil), n)
			test.change(t, dir)
			src := file.NewSource(cfg, nil)
			defer src.Close()
			err := src.Open(t.Context(), after)
			if test.code != "" {
				if stream.CodeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), "fresh start") {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := drain(t, src); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// stopAfter is a context that ends when it was asked n times.
type stopAfter struct {
	context.Context
	n int
}

func (c *stopAfter) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}

func TestAStopBetweenARotatedFileAndTheNewOneLosesNothing(t *testing.T) {
	for n := range 10 {
		dir := t.TempDir()
		path := put(t, dir, "a", "1\n2\n3\n4\n5\n")
		cfg := settings(path, small)
		after := readTo(t, open(t, cfg, nil), 3)
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		put(t, dir, "a", "6\n7\n8\n9\n")
		src := open(t, cfg, after)
		ctx := &stopAfter{t.Context(), n}
		var got []string
		var b stream.Batch
		for b.Reset(); src.Read(ctx, &b) == nil; b.Reset() {
			for i := range b.Len() {
				got = append(got, string(b.Value(i)))
			}
		}
		rest, err := drain(t, open(t, cfg, src.Position(nil)))
		if got = append(got, rest...); err != nil || strings.Join(got, "") != "456789" {
			t.Errorf("stopped at step %d: got %q, %v", n, got, err)
		}
	}
}

func TestAPositionOfAnotherPathIsRefused(t *testing.T) {
	dir := t.TempDir()
	after := readTo(t, open(t, settings(put(t, dir, "a", "1\n")), nil), 1)
	src := file.NewSource(settings(put(t, dir, "b", "1\n")), nil)
	if err := src.Open(t.Context(), after); stream.CodeOf(err) != stream.InputChanged {
		t.Errorf("got %v", err)
	}
}
