package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

func sinkSettings(path string, change ...func(*file.SinkConfig)) file.SinkConfig {
	cfg := file.DefaultSink()
	cfg.Path = path
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// content returns the text of a file, or a word of its own if there is none.
func content(path string) string {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return "no file"
	}
	return string(text)
}

func TestSinkConformance(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*file.SinkConfig)
	}{
		{"a file that is replaced", func(*file.SinkConfig) {}},
		{"a file that is appended to, with a small buffer", func(c *file.SinkConfig) { c.Append, c.BufferBytes = true, 1 }},
		{"a file that is synced", func(c *file.SinkConfig) { c.Sync = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			connectortest.TestSink(t, connectortest.Sink{New: func(t *testing.T) (stream.Sink, func() []string) {
				path := filepath.Join(t.TempDir(), "out")
				return file.NewSink(sinkSettings(path, test.change)), func() []string {
					values := strings.Split(content(path), "\n")
					return values[:len(values)-1]
				}
			}})
		})
	}
}

func TestSinkWritesWholeRecordsAsJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	sink := file.NewSink(sinkSettings(path, func(c *file.SinkConfig) { c.Format = "json" }))
	var b stream.Batch
	b.Append(1e9, []byte("k"), []byte("a\nb"), abi.AppendHeader(nil, "h", []byte("v")))
	b.Append(2e9, nil, []byte("c"), nil)
	if err := errors.Join(sink.Open(t.Context()), sink.Write(t.Context(), &b), sink.Flush(t.Context()), sink.Close()); err != nil {
		t.Fatal(err)
	}
	const want = `{"time":"1970-01-01T00:00:01Z","key":"k","value":"a\nb","headers":{"h":"v"}}
{"time":"1970-01-01T00:00:02Z","value":"c"}
`
	if got := content(path); got != want {
		t.Errorf("got %s", got)
	}
}

func TestSinkKeepsAnExistingFileUntilItMust(t *testing.T) {
	type step func(t *testing.T, sink *file.Sink)
	write := func(t *testing.T, sink *file.Sink) {
		var b stream.Batch
		b.Append(1, nil, []byte("new\nline"), nil)
		if err := sink.Write(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	flush := func(t *testing.T, sink *file.Sink) {
		if err := sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		before string
		steps  []step
		append bool
		want   string
	}{
		{name: "opening changes nothing", before: "old\n", want: "old\n"},
		{name: "opening creates nothing", before: "no file", want: "no file"},
		{name: "a write replaces the file", before: "old\n", steps: []step{write, flush}, want: "new\nline\n"},
		{name: "a flush without a write empties the file", before: "old\n", steps: []step{flush}, want: ""},
		{name: "a flush without a write creates the file", before: "no file", steps: []step{flush}, want: ""},
		{name: "the file is replaced once", before: "old\n", steps: []step{write, flush, write, flush}, want: "new\nline\nnew\nline\n"},
		{name: "appending keeps the file", before: "old\n", steps: []step{write, flush}, append: true, want: "old\nnew\nline\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "out")
			if test.before != "no file" {
				put(t, dir, "out", test.before)
			}
			sink := file.NewSink(sinkSettings(path, func(c *file.SinkConfig) { c.Append = test.append }))
			if err := sink.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, step := range test.steps {
				step(t, sink)
			}
			if err := sink.Close(); err != nil {
				t.Fatal(err)
			}
			if got := content(path); got != test.want {
				t.Errorf("the file holds %q, want %q", got, test.want)
			}
			if entries, _ := os.ReadDir(dir); len(entries) > 1 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestSinkErrors(t *testing.T) {
	dir := t.TempDir()
	full := sinkSettings("/dev/full")
	for _, test := range []struct {
		name string
		cfg  file.SinkConfig
		says string
		skip bool
	}{
		{name: "a missing folder comes with the command that creates it", cfg: sinkSettings(filepath.Join(dir, "a", "b", "out")), says: "mkdir -p " + filepath.Join(dir, "a", "b")},
		{name: "a directory is refused", cfg: sinkSettings(dir), says: "directory"},
		{name: "a path through a file is refused", cfg: sinkSettings(filepath.Join(put(t, dir, "f", ""), "out")), says: "cannot be written"},
		{name: "a full disk is an error", cfg: full, says: "free space", skip: runtime.GOOS != "linux"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.skip {
				t.Skip("not on this system")
			}
			sink := file.NewSink(test.cfg)
			err := sink.Open(t.Context())
			if err == nil {
				var b stream.Batch
				b.Append(1, nil, []byte("x"), nil)
				if err = sink.Write(t.Context(), &b); err == nil {
					err = sink.Flush(t.Context())
				}
			}
			if stream.CodeOf(err) != stream.OutputFile || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want one that says %q", err, test.says)
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	sink := file.NewSink(sinkSettings(filepath.Join(b.TempDir(), "out")))
	if err := sink.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	var batch stream.Batch
	for range 1024 {
		batch.Append(1, nil, []byte(strings.Repeat("x", 127)), nil)
	}
	b.SetBytes(128)
	b.ReportAllocs()
	for written := 0; written < b.N; written += batch.Len() {
		if written%(1<<20) == 0 {
			sink.Close()
			sink = file.NewSink(sinkSettings(filepath.Join(b.TempDir(), "out")))
			sink.Open(b.Context())
		}
		if err := sink.Write(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	sink.Close()
}
