package wasm

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// scratchBytes is how much a trial may write, its own notes counted.
const scratchBytes = 16 << 20

// errScratch is why a trial of a plugin cannot go on; the plugin is not to blame.
var errScratch = errors.New("a trial has no room for more state")

// scratch is a Session that begins with nothing and is thrown away. Its timers never
// fire, and nothing in it ends.
type scratch struct {
	frame  *stream.Batch
	values map[string]map[string]string // by key, by name
	wrote  int                          // bytes, since it was made
	undo   []func()                     // what takes back the call under way, or the last one
}

// begin opens it for the frame of a call.
func (s *scratch) begin(frame *stream.Batch) { s.frame, s.undo = frame, s.undo[:0] }

// rollback takes back what the last call changed.
func (s *scratch) rollback() {
	for _, undo := range slices.Backward(s.undo) {
		undo()
	}
	s.undo = s.undo[:0]
}

func (s *scratch) of(record int) map[string]string { return s.values[string(s.frame.Key(record))] }

// Get implements Session.
func (s *scratch) Get(record int, name []byte) ([]byte, bool) {
	value, ok := s.of(record)[string(name)]
	return []byte(value), ok
}

// Put implements Session.
func (s *scratch) Put(record int, name, value []byte, _ int64) error {
	if err := s.note(record, name, len(value)); err != nil {
		return err
	}
	key := string(s.frame.Key(record))
	if s.values[key] == nil {
		if s.values == nil {
			s.values = make(map[string]map[string]string)
		}
		s.values[key] = make(map[string]string)
	}
	s.values[key][string(name)] = string(value)
	return nil
}

// Delete implements Session.
func (s *scratch) Delete(record int, name []byte) error {
	if err := s.note(record, name, 0); err != nil {
		return err
	}
	delete(s.of(record), string(name))
	return nil
}

// note keeps what there is under a name, before it changes.
func (s *scratch) note(record int, name []byte, more int) error {
	const notes = 128 // bytes that a change costs besides
	if s.wrote += len(s.frame.Key(record)) + len(name) + more + notes; s.wrote > scratchBytes {
		return errScratch
	}
	key, at := string(s.frame.Key(record)), string(name)
	was, had := s.values[key][at]
	s.undo = append(s.undo, func() {
		if had {
			s.values[key][at] = was
		} else {
			delete(s.values[key], at)
		}
	})
	return nil
}

// List implements Session.
func (s *scratch) List(record int, prefix []byte, visit func(name, value []byte) bool) {
	of := s.of(record)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if strings.HasPrefix(name, string(prefix)) && !visit([]byte(name), []byte(of[name])) {
			return
		}
	}
}

// SetTimer implements Session.
func (s *scratch) SetTimer(int, int, []byte, int64) error { return nil }

// DeleteTimer implements Session.
func (s *scratch) DeleteTimer(int, int, []byte) error { return nil }
