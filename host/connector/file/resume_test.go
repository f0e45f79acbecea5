package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		{name: "a long file that was written anew after the same beginning is refused", text: long + text, change: func(t *testing.T, dir string) {
			put(t, dir, "a", long+strings.Repeat("other\n", 100))
		}, code: stream.InputChanged},
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

func TestResumeOfAPositionOfTheFirstVersion(t *testing.T) {
	dir := t.TempDir()
	text, values := numbered(0, 20)
	cfg := settings(put(t, dir, "a", text), small)
	after := string(readTo(t, open(t, cfg, nil), 6))
	first := regexp.MustCompile(`,"(tail|version)":[0-9]+`).ReplaceAllString(after, "")
	if len(regexp.MustCompile(`tail|version`).FindAllString(after, -1)) != 2 || strings.Contains(first, "tail") {
		t.Fatalf("%s became %s", after, first)
	}
	if got, err := drain(t, open(t, cfg, stream.Position(first))); err != nil || !slices.Equal(got, values[6:]) {
		t.Errorf("got %q, %v", got, err)
	}
	newer := strings.Replace(after, `"version":2`, `"version":3`, 1)
	if err := file.NewSource(cfg, nil).Open(t.Context(), stream.Position(newer)); stream.CodeOf(err) != stream.PositionInvalid {
		t.Errorf("got %v", err)
	}
}

func TestResumeOfCompressedFiles(t *testing.T) {
	text, values := numbered(0, 200)
	more, moreValues := numbered(200, 210)
	other, _ := numbered(1000, 1200)
	long := strings.Repeat("The same first KiB.\n", 60)
	for _, ext := range []string{".gz", ".zst"} {
		for _, test := range []struct {
			name   string
			text   string
			change func(t *testing.T, dir, path string)
			want   []string // after the first 150; nil = refused
		}{
			{"unchanged", text, func(*testing.T, string, string) {}, values[150:]},
			{"packed again", text, func(t *testing.T, dir, path string) { os.Remove(path); put(t, dir, "a"+ext, text) }, values[150:]},
			{"with another frame at its end", text, func(t *testing.T, dir, path string) {
				before := content(path)
				put(t, dir, "a"+ext, more)
				os.WriteFile(path, []byte(before+content(path)), 0o600)
			}, slices.Concat(values[150:], moreValues)},
			{"with other content", text, func(t *testing.T, dir, path string) { put(t, dir, "a"+ext, other) }, nil},
			{"with other content after the same beginning", long + text, func(t *testing.T, dir, path string) { put(t, dir, "a"+ext, long+other) }, nil},
			{"with less", text, func(t *testing.T, dir, path string) { put(t, dir, "a"+ext, text[:100]) }, nil},
			{"rotated", text, func(t *testing.T, dir, path string) {
				os.Rename(path, path+".1")
				put(t, dir, "a"+ext, more)
			}, slices.Concat(values[150:], moreValues)},
		} {
			t.Run(ext+" "+test.name, func(t *testing.T) {
				dir := t.TempDir()
				path := put(t, dir, "a"+ext, test.text)
				cfg := settings(path, func(c *file.SourceConfig) { c.BatchRecords = 10 })
				after := readTo(t, open(t, cfg, nil), 150)
				test.change(t, dir, path)
				src := file.NewSource(cfg, nil)
				defer src.Close()
				err := src.Open(t.Context(), after)
				if test.want == nil {
					if stream.CodeOf(err) != stream.InputChanged {
						t.Errorf("got %v", err)
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
}

// Of b.log, the second of three files, half is read.
func TestResumeAfterFilesOfAGlobCameAndWent(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(t *testing.T, dir string)
		want    string // empty = refused
		follows string // what a source that follows reads, sorted
	}{
		{"nothing changed", func(*testing.T, string) {}, "b2 c1 c2", "b2 c1 c2"},
		{"one that was read is gone", func(t *testing.T, dir string) { os.Remove(dir + "/a.log") }, "b2 c1 c2", "b2 c1 c2"},
		{"one that was not begun is gone", func(t *testing.T, dir string) { os.Remove(dir + "/c.log") }, "b2", "b2"},
		{"the one that is being read is gone", func(t *testing.T, dir string) { os.Remove(dir + "/b.log") }, "", "c1 c2"},
		{"one came between", func(t *testing.T, dir string) { put(t, dir, "bb.log", "n\n") }, "b2 n c1 c2", "b2 c1 c2 n"},
		{"one came at the end", func(t *testing.T, dir string) { put(t, dir, "d.log", "n\n") }, "b2 c1 c2 n", "b2 c1 c2 n"},
		{"one came before", func(t *testing.T, dir string) { put(t, dir, "aa.log", "n\n") }, "b2 c1 c2", "b2 c1 c2 n"},
		{"one that was not begun was written anew", func(t *testing.T, dir string) { put(t, dir, "c.log", "n\n") }, "b2 n", "b2 n"},
	} {
		prepare := func(t *testing.T, change ...func(*file.SourceConfig)) (*file.Source, error) {
			dir := t.TempDir()
			for _, name := range []string{"a", "b", "c"} {
				put(t, dir, name+".log", name+"1\n"+name+"2\n")
			}
			cfg := settings(filepath.Join(dir, "*.log"), append(change, func(c *file.SourceConfig) { c.BatchRecords = 1 })...)
			after := readTo(t, open(t, cfg, nil), 3)
			test.change(t, dir)
			src := file.NewSource(cfg, nil)
			t.Cleanup(func() { src.Close() })
			return src, src.Open(t.Context(), after)
		}
		t.Run(test.name, func(t *testing.T) {
			src, err := prepare(t)
			if test.want == "" {
				if stream.CodeOf(err) != stream.InputChanged {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := drain(t, src); err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
		t.Run(test.name+", followed", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, err := prepare(t, func(c *file.SourceConfig) { c.Follow = true })
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var got []string
				var b stream.Batch
				for src.Read(ctx, &b) == nil {
					got = append(got, string(b.Value(0)))
					b.Reset()
				}
				slices.Sort(got)
				if strings.Join(got, " ") != test.follows {
					t.Errorf("got %q; want %q", got, test.follows)
				}
			})
		})
	}
}

func TestAFollowedFileThatIsWrittenAnewIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		long := strings.Repeat("The same first KiB.\n", 60)
		cfg := settings(put(t, dir, "a", long+"old\n"), func(c *file.SourceConfig) { c.Follow = true })
		src := open(t, cfg, nil)
		readTo(t, src, 61)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var b stream.Batch
		if err := src.Read(ctx, &b); err == nil { // it sees the end
			t.Fatalf("read %q", b.Value(0))
		}
		put(t, dir, "a", long+"new\nnewer\n")
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := 0
		for got < 62 {
			b.Reset()
			if err := src.Read(ctx, &b); err != nil {
				t.Fatal(err)
			}
			got += b.Len()
		}
		if last := string(b.Value(b.Len() - 1)); got != 62 || last != "newer" {
			t.Errorf("%d lines, the last is %q", got, last)
		}
	})
}
