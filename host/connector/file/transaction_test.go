package file_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// shown returns the lines of the files of a folder that are not hidden, in the order
// of their names. Each has to end with a whole line.
func shown(t testing.TB, dir string) (lines []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		text := content(filepath.Join(dir, entry.Name()))
		if text != "" && !strings.HasSuffix(text, "\n") {
			t.Fatalf("%s ends in %q", entry.Name(), text[max(0, len(text)-20):])
		}
		lines = slices.AppendSeq(lines, strings.Lines(text))
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\n")
	}
	return lines
}

var transactional = []struct {
	name   string
	path   string
	change func(*file.SinkConfig)
	late   bool
}{
	{name: "a file that is replaced", path: "out", change: func(*file.SinkConfig) {}},
	{name: "a file that is appended to", path: "out", change: func(c *file.SinkConfig) { c.Append, c.BufferBytes = true, 1 }},
	{name: "a part for each checkpoint", path: "out-{part}.txt", change: func(*file.SinkConfig) {}},
	{name: "parts of a size", path: "{part}", change: func(c *file.SinkConfig) { c.Roll.Size = 100 }, late: true},
	{name: "parts that are small", path: "{part}", change: func(c *file.SinkConfig) { c.Roll.Size = 1 }, late: true},
}

func TestTransactionalConformance(t *testing.T) {
	for _, test := range transactional {
		t.Run(test.name, func(t *testing.T) {
			connectortest.TestTransactional(t, connectortest.Transactional{
				New: func(t *testing.T) (func() stream.Transactional, func() []string) {
					dir := t.TempDir()
					cfg := sinkSettings(filepath.Join(dir, test.path), test.change)
					return func() stream.Transactional { return file.NewSink(cfg) }, func() []string { return shown(t, dir) }
				},
				Late: test.late,
			})
		})
	}
}

// A world of a sink, for tests that go on by steps.
type world struct {
	t      *testing.T
	cfg    file.SinkConfig
	sink   *file.Sink
	commit []byte
}

func newWorld(t *testing.T, path string, change ...func(*file.SinkConfig)) *world {
	return &world{t: t, cfg: sinkSettings(path, change...)}
}

// start begins with a sink, after a commit if there is one.
func (w *world) start() error {
	w.sink = file.NewSink(w.cfg)
	var commits [][]byte
	if w.commit != nil {
		commits = [][]byte{w.commit}
	}
	return errors.Join(w.sink.Open(w.t.Context()), w.sink.Recover(w.t.Context(), commits))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(values ...string) {
	w.t.Helper()
	var b stream.Batch
	for _, v := range values {
		b.Append(1, nil, []byte(v), nil)
	}
	w.must(w.sink.Write(w.t.Context(), &b))
}

func (w *world) prepare(epoch uint64) {
	w.t.Helper()
	var err error
	w.commit, err = w.sink.Prepare(w.t.Context(), stream.Epoch(epoch))
	w.must(err)
}

func (w *world) epoch(epoch uint64, values ...string) {
	w.t.Helper()
	w.write(values...)
	w.prepare(epoch)
	w.must(w.sink.Commit(w.t.Context(), w.commit))
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestAFreshStartReplacesTheFileAtItsFirstCommit(t *testing.T) {
	for _, test := range []struct {
		name   string
		append bool
		want   []string // what the file holds at each step
	}{
		{"replacing", false, []string{"old\n", "old\n", "old\n", "a\n", "a\n"}},
		{"appending", true, []string{"old\n", "old\n", "old\n", "old\na\n", "old\na\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, dir, "out", "old\n")
			w := newWorld(t, path, func(c *file.SinkConfig) { c.Append = test.append })
			var got []string
			step := func(err error) {
				t.Helper()
				w.must(err)
				got = append(got, content(path))
			}
			step(w.start())
			w.write("a")
			step(w.sink.Flush(t.Context()))
			w.prepare(1)
			step(nil)
			step(w.sink.Commit(t.Context(), w.commit))
			step(w.sink.Close())
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the mode of the file is now %v", info.Mode())
			}
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestPartsAreNamedByEpochAndIndex(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "a-{part}.log"), func(c *file.SinkConfig) { c.Roll.Size = 4 })
	w.must(w.start())
	for range 3 {
		w.write("123")
	}
	w.prepare(7)
	w.must(w.sink.Commit(t.Context(), w.commit))
	w.write("1")
	w.prepare(8) // goes on
	w.must(w.sink.Commit(t.Context(), w.commit))
	w.write("2")
	w.prepare(9)
	w.must(w.sink.Commit(t.Context(), w.commit))
	w.must(w.sink.Close())
	want := []string{".a-part.log.wasmill", "a-00000007-0000.log", "a-00000007-0001.log", "a-00000007-0002.log", "a-00000008-0000.log"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	w.commit = nil // a fresh start keeps them and counts on
	w.must(w.start())
	w.epoch(1, "123")
	w.must(w.sink.Close())
	if got := names(t, dir); !slices.Equal(got, append(want, "a-00000009-0000.log")) {
		t.Errorf("got %q", got)
	}
}

func TestAPartEndsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := newWorld(t, filepath.Join(dir, "{part}"), func(c *file.SinkConfig) { c.Roll.Time = time.Minute })
		w.must(w.start())
		for epoch := range uint64(4) {
			w.epoch(epoch+1, fmt.Sprint(epoch))
			if got, want := len(shown(t, dir)), map[bool]int{true: 2}[epoch >= 2]; got != want {
				t.Errorf("epoch %d: %d lines are seen, want %d", epoch+1, got, want)
			}
			if epoch == 1 { // the time counts through a restart
				w.must(w.start())
			}
			time.Sleep(30 * time.Second)
		}
	})
}

func TestPartsWithoutCheckpoints(t *testing.T) {
	dir := t.TempDir()
	for run := range 2 {
		sink := newWorld(t, filepath.Join(dir, "{part}"), func(c *file.SinkConfig) { c.Roll.Size = 4 })
		sink.sink = file.NewSink(sink.cfg)
		sink.must(sink.sink.Open(t.Context()))
		sink.write("123")
		sink.write("1")
		sink.must(sink.sink.Flush(t.Context()))
		if got := shown(t, dir); len(got) != 1+2*run {
			t.Errorf("seen before the end: %q", got)
		}
		sink.must(sink.sink.Close())
	}
	if left := names(t, dir); len(left) != 4 {
		t.Errorf("left behind: %q", left)
	}
	if got := shown(t, dir); !slices.Equal(got, []string{"123", "1", "123", "1"}) {
		t.Errorf("got %q in %q", got, names(t, dir))
	}
}

// The file is as after a loss of power while a commit was under way.
func TestATornAppendIsRepeated(t *testing.T) {
	for name, tail := range map[string]string{"nothing": "", "a half": "b", "all": "b\n", "zeros": "\x00\x00", "some zeros": "b\x00"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := newWorld(t, filepath.Join(dir, "out"))
			w.must(w.start())
			w.epoch(1, "a")
			w.write("b")
			w.prepare(2)
			put(t, dir, "out", "a\n"+tail)
			w.must(w.start())
			if got := content(filepath.Join(dir, "out")); got != "a\nb\n" {
				t.Errorf("the file holds %q", got)
			}
		})
	}
}

// A system may say once that it could not write, and forget what it had to.
func TestAPartThatTheDiskDidNotTakeIsWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "out"))
	w.must(w.start())
	fails := 1
	w.sink.Between(func(name string) error {
		if name == "prepare: sync" && fails > 0 {
			fails--
			return syscall.EIO
		}
		return nil
	}, nil)
	w.write("a")
	if _, err := w.sink.Prepare(t.Context(), 1); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
	before, err := os.Stat(hiddenFiles(t, dir)[0])
	w.must(err)
	w.epoch(2, "b")
	after, err := os.Stat(filepath.Join(dir, "out"))
	w.must(err)
	if os.SameFile(before, after) {
		t.Error("the file that failed is in use")
	}
	if got := shown(t, dir); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}

func TestADeviceHasTheDataWhenItIsPrepared(t *testing.T) {
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer r.Close()
	w := newWorld(t, fmt.Sprintf("/dev/fd/%d", pipe.Fd()))
	w.must(w.start())
	w.epoch(1, "1")
	got := make([]byte, 2)
	if n, err := r.Read(got); err != nil || string(got[:n]) != "1\n" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	w.must(w.start())
	w.epoch(2, "2")
}

func TestRecoverComesFirst(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "out"))
	w.sink = file.NewSink(w.cfg)
	w.write("a")
	if _, err := w.sink.Prepare(t.Context(), 1); stream.CodeOf(err) != stream.Internal {
		t.Errorf("got %v", err)
	}
	w.sink = file.NewSink(w.cfg)
	w.prepare(1) // this alone will do
	w.epoch(2, "a")
}

func TestCommitsWhileRecordsAreWritten(t *testing.T) {
	for _, test := range transactional {
		dir := t.TempDir()
		w := newWorld(t, filepath.Join(dir, test.path), test.change)
		w.must(w.start())
		commits := make(chan []byte, 1)
		done := make(chan error)
		go func() {
			var err error
			for c := range commits {
				err = errors.Join(err, w.sink.Commit(context.Background(), c))
			}
			done <- err
		}()
		var want []string
		for epoch := range uint64(20) {
			for range 5 {
				want = append(want, fmt.Sprint(len(want)))
				w.write(want[len(want)-1])
			}
			w.prepare(epoch + 1)
			commits <- w.commit
		}
		close(commits)
		w.must(<-done)
		w.must(w.sink.Close())
		if got := shown(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", test.name, got)
		}
	}
}

func FuzzCommit(f *testing.F) {
	for _, test := range transactional {
		w := &world{cfg: sinkSettings(filepath.Join(f.TempDir(), test.path), test.change)}
		sink := file.NewSink(w.cfg)
		var b stream.Batch
		b.Append(1, nil, []byte("some value"), nil)
		if err := sink.Recover(f.Context(), nil); err != nil {
			f.Fatal(err)
		}
		for epoch := range uint64(2) {
			if err := sink.Write(f.Context(), &b); err != nil {
				f.Fatal(err)
			}
			commit, err := sink.Prepare(f.Context(), stream.Epoch(epoch+1))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(commit)
		}
	}
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"path":"/a","epoch":1,"parts":[{"file":"../../AAAAAAAAAAAAAAAAAAAA-0","len":1,"sum":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		again, err := file.CheckCommit(text)
		if err != nil {
			if code := stream.CodeOf(err); code != stream.PositionInvalid && code != stream.CheckpointFormat {
				t.Errorf("got %v", err)
			}
			return
		}
		once, err := file.CheckCommit(again)
		if err != nil || !bytes.Equal(once, again) {
			t.Errorf("%s became %s, %v", again, once, err)
		}
	})
}
