package watch

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options say what to watch, and how. The zero value of a duration is its default.
type Options struct {
	Targets []Target // a name that several stand for is the first one's

	Settle time.Duration // how long a file rests until it is told; 200 ms
	Grace  time.Duration // the same for a file that is missing, empty or unreadable; 2 s
	Cap    time.Duration // how long a small file that does not rest stays untold; 2 s
	Poll   time.Duration // between looks when nothing is heard; 10 s

	// Notice says that changes cannot be heard of, so that they are looked for, or
	// that they are heard again. It is called by Run and must not block. It may be nil.
	Notice func(text string)
}

// Target is a file, or files of a folder. It need not exist, nor what it is in, and it
// may be a symbolic link, or lie behind some.
type Target struct {
	Path     string
	Pattern  string // which files of the folder Path, as for filepath.Match; "" = Path is a file
	Large    bool   // by hash alone, and told only when two looks agree on it
	MaxBytes int64  // of one file; a larger one is Unreadable. 0 = 1 MiB, or 1 GiB if Large

	open func(path string) (*os.File, error)
}

// How often to look, and to try again to listen, when no events come.
const (
	deafPoll  = 500 * time.Millisecond
	deafRetry = 30 * time.Second
)

// Watcher watches. Run and Next are for any goroutines, Run for one at a time.
type Watcher struct {
	o       Options // with its defaults filled in
	backend func() (backend, error)
	ask     chan struct{}

	small, large, folders *tracker
	survey                *survey
	ears                  *ears // nil = there are none
	listening             map[string]bool
	deaf                  error     // why not all changes are heard
	retry                 time.Time // when to try again to have ears
	begun                 time.Time
	looked                time.Time // when the last look ended
	news                  time.Time // since when there is something to publish; zero = there is not

	mu      sync.Mutex
	current Snapshot
	changed chan struct{} // closed when current is replaced
}

// New returns a watcher that looks at nothing until Run.
func New(o Options) *Watcher {
	o.Targets = slices.Clone(o.Targets)
	for i := range o.Targets {
		t := &o.Targets[i]
		if _, err := filepath.Match(t.Pattern, ""); err != nil {
			panic("BUG: pattern " + t.Pattern + ": " + err.Error())
		}
		t.open = openFile
		if t.MaxBytes == 0 {
			t.MaxBytes = 1 << 20
			if t.Large {
				t.MaxBytes = 1 << 30
			}
		}
	}
	o.Settle = cmp.Or(o.Settle, 200*time.Millisecond)
	o.Grace = cmp.Or(o.Grace, 2*time.Second)
	o.Cap = cmp.Or(o.Cap, 2*time.Second)
	o.Poll = cmp.Or(o.Poll, 10*time.Second)
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	w := &Watcher{
		o:       o,
		backend: openNative,
		ask:     make(chan struct{}, 1),
		survey:  &survey{},
		changed: make(chan struct{}),
	}
	w.small, w.large, w.folders = w.tracker(false), w.tracker(true), w.tracker(false)
	for _, t := range o.Targets {
		if t.Pattern == "" {
			w.of(&t).track(t.Path).named = true
		} else {
			w.folders.track(t.Path).named = true
		}
	}
	return w
}

func (w *Watcher) tracker(twice bool) *tracker {
	return &tracker{settle: w.o.Settle, grace: w.o.Grace, cap: w.o.Cap, twice: twice, tracks: map[string]*track{}}
}

// of returns the tracker of a target's files, and with none that of folders.
func (w *Watcher) of(t *Target) *tracker {
	switch {
	case t == nil:
		return w.folders
	case t.Large:
		return w.large
	}
	return w.small
}

// Next waits for a snapshot that differs from the last one that the caller has seen,
// and returns the newest. The first is what the first look found, which does not wait
// for anything to settle but large files. The error is the context's.
func (w *Watcher) Next(ctx context.Context, last Snapshot) (Snapshot, error) {
	for {
		w.mu.Lock()
		current, changed := w.current, w.changed
		w.mu.Unlock()
		if current.serial > 0 && current.serial != last.serial && current.differs(last) {
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Snapshot{}, context.Cause(ctx)
		}
	}
}

// Look asks for a look at everything, as if all had been touched. It does not wait.
func (w *Watcher) Look() {
	select {
	case w.ask <- struct{}{}:
	default:
	}
}

// publish makes what the trackers tell the current snapshot, if it differs.
func (w *Watcher) publish() {
	next := Snapshot{Files: map[string]File{}, Folders: map[string]Folder{}, serial: w.current.serial + 1}
	for _, t := range []*tracker{w.small, w.large} {
		for name, k := range t.tracks {
			if k.told.State != Missing || k.told.Hash != (Hash{}) || k.named && k.since.IsZero() {
				next.Files[name] = k.told
			}
		}
	}
	for path, k := range w.folders.tracks {
		next.Folders[path] = Folder{State: k.told.State, Err: k.told.Err}
	}
	if !next.differs(w.current) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = next
	close(w.changed)
	w.changed = make(chan struct{})
}
