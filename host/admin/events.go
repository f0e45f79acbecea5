package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Bounds of what waits for those that listen to events.
const (
	maxListeners = 16
	maxEvents    = 1024      // that wait for one listener
	maxWaiting   = 256 << 10 // bytes of them
)

// Events passes on what happens to those that listen. Telling costs next to nothing
// while nobody does. The zero Events is ready.
type Events struct {
	heard atomic.Bool // somebody listens

	mu        sync.Mutex // leaf; held for appending only
	listeners []*listener
	ended     bool // there is nothing more to come
}

// listener is one that listens. What it does not take in time is counted and lost.
type listener struct {
	pipeline string        // the only one that it is told of; empty = all
	wake     chan struct{} // of capacity 1: there is something to take

	// Guarded by the mutex of Events.
	waiting [][]byte // events, as they are written
	bytes   int      // of waiting
	lost    uint64   // that came after the last of waiting
}

// Tell says that something happened in a pipeline, or in the process if that is empty.
// fields are names and values in turn. It may come from any goroutine and never waits
// for a listener.
func (e *Events) Tell(pipeline, event string, fields ...any) {
	if !e.heard.Load() {
		return
	}
	all := map[string]any{"event": event, "time": time.Now().UTC()}
	if pipeline != "" {
		all["pipeline"] = pipeline
	}
	for i := 0; i < len(fields); i += 2 {
		all[fields[i].(string)] = fields[i+1]
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic("BUG: admin: an event has no JSON: " + err.Error())
	}
	e.pass(pipeline, fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, text))
}

func (e *Events) pass(pipeline string, text []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.listeners {
		if l.pipeline != "" && l.pipeline != pipeline {
			continue
		}
		// After a loss nothing is kept until the rest is taken, so that it is known
		// where in the order the loss is.
		if l.lost > 0 || len(l.waiting) == maxEvents || l.bytes+len(text) > maxWaiting {
			l.lost++
		} else {
			l.waiting = append(l.waiting, text)
			l.bytes += len(text)
		}
		l.stir()
	}
}

// stir lets a listener know that there is something to take.
func (l *listener) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// listen adds a listener. leave has to be called for each.
func (e *Events) listen(pipeline string) (*listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.listeners) == maxListeners {
		return nil, &stream.Error{Code: APIBusy, Why: fmt.Sprintf("%d listen to events already", maxListeners), Fix: "end one of them"}
	}
	l := &listener{pipeline: pipeline, wake: make(chan struct{}, 1)}
	e.listeners = append(e.listeners, l)
	e.heard.Store(true)
	if e.ended {
		l.stir()
	}
	return l, nil
}

func (e *Events) leave(gone *listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners = slices.DeleteFunc(e.listeners, func(l *listener) bool { return l == gone })
	e.heard.Store(len(e.listeners) > 0)
}

// take returns what waits for a listener, how many events are lost behind that, and
// whether that is all there ever will be.
func (e *Events) take(l *listener) (waiting [][]byte, lost uint64, ended bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	waiting, lost = l.waiting, l.lost
	l.waiting, l.bytes, l.lost = nil, 0, 0
	return waiting, lost, e.ended
}

// end lets listeners take what waits for them, and go.
func (e *Events) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	for _, l := range e.listeners {
		l.stir()
	}
}
