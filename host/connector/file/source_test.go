package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

func settings(path string, change ...func(*file.SourceConfig)) file.SourceConfig {
	cfg := file.DefaultSource()
	cfg.Path = path
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

func small(c *file.SourceConfig) { c.BatchRecords, c.BatchBytes = 3, 16 }

func whole(c *file.SourceConfig) { c.Mode = file.ModeWhole }

// put writes a file in a folder, compressed as its name says.
func put(t testing.TB, dir, name, text string) string {
	t.Helper()
	var packed bytes.Buffer
	var w io.WriteCloser
	switch filepath.Ext(name) {
	case ".gz":
		w = gzip.NewWriter(&packed)
	case ".zst":
		w, _ = zstd.NewWriter(&packed)
	}
	if w != nil {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		text = packed.String()
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func numbered(from, to int) (text string, values []string) {
	for i := from; i < to; i++ {
		value := fmt.Sprintf("line %d", i)
		text += value + "\n"
		values = append(values, value)
	}
	return text, values
}

// open returns an open source that is closed at the end of the test.
func open(t testing.TB, cfg file.SourceConfig, after stream.Position) *file.Source {
	t.Helper()
	src := file.NewSource(cfg, nil)
	t.Cleanup(func() { src.Close() })
	if err := src.Open(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	return src
}

// drain reads a source to its end or its first error.
func drain(t testing.TB, src *file.Source) (values []string, err error) {
	t.Helper()
	var b stream.Batch
	for {
		b.Reset()
		if err := src.Read(t.Context(), &b); err == io.EOF {
			return values, nil
		} else if err != nil {
			return values, err
		}
		for i := range b.Len() {
			values = append(values, string(b.Value(i)))
		}
	}
}

// readTo reads until n values were read and returns the position there.
func readTo(t testing.TB, src *file.Source, n int) stream.Position {
	t.Helper()
	var b stream.Batch
	for n > 0 {
		b.Reset()
		if err := src.Read(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		n -= b.Len()
	}
	return src.Position(nil)
}

func TestConformance(t *testing.T) {
	one, first := numbered(0, 10)
	two, second := numbered(10, 14)
	two = strings.TrimSuffix(two, "\n")
	both := slices.Concat(first, second)
	for _, test := range []struct {
		name    string
		files   map[string]string
		path    string
		change  func(*file.SourceConfig)
		want    []string
		endless bool
	}{
		{name: "lines of one file", files: map[string]string{"a": one}, path: "a", want: first},
		{name: "lines of the files of a glob", files: map[string]string{"a.log": one, "b.log": two, "c.txt": "no"}, path: "*.log", want: both},
		{name: "empty files between others", files: map[string]string{"a": "", "b": one, "c": "", "d": two, "e": ""}, path: "?", want: both},
		{name: "lines of compressed files", files: map[string]string{"a.gz": one, "b.zst": two}, path: "*", want: both},
		{name: "whole files", files: map[string]string{"a": one, "b.gz": "", "c.zst": two}, path: "*", change: whole, want: []string{one, "", two}},
		{name: "lines of a followed file", files: map[string]string{"a": one}, path: "a", want: first, endless: true,
			change: func(c *file.SourceConfig) { c.Follow, c.Poll = true, 1e6 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				put(t, dir, name, text)
			}
			cfg := settings(filepath.Join(dir, test.path), small)
			if test.change != nil {
				test.change(&cfg)
			}
			connectortest.TestSource(t, connectortest.Source{
				New:     func(*testing.T) stream.Source { return file.NewSource(cfg, nil) },
				Want:    test.want,
				Endless: test.endless,
			})
		})
	}
}

func TestFollowedFilesAreReadInTurnAndResumed(t *testing.T) {
	dir := t.TempDir()
	one, first := numbered(0, 20)
	two, second := numbered(100, 120)
	put(t, dir, "a.log", one)
	put(t, dir, "b.log", two)
	cfg := settings(filepath.Join(dir, "*.log"), small, func(c *file.SourceConfig) { c.Follow, c.BatchBytes = true, 64 })
	for stop := range 40 {
		src := open(t, cfg, nil)
		var values []string
		var b stream.Batch
		for len(values) < 40 {
			if len(values) >= stop && stop > 0 {
				src, stop = open(t, cfg, src.Position(nil)), 0
			}
			b.Reset()
			if err := src.Read(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			for i := range b.Len() {
				values = append(values, string(b.Value(i)))
			}
		}
		slices.Sort(values)
		want := slices.Sorted(slices.Values(slices.Concat(first, second)))
		if !slices.Equal(values, want) {
			t.Fatalf("stopped after %d: got %q", stop, values)
		}
	}
}

// TestAFileThatHasGrownSinceItsEndIsReadOn is about a source that does not follow, and a
// later run of it.
func TestAFileThatHasGrownSinceItsEndIsReadOn(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		want                []string
		notice              string
	}{
		{"lines were added", "a\nb\n", "a\nb\nc\nd", []string{"c", "d"}, ""},
		{"nothing was added", "a\nb\n", "a\nb\n", nil, ""},
		{"the file was empty", "", "a\n", []string{"a"}, ""},
		{"the last line had no end", "a\nb", "a\nbc\n", nil, "no end"},
		{"another file", "a\nb\n", "x\ny\nz\n", nil, "another file"},
		{"a shorter file", "a\nb\n", "a\n", nil, "another file"},
		{"no file", "a\nb\n", "", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, dir, "0.txt", test.before)
			src := open(t, settings(filepath.Join(dir, "*.txt")), nil)
			if _, err := drain(t, src); err != nil {
				t.Fatal(err)
			}
			at := src.Position(nil)
			want := append(slices.Clone(test.want), "other")
			put(t, dir, "1.txt", "other\n")
			if err := os.WriteFile(path, []byte(test.after), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.name == "no file" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			notice := ""
			src = file.NewSource(settings(filepath.Join(dir, "*.txt")), func(text string) { notice += text })
			if err := src.Open(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if got, err := drain(t, src); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, %v", got, err)
			}
			if !strings.Contains(notice, test.notice) || test.notice == "" && notice != "" {
				t.Errorf("notice %q", notice)
			}
			end := src.Position(nil)
			src = open(t, settings(filepath.Join(dir, "*.txt")), end)
			if got, err := drain(t, src); err != nil || len(got) > 0 {
				t.Errorf("after the end: got %q, %v", got, err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		path  string
		code  stream.Code
		says  string
	}{
		{name: "a missing file suggests a similar name", files: map[string]string{"access.log": "", "other": ""}, path: "acess.log", code: stream.InputMissing, says: "access.log?"},
		{name: "a missing file with nothing similar suggests nothing", files: map[string]string{"zzz": ""}, path: "access.log", code: stream.InputMissing, says: "check the name"},
		{name: "a missing folder is named", path: "logs/a", code: stream.InputMissing, says: "create the folder"},
		{name: "a glob that matches nothing is an error", files: map[string]string{"a.txt": ""}, path: "*.log", code: stream.InputMissing, says: "no file matches"},
		{name: "a directory is an error", files: map[string]string{"d/x": ""}, path: "d", code: stream.InputDirectory, says: "d/*"},
		{name: "a glob of directories alone is an error", files: map[string]string{"d/x": ""}, path: "*", code: stream.InputMissing},
		{name: "gzip by name alone is an error", files: map[string]string{"a.gz.raw": "text"}, path: "a.gz", code: stream.InputCorrupt, says: "a.gz: the gzip data"},
		{name: "zstd by name alone is an error", files: map[string]string{"a.zst.raw": "text"}, path: "a.zst", code: stream.InputCorrupt, says: "zstd"},
		{name: "an error of the last file of a glob comes first", files: map[string]string{"a": "x\n", "z.gz.raw": "text"}, path: "*", code: stream.InputCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
				path := put(t, dir, name, text)
				if raw, ok := strings.CutSuffix(path, ".raw"); ok {
					os.Rename(path, raw)
				}
			}
			src := file.NewSource(settings(filepath.Join(dir, test.path)), nil)
			defer src.Close()
			err := src.Open(t.Context(), nil)
			if stream.CodeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("got %v, want %s that says %q", err, test.code, test.says)
			}
			var e *stream.Error
			if errors.As(err, &e) && (e.Why == "" || e.Fix == "" || !strings.HasPrefix(e.Where, dir)) {
				t.Errorf("where %q, why %q, fix %q", e.Where, e.Why, e.Fix)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	path := put(t, t.TempDir(), "a", "")
	os.Chmod(path, 0)
	if err := file.NewSource(settings(path), nil).Open(t.Context(), nil); stream.CodeOf(err) != stream.InputUnreadable {
		t.Errorf("got %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	long := strings.Repeat("x", 9)
	for _, test := range []struct {
		name   string
		file   string
		text   string
		cut    int // bytes to cut off the end of the file
		whole  bool
		before []string
		code   stream.Code
		where  string
	}{
		{name: "a line that is too long is named, after the lines before it", file: "a", text: "1\n2\n" + long + "\n4\n", before: []string{"1", "2"}, code: stream.RecordSize, where: "a:3"},
		{name: "a last line that is too long is named", file: "a", text: "1\n" + long, before: []string{"1"}, code: stream.RecordSize, where: "a:2"},
		{name: "a file that is too long is named", file: "a", text: long, whole: true, code: stream.RecordSize, where: "a"},
		{name: "a gzip file that is cut off is corrupt after the lines it had", file: "a.gz", text: "1\n2\n", cut: 4, before: []string{"1", "2"}, code: stream.InputCorrupt, where: "a.gz"},
		{name: "a zstd file that is cut off is corrupt", file: "a.zst", text: "1\n2\n", cut: 2, code: stream.InputCorrupt, where: "a.zst"},
		{name: "a whole gzip file that is cut off is corrupt", file: "a.gz", text: "1\n2\n", cut: 4, whole: true, code: stream.InputCorrupt, where: "a.gz"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, dir, test.file, test.text)
			if info, err := os.Stat(path); err != nil || os.Truncate(path, info.Size()-int64(test.cut)) != nil {
				t.Fatal(err)
			}
			src := file.NewSource(settings(path, func(c *file.SourceConfig) {
				c.MaxRecordBytes = 8
				if test.whole {
					c.Mode = file.ModeWhole
				}
			}), nil)
			defer src.Close()
			var values []string
			err := src.Open(t.Context(), nil)
			if err == nil {
				values, err = drain(t, src)
			}
			var e *stream.Error
			if !errors.As(err, &e) || e.Code != test.code || e.Where != filepath.Join(dir, test.where) {
				t.Errorf("got %v", err)
			}
			if test.before != nil && !slices.Equal(values, test.before) {
				t.Errorf("got %q before", values)
			}
		})
	}
}

func TestWholeFilesCarryTheirPath(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, "a", strings.Repeat("x", 70_000))
	src := open(t, settings(path, whole), nil)
	var b stream.Batch
	if err := src.Read(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if header, ok := abi.LookupHeader(b.Headers(0), "path"); !ok || string(header) != path || len(b.Value(0)) != 70_000 {
		t.Errorf("header %q, %d bytes", header, len(b.Value(0)))
	}
}

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	text, _ := numbered(0, 10)
	put(t, dir, "a", text)
	put(t, dir, "b", text)
	for _, mode := range []string{file.ModeLines, file.ModeWhole} {
		src := open(t, settings(filepath.Join(dir, "?"), small, func(c *file.SourceConfig) { c.Mode = mode }), nil)
		var b stream.Batch
		for {
			b.Reset()
			if src.Read(t.Context(), &b) == io.EOF {
				break
			}
			after := src.Position(nil)
			for i := range b.Len() {
				got := src.Locate(after, b.Len()-1-i)
				want := map[bool]string{true: dir + "/a", false: dir + "/b"}[strings.HasPrefix(got, dir+"/a")]
				if mode == file.ModeLines {
					var n int
					fmt.Sscanf(string(b.Value(i)), "line %d", &n)
					want = fmt.Sprintf("%s:%d", want, n+1)
				}
				if got != want {
					t.Errorf("%s: %q is at %s, want %s", mode, b.Value(i), got, want)
				}
			}
		}
	}
}

func TestANameWithGlobCharactersIsTakenAsItIs(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a1", "glob\n")
	path := put(t, dir, "a[1]", "name\n")
	if got, _ := drain(t, open(t, settings(path), nil)); !slices.Equal(got, []string{"name"}) {
		t.Errorf("got %q", got)
	}
}

func TestPathsAreQuotedInPositions(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, "a\"\\\n\té\x7f", "1\n2\n")
	cfg := settings(path, func(c *file.SourceConfig) { c.BatchRecords = 1 })
	after := readTo(t, open(t, cfg, nil), 1)
	if got, _ := drain(t, open(t, cfg, after)); !slices.Equal(got, []string{"2"}) {
		t.Errorf("after %s: got %q", after, got)
	}
	bad := put(t, dir, "bad\xff", "1\n")
	if err := file.NewSource(settings(bad), nil).Open(t.Context(), nil); stream.CodeOf(err) != stream.InputUnreadable {
		t.Errorf("a name that is not UTF-8: %v", err)
	}
}

func FuzzPosition(f *testing.F) {
	dir := f.TempDir()
	cfg := settings(put(f, dir, "a", "1\n2\n3\n"), small)
	f.Add([]byte(readTo(f, open(f, cfg, nil), 1)))
	f.Add([]byte(`{"path":"` + cfg.Path + `","offset":99999999999}`))
	f.Add([]byte(`{"path":"` + cfg.Path + `","offset":-1}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		for _, follow := range []bool{false, true} {
			cfg.Follow = follow
			src := file.NewSource(cfg, nil)
			if err := src.Open(t.Context(), p); err == nil {
				again := file.NewSource(cfg, nil)
				if err := again.Open(t.Context(), src.Position(nil)); err != nil {
					t.Errorf("position of a position: %v", err)
				}
				again.Close()
			} else if stream.CodeOf(err) == stream.Internal {
				t.Errorf("an error without a code: %v", err)
			}
			src.Locate(p, 1)
			src.Close()
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{16, 128, 1024} {
		text := strings.Repeat(strings.Repeat("x", size-1)+"\n", 64<<20/size)
		for _, name := range []string{"a", "a.gz", "a.zst"} {
			b.Run(fmt.Sprintf("%s/line=%d", name, size), func(b *testing.B) {
				cfg := settings(put(b, b.TempDir(), name, text))
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					src := open(b, cfg, nil)
					var batch stream.Batch
					var position []byte
					for {
						batch.Reset()
						if err := src.Read(b.Context(), &batch); err == io.EOF {
							break
						} else if err != nil {
							b.Fatal(err)
						}
						position = src.Position(position[:0])
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*len(text)/size), "ns/record")
			})
		}
	}
}
