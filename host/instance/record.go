package instance

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// recordFormat is the format of Record.
const recordFormat = 1

// Record is what is on the disk of where an instance is in its life.
type Record struct {
	Format int       `json:"format"`
	State  State     `json:"state"`
	Since  time.Time `json:"since"` // of State
	Reason string    `json:"reason,omitempty"`
	Exit   int       `json:"exit"` // with what its last worker has ended

	Revision uint64   `json:"revision"`         // that was ready, 0 = none yet
	Binary   *Binary  `json:"binary,omitempty"` // of its keeper, or the last one's; nil = it has had none, or an older one
	Stores   []string `json:"stores,omitempty"` // that it has had checkpoints in, as checkpoint.storage has them, with whole paths
}

var errUnknownState = errors.New("there is no such state")

func readRecord(dir string) (r Record, err error) {
	name := filepath.Join(dir, recordFile)
	if err := readJSON(name, &r, recordFormat); err != nil {
		return r, err
	}
	if !r.State.known() {
		return r, damaged(name, errUnknownState)
	}
	return r, nil
}

// ledger moves the state of an instance, for the process that has its lock. Each move is on
// the disk before it counts.
type ledger struct {
	dir   string
	moved func(from, to State, reason string) // nil = nobody listens

	mu  sync.Mutex // guards
	now Record
}

// openLedger reads what is on the disk.
func openLedger(dir string, moved func(from, to State, reason string)) (*ledger, error) {
	r, err := readRecord(dir)
	return &ledger{dir: dir, moved: moved, now: r}, err
}

// read returns what is on the disk.
func (l *ledger) read() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// move takes an event, if it has a place in the state that there is, after change has put
// down what else is to be known; nil = nothing is.
func (l *ledger) move(e Event, reason string, change func(*Record)) (moved bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to, ok := next(l.now.State, e)
	if !ok {
		return false, nil
	}
	r := l.now
	r.State, r.Since, r.Reason = to, time.Now().UTC(), reason
	if change != nil {
		change(&r)
	}
	if err := writeJSON(filepath.Join(l.dir, recordFile), r); err != nil {
		return false, fault(err)
	}
	from := l.now.State
	l.now = r
	if l.moved != nil {
		l.moved(from, to, reason)
	}
	return true, nil
}

// stores puts down a store before something may be in it.
func (l *ledger) stores(at string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at == "" || slices.Contains(l.now.Stores, at) {
		return nil
	}
	r := l.now
	r.Stores = append(slices.Clone(r.Stores), at)
	if err := writeJSON(filepath.Join(l.dir, recordFile), r); err != nil {
		return fault(err)
	}
	l.now = r
	return nil
}
