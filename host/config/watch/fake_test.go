package watch

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// fake is a backend that tells what a test has it tell.
type fake struct {
	events chan fsnotify.Event
	errs   chan error

	mu   sync.Mutex
	dirs map[string]bool
	full error  // what Add says
	meet func() // called by Add once
	shut bool
}

func newFake() *fake {
	return &fake{events: make(chan fsnotify.Event), errs: make(chan error), dirs: map[string]bool{}}
}

func (f *fake) channels() (<-chan fsnotify.Event, <-chan error) { return f.events, f.errs }

func (f *fake) Add(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs[dir] = true
	if f.meet != nil {
		f.meet()
		f.meet = nil
	}
	return f.full
}

func (f *fake) Remove(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.dirs, dir)
	return nil
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.shut {
		f.shut = true
		close(f.events)
		close(f.errs)
	}
	return nil
}

func (f *fake) fill(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = err
}

func (f *fake) meets(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meet = do
}

func (f *fake) written(path string) { f.events <- fsnotify.Event{Name: path, Op: fsnotify.Write} }

// timed is a watcher in a bubble, with what it told and when.
type timed struct {
	t     *testing.T
	w     *Watcher
	fake  *fake
	dir   string
	path  string
	begin time.Time
	last  Snapshot // read it after synctest.Wait

	mu      sync.Mutex
	told    []string // as in "200ms a.yaml two"
	notices []string
}

// inBubble runs a test with a clock of its own, on a folder whose a.yaml holds "one".
func inBubble(t *testing.T, large bool, backend func(*fake) func() (backend, error), test func(*timed)) {
	t.Helper()
	inBubbleWith(t, large, backend, func(*Watcher) {}, test)
}

// inBubbleWith is inBubble with a watcher that is prepared before it runs.
func inBubbleWith(t *testing.T, large bool, backend func(*fake) func() (backend, error), prepare func(*Watcher), test func(*timed)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &timed{t: t, fake: newFake(), dir: dir, path: filepath.Join(dir, "a.yaml"), begin: time.Now()}
		write(t, h.path, "one")
		h.w = New(Options{
			Targets: []Target{{Path: dir, Pattern: "*.yaml", Large: large}},
			Notice:  func(text string) { h.add(&h.notices, text) },
		})
		h.w.backend = backend(h.fake)
		prepare(h.w)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { h.w.Run(ctx) })
		running.Go(func() {
			for {
				snap, err := h.w.Next(ctx, h.last)
				if err != nil {
					return
				}
				for _, c := range snap.Since(h.last) {
					content := describe(c.Is)
					if large && c.Is.State == Present {
						content = fmt.Sprint(c.Is.Size)
					}
					h.add(&h.told, fmt.Sprintf("%v %s %s", time.Since(h.begin), filepath.Base(c.Name), content))
				}
				h.last = snap
			}
		})
		synctest.Wait()
		test(h)
		cancel()
		running.Wait()
	})
}

func (h *timed) add(to *[]string, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*to = append(*to, text)
}

// take returns what was added since the last time.
func (h *timed) take(from *[]string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	texts := *from
	*from = nil
	return texts
}

func hears(f *fake) func() (backend, error) { return func() (backend, error) { return f, nil } }

// expect waits and checks what was told since the last time.
func (h *timed) expect(after time.Duration, want ...string) {
	h.t.Helper()
	time.Sleep(after)
	synctest.Wait()
	if got := strings.Join(h.take(&h.told), "; "); got != strings.Join(want, "; ") {
		h.t.Errorf("told %q, want %q", got, want)
	}
}

func (h *timed) noticed(want ...string) {
	h.t.Helper()
	got := h.take(&h.notices)
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		h.t.Errorf("noticed %q, want %q", got, want)
	}
}
