package side

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a file and what was heard of it.
type watched struct {
	*File
	path    string
	values  []string
	notices []string
}

func watch(t *testing.T, content string, max int64) *watched {
	t.Helper()
	w := &watched{path: filepath.Join(t.TempDir(), "rates")}
	w.write(t, content)
	w.File = NewFile(w.path, max, func(v []byte) { w.values = append(w.values, string(v)) }, func(text string) { w.notices = append(w.notices, text) })
	if err := w.Read(); err != nil {
		t.Fatal(err)
	}
	return w
}

// write writes in place.
func (w *watched) write(t *testing.T, content string) {
	t.Helper()
	if err := os.WriteFile(w.path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// backdate says that the file was changed this long ago.
func (w *watched) backdate(t *testing.T, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(w.path, at, at); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) looks(n int) {
	for range n {
		w.look()
	}
}

func (w *watched) want(t *testing.T, values ...string) {
	t.Helper()
	if !slices.Equal(w.values, values) {
		t.Errorf("handed on %q, want %q", w.values, values)
	}
}

func TestAChangeIsHandedOnOnceItRests(t *testing.T) {
	w := watch(t, "one", 10)
	w.looks(3)
	w.want(t, "one")
	w.write(t, "tw")
	w.look()
	w.want(t, "one") // it may be a part
	w.write(t, "two!")
	w.look()
	w.want(t, "one")
	w.look()
	w.want(t, "one", "two!")
	w.looks(5)
	w.want(t, "one", "two!")
}

func TestAFileThatIsMovedIntoPlace(t *testing.T) {
	w := watch(t, "one", 10)
	other := w.path + ".new"
	if err := os.WriteFile(other, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, w.path); err != nil {
		t.Fatal(err)
	}
	w.looks(2)
	w.want(t, "one", "two")
}

func TestAChangeOfTheSameSizeAndTimeIsSeenWhileItIsFresh(t *testing.T) {
	w := watch(t, "one", 10)
	w.looks(2)
	before, err := os.Stat(w.path)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "two")
	if err := os.Chtimes(w.path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	w.looks(2)
	w.want(t, "one", "two")
}

func TestAnOldFileIsNotReadAgain(t *testing.T) {
	w := watch(t, "one", 10)
	w.backdate(t, time.Hour)
	w.looks(2)
	before, err := os.Stat(w.path)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "two")
	if err := os.Chtimes(w.path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	w.looks(3)
	w.want(t, "one") // nothing tells: reading it each time would
}

func TestTheLastContentStays(t *testing.T) {
	for name, spoil := range map[string]struct {
		do  func(t *testing.T, w *watched)
		why string
	}{
		"when the file is gone":      {func(t *testing.T, w *watched) { w.remove(t) }, "no such file"},
		"when it is too large":       {func(t *testing.T, w *watched) { w.write(t, "12345678901") }, "has 11 bytes, more than the 10 of maxBytes"},
		"when it has become a pipe":  {func(t *testing.T, w *watched) { w.remove(t); w.pipe(t) }, "not a regular file"},
		"when it became a directory": {func(t *testing.T, w *watched) { w.remove(t); w.mkdir(t) }, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, "one", 10)
			spoil.do(t, w)
			w.looks(4)
			w.want(t, "one")
			if len(w.notices) != 1 || !strings.Contains(w.notices[0], spoil.why) || !strings.HasSuffix(w.notices[0], "the last content stays") {
				t.Errorf("noticed %q", w.notices)
			}
			w.remove(t)
			w.write(t, "three")
			w.looks(2)
			w.want(t, "one", "three")
			if len(w.notices) != 2 || !strings.HasSuffix(w.notices[1], "can be read again") {
				t.Errorf("noticed %q", w.notices)
			}
		})
	}
}

func (w *watched) remove(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(w.path); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) mkdir(t *testing.T) {
	t.Helper()
	if err := os.Mkdir(w.path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) pipe(t *testing.T) {
	t.Helper()
	if err := syscall.Mkfifo(w.path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatChangesWhileItIsReadIsNotTaken(t *testing.T) {
	for name, content := range map[string]string{"and grows": "one, two", "and stays as large": "two"} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, "one", 10)
			w.backdate(t, time.Minute)
			info, err := os.Stat(w.path)
			if err != nil {
				t.Fatal(err)
			}
			w.write(t, content)
			if value, _, err := w.readAs(info); !errors.Is(err, errChanging) {
				t.Errorf("read %q, %v", value, err)
			}
		})
	}
}

func TestTheFirstContentHasToBeThere(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, 11), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, why := range map[string]string{filepath.Join(dir, "none"): "no such file", dir: "not a regular file", large: "maxBytes"} {
		err := NewFile(path, 10, func([]byte) { t.Error("handed on") }, nil).Read()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %s", path, err, why)
		}
	}
}

func TestRunLooksUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, "one", 10)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		w.write(t, "second")
		time.Sleep(2*every + every/2)
		synctest.Wait()
		w.want(t, "one", "second")
		cancel()
		<-ended
		w.write(t, "three")
		time.Sleep(10 * every)
		w.want(t, "one", "second")
	})
}
