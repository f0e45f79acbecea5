package watch

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// openEars starts to hear, or says why that cannot be.
func (w *Watcher) openEars() {
	b, err := w.backend()
	if err != nil {
		w.retry = time.Now().Add(deafRetry)
		w.setDeaf(err)
		return
	}
	w.ears = newEars(b)
}

// deafen ends the ears.
func (w *Watcher) deafen() {
	if w.ears != nil {
		w.ears.close()
	}
	w.ears, w.listening = nil, nil
}

// listen hears what happens in folders, and no longer in others. One that is listened
// to already is taken up again, because another may stand under its name now.
func (w *Watcher) listen(dirs map[string]bool) {
	if w.ears == nil {
		return
	}
	var failed error
	for dir := range dirs {
		if err := w.ears.Add(dir); err != nil && !missing(err) {
			failed = fmt.Errorf("%s: %w", dir, err)
		}
	}
	for dir := range w.listening {
		if !dirs[dir] {
			_ = w.ears.Remove(dir) // it may be gone
		}
	}
	w.listening = dirs
	w.setDeaf(failed)
}

// setDeaf says once why changes are not heard, and once that they are again.
func (w *Watcher) setDeaf(err error) {
	was := w.deaf
	w.deaf = err
	switch {
	case err != nil && was == nil:
		w.o.Notice(fmt.Sprintf("the system does not tell of changed files (%v%s): they are looked for every %v",
			err, limits(err), min(w.o.Poll, deafPoll)))
	case err == nil && was != nil:
		w.o.Notice("the system tells of changed files again")
	}
}

// limits says what may be raised where the system has run out.
func limits(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return "; on Linux, fs.inotify.max_user_watches or max_user_instances may be too low"
	}
	return ""
}
