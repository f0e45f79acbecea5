package file_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// follower runs a following source in a bubble of fake time, where a poll is
// over as soon as everybody waits.
type follower struct {
	t      *testing.T
	dir    string
	cfg    file.SourceConfig
	src    *file.Source
	cancel context.CancelFunc
	ended  chan error

	mu       sync.Mutex // guards what follows
	values   []string   // read so far
	notices  []string
	position stream.Position // after the last Read
}

func (f *follower) start(after stream.Position) {
	f.t.Helper()
	f.src = file.NewSource(f.cfg, func(text string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.notices = append(f.notices, strings.ReplaceAll(text, f.dir+"/", ""))
	})
	if err := f.src.Open(f.t.Context(), after); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	f.cancel, f.ended = cancel, make(chan error, 1)
	f.position = f.src.Position(nil)
	go func() {
		var b stream.Batch
		for {
			b.Reset()
			if err := f.src.Read(ctx, &b); err != nil {
				f.ended <- err
				return
			}
			f.took(&b)
		}
	}()
}

func (f *follower) took(b *stream.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range b.Len() {
		f.values = append(f.values, string(b.Value(i)))
	}
	f.position = f.src.Position(nil)
}

// settle lets a few polls go by.
func (f *follower) settle() {
	time.Sleep(5 * f.cfg.Poll)
	synctest.Wait()
}

func (f *follower) stop() {
	f.t.Helper()
	f.cancel()
	if err := <-f.ended; err != context.Canceled {
		f.t.Errorf("ended with %v", err)
	}
	f.src.Close()
}

// restart stops the source and goes on with a new one after the last position.
func (f *follower) restart(meanwhile func()) {
	f.t.Helper()
	f.stop()
	meanwhile()
	f.start(f.position)
}

// want checks what was read after a while.
func (f *follower) want(values ...string) {
	f.t.Helper()
	f.settle()
	select {
	case err := <-f.ended:
		f.t.Fatalf("the source ended: %v", err)
	default:
	}
	f.read(values...)
}

// read checks what was read up to now.
func (f *follower) read(values ...string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.values, values) {
		f.t.Fatalf("got %q, want %q; notices %q", f.values, values, f.notices)
	}
}

func (f *follower) append(name, text string) {
	f.t.Helper()
	w, err := os.OpenFile(filepath.Join(f.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = w.WriteString(text)
		w.Close()
	}
	f.must(err)
}

func (f *follower) rename(from, to string) {
	f.t.Helper()
	f.must(os.Rename(filepath.Join(f.dir, from), filepath.Join(f.dir, to)))
}

func (f *follower) truncate(name string) {
	f.t.Helper()
	f.must(os.Truncate(filepath.Join(f.dir, name), 0))
}

func (f *follower) remove(name string) {
	f.t.Helper()
	f.must(os.Remove(filepath.Join(f.dir, name)))
}

func (f *follower) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) noticed(text string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, notice := range f.notices {
		if strings.Contains(notice, text) {
			return
		}
	}
	f.t.Errorf("no notice says %q: %q", text, f.notices)
}

func TestFollow(t *testing.T) {
	for _, test := range []struct {
		name  string
		path  string // default log
		story func(f *follower)
	}{
		{name: "what is appended is read", story: func(f *follower) {
			f.append("log", "2\n")
			f.want("1", "2")
			f.append("log", "3\n4\n")
			f.want("1", "2", "3", "4")
		}},
		{name: "an incomplete line waits until it is complete", story: func(f *follower) {
			f.append("log", "tw")
			f.want("1")
			f.append("log", "o")
			f.want("1")
			f.append("log", "!\n")
			f.want("1", "two!")
		}},
		{name: "an incomplete line is not given out when stopped, and is complete after a restart", story: func(f *follower) {
			f.append("log", "tw")
			f.want("1")
			f.restart(func() { f.append("log", "o\n") })
			f.want("1", "two")
		}},
		{name: "a renamed file is finished, then the new one is read", story: func(f *follower) {
			f.append("log", "2\n")
			f.rename("log", "log.1")
			f.append("log", "new\n")
			f.want("1", "2", "new")
			f.noticed("log was rotated")
			f.append("log", "newer\n")
			f.want("1", "2", "new", "newer")
		}},
		{name: "a renamed file is read on as long as its writer has not left it", story: func(f *follower) {
			f.rename("log", "log.1")
			f.want("1")
			f.append("log.1", "2\n")
			f.want("1", "2")
			f.append("log", "")
			f.append("log.1", "3\n")
			f.want("1", "2", "3")
			f.append("log.1", "4\n")
			f.append("log", "new\n")
			f.want("1", "2", "3", "4", "new")
		}},
		{name: "the last line of a renamed file needs no end", story: func(f *follower) {
			f.append("log", "2")
			f.want("1")
			f.rename("log", "log.1")
			f.append("log", "new\n")
			f.want("1", "2", "new")
		}},
		{name: "a renamed file is finished after a restart", story: func(f *follower) {
			f.want("1")
			f.restart(func() {
				f.append("log", "2\n")
				f.rename("log", "log.1")
				f.append("log", "new\n")
			})
			f.want("1", "2", "new")
			f.restart(func() { f.append("log", "newer\n") })
			f.want("1", "2", "new", "newer")
		}},
		{name: "a truncated file is read from its start", story: func(f *follower) {
			f.append("log", "2\n")
			f.want("1", "2")
			f.truncate("log")
			f.want("1", "2")
			f.append("log", "a\n")
			f.want("1", "2", "a")
			f.noticed("log was truncated")
		}},
		{name: "a truncated file that grew back between two looks is read from its start", story: func(f *follower) {
			f.want("1")
			f.truncate("log")
			f.append("log", "another one\n")
			f.want("1", "another one")
			f.noticed("log was truncated")
		}},
		{name: "a file that lost its end is read from its start", story: func(f *follower) {
			long := strings.Repeat("x", 2000)
			f.append("log", long+"\n2\n3\n")
			f.want("1", long, "2", "3")
			f.must(os.Truncate(filepath.Join(f.dir, "log"), int64(len("1\n"+long+"\n"))))
			f.want("1", long, "2", "3", "1", long)
		}},
		{name: "an incomplete line that is truncated is forgotten", story: func(f *follower) {
			f.append("log", "incomplete")
			f.want("1")
			f.truncate("log")
			f.append("log", "a\n")
			f.want("1", "a")
		}},
		{name: "a removed file that is made anew is read", story: func(f *follower) {
			f.append("log", "2\n")
			f.want("1", "2")
			f.remove("log")
			f.want("1", "2")
			f.append("log", "a\n")
			f.want("1", "2", "a")
		}},
		{name: "a file that is made anew at once is read", story: func(f *follower) {
			f.want("1")
			f.append("log", "2\n")
			f.remove("log")
			f.append("log", "a\n")
			f.want("1", "2", "a")
		}},
		{name: "a new file is read in the poll that sees it", story: func(f *follower) {
			f.want("1")
			f.rename("log", "log.1")
			f.append("log", "new\n")
			time.Sleep(f.cfg.Poll)
			synctest.Wait()
			f.read("1", "new")
		}},
		{name: "a file that was renamed out of sight is read on for some minutes", story: func(f *follower) {
			f.rename("log", "away")
			f.want("1")
			f.rename("away", "log")
			time.Sleep(time.Hour)
			f.rename("log", "away")
			time.Sleep(4 * time.Minute)
			f.append("away", "2\n")
			f.want("1", "2")
			time.Sleep(time.Minute)
			f.append("away", "too late\n")
			f.want("1", "2")
			f.append("log", "new\n")
			f.want("1", "2", "new")
		}},
		{name: "a file that is made anew while the source is stopped again is read", story: func(f *follower) {
			f.want("1")
			f.restart(func() { f.remove("log") })
			f.want("1")
			f.restart(func() { f.append("log", "another\n") })
			f.want("1", "another")
		}},
		{name: "a restart while the file is gone waits for it", story: func(f *follower) {
			f.want("1")
			f.restart(func() { f.remove("log") })
			f.want("1")
			f.restart(func() {})
			f.append("log", "a\n")
			f.want("1", "a")
		}},
		{name: "new files that match a glob are read", path: "log*", story: func(f *follower) {
			f.want("1")
			f.append("log2", "2\n")
			f.append("other", "no\n")
			f.want("1", "2")
			f.append("log", "3\n")
			f.want("1", "2", "3")
			f.restart(func() { f.append("log3", "4\n") })
			f.want("1", "2", "3", "4")
		}},
		{name: "a file renamed within a glob is not read again", path: "log*", story: func(f *follower) {
			f.append("log", "2\n")
			f.want("1", "2")
			f.append("log", "3\n")
			f.rename("log", "log.1")
			f.append("log", "new\n")
			f.want("1", "2", "3", "new")
			f.noticed("log was renamed to log.1")
			f.restart(func() {})
			f.want("1", "2", "3", "new")
		}},
		{name: "a removed file of a glob is given up", path: "log*", story: func(f *follower) {
			f.append("log2", "2\n")
			f.want("1", "2")
			f.remove("log")
			f.want("1", "2")
			f.append("log2", "3\n")
			f.want("1", "2", "3")
			if strings.Contains(string(f.position), `/log"`) {
				f.t.Errorf("the removed file is still in the position %s", f.position)
			}
			f.restart(func() { f.remove("log2") })
			f.append("log3", "4\n")
			f.want("1", "2", "3", "4")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				if test.path == "" {
					test.path = "log"
				}
				f := &follower{t: t, dir: dir, cfg: settings(filepath.Join(dir, test.path), func(c *file.SourceConfig) { c.Follow = true })}
				f.append("log", "1\n")
				f.start(nil)
				defer f.stop()
				test.story(f)
			})
		})
	}
}

func TestFollowRefusesAReplacedFile(t *testing.T) {
	dir := t.TempDir()
	cfg := settings(put(t, dir, "log", "1\n2\n"), func(c *file.SourceConfig) { c.Follow = true })
	after := readTo(t, open(t, cfg, nil), 2)
	put(t, dir, "log", "a\nb\nc\n")
	src := file.NewSource(cfg, nil)
	defer src.Close()
	if err := src.Open(t.Context(), after); stream.CodeOf(err) != stream.InputChanged {
		t.Errorf("got %v", err)
	}
}

func TestFollowReportsALineThatIsTooLong(t *testing.T) {
	cfg := settings(put(t, t.TempDir(), "log", "1\n123456789"), func(c *file.SourceConfig) { c.Follow, c.MaxRecordBytes = true, 4 })
	src := open(t, cfg, nil)
	readTo(t, src, 1)
	var b stream.Batch
	if err := src.Read(t.Context(), &b); stream.CodeOf(err) != stream.RecordSize || !strings.Contains(err.Error(), "log:2") {
		t.Errorf("got %v", err)
	}
}
