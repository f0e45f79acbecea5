package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestNothingIsLeftAfterRun: more watchers one after the other than inotify allows at
// once, and no goroutine of theirs.
func TestNothingIsLeftAfterRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), "one")
	before := runtime.NumGoroutine()
	for range 200 {
		w := New(Options{
			Targets: []Target{{Path: dir, Pattern: "*.yaml"}},
			Notice:  func(text string) { t.Error(text) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx)
		}()
		_, err := w.Next(ctx, Snapshot{})
		must(t, err)
		cancel()
		<-done
		if _, err := w.Next(ctx, w.current); err == nil {
			t.Error("there is news after the end")
		}
	}
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

func TestALookThatIsCutShortTellsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wasm")
	write(t, path, "one")
	w := New(Options{Targets: []Target{{Path: path}}})
	w.backend = hears(newFake())
	ctx, cancel := context.WithCancel(t.Context())
	w.o.Targets[0].open = func(path string) (*os.File, error) {
		cancel()
		return openFile(path)
	}
	w.Run(ctx)
	if w.current.serial != 0 || !w.looked.IsZero() {
		t.Errorf("told %+v", w.current)
	}
}

// TestWhatIsNotTouchedIsNotRead: a poll costs no reading, and an event that of one file.
func TestWhatIsNotTouchedIsNotRead(t *testing.T) {
	var mu sync.Mutex
	var opened []string // guarded by mu
	noting := func(w *Watcher) {
		w.o.Targets[0].open = func(path string) (*os.File, error) {
			mu.Lock()
			defer mu.Unlock()
			opened = append(opened, filepath.Base(path))
			return openFile(path)
		}
	}
	read := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(opened) }
	inBubbleWith(t, false, hears, noting, func(h *timed) {
		first := len(read()) // of a.yaml
		write(t, filepath.Join(h.dir, "b.yaml"), "one")
		h.expect(time.Hour, `0s a.yaml "one"`, `10.2s b.yaml "one"`)
		if got := read()[first:]; fmt.Sprint(got) != "[b.yaml b.yaml]" { // until it rests
			t.Errorf("read %v", got)
		}
		h.fake.written(h.path)
		h.expect(time.Hour)
		if got := read()[first:]; fmt.Sprint(got) != "[b.yaml b.yaml a.yaml]" {
			t.Errorf("read %v", got)
		}
	})
}

// TestAFolderWithTooManyFiles keeps those that it had.
func TestAFolderWithTooManyFiles(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		for i := range maxFiles {
			write(t, filepath.Join(h.dir, fmt.Sprint(i, ".yaml")), "")
		}
		write(t, h.path, "second")
		h.expect(time.Minute, `10.2s a.yaml "second"`)
		if f := h.last.Folders[h.dir]; f.State != Unreadable || !strings.Contains(f.Err.Error(), fmt.Sprint(maxFiles)) {
			t.Errorf("the folder is %+v", f)
		}
		must(t, os.Remove(filepath.Join(h.dir, "0.yaml")))
		h.w.Look()
		time.Sleep(time.Minute)
		synctest.Wait()
		if f := h.last.Folders[h.dir]; f.State != Present || len(h.last.Files) != maxFiles {
			t.Errorf("the folder is %+v, and has %d files", f, len(h.last.Files))
		}
	})
}
