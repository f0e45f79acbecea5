package watch

import (
	"errors"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// maxHeard bounds the names that wait to be asked for.
const maxHeard = 4096

// backend is what tells of events: fsnotify.
type backend interface {
	Add(dir string) error
	Remove(dir string) error
	Close() error // the channels are closed then
	channels() (<-chan fsnotify.Event, <-chan error)
}

type native struct{ *fsnotify.Watcher }

func (n native) channels() (<-chan fsnotify.Event, <-chan error) { return n.Events, n.Errors }

func openNative() (backend, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return native{w}, nil
}

// ears keeps what a backend tells until it is asked for, so that the backend never
// waits. Add, Remove and close are for one goroutine.
type ears struct {
	backend
	wake chan struct{} // holds one if there is something to ask for
	done chan struct{} // closed when listen has ended

	mu    sync.Mutex
	heard news
}

// news is what was heard since it was last asked for.
type news struct {
	paths map[string]bool
	lost  bool  // there was more
	dead  error // nothing more will come, and why
}

// newEars starts to listen. close ends it.
func newEars(b backend) *ears {
	e := &ears{backend: b, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go e.listen()
	return e
}

func (e *ears) close() {
	_ = e.Close() // what it frees is freed
	<-e.done
}

// take returns the news, which are then no news.
func (e *ears) take() news {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.heard
	e.heard = news{dead: n.dead}
	return n
}

var errEnded = errors.New("the notification of changes ended")

// listen ends when both channels are closed.
func (e *ears) listen() {
	defer close(e.done)
	events, errs := e.channels()
	for events != nil || errs != nil {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil
				e.note("", errEnded)
				continue
			}
			e.note(ev.Name, nil)
		case err, ok := <-errs:
			if !ok {
				errs = nil
				e.note("", errEnded)
				continue
			}
			e.note("", err)
		}
	}
}

// note takes one event, or one error.
func (e *ears) note(path string, err error) {
	e.mu.Lock()
	switch h := &e.heard; {
	case errors.Is(err, fsnotify.ErrEventOverflow), err == nil && len(h.paths) >= maxHeard:
		h.lost = true
	case err != nil:
		if h.dead == nil {
			h.dead = err
		}
	default:
		if h.paths == nil {
			h.paths = map[string]bool{}
		}
		h.paths[path] = true
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
