//go:build !wasm

package wasmill

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// State stands in for the host in the tests of a plugin: it is that of one key, and its zero
// value is empty. Nothing in it ends.
type State struct {
	Values  map[string][]byte
	Timers  map[TimerID]int64 // when they are to fire
	encoded []byte
	of      map[string]*State // in calls of the plugin: by key
}

// TimerID is what a key knows a timer by.
type TimerID struct {
	Clock Clock
	Name  string
}

// begin makes s the state of a record's key.
func (s *State) begin(r *Record, _ *Output) {
	if s.of == nil {
		s.of = map[string]*State{}
	}
	key := string(r.Key)
	if s.of[key] == nil {
		s.of[key] = &State{Values: map[string][]byte{}, Timers: map[TimerID]int64{}}
	}
	s.Values, s.Timers = s.of[key].Values, s.of[key].Timers
}

// Get returns the value under a name, and false if there is none.
func (s *State) Get(name string) ([]byte, bool) {
	v, ok := s.Values[name]
	return v, ok
}

// Put sets it. ttl means nothing here.
func (s *State) Put(name string, value []byte, ttl time.Duration) {
	if s.Values == nil {
		s.Values = map[string][]byte{}
	}
	s.Values[name] = slices.Clone(value)
}

// Delete removes it.
func (s *State) Delete(name string) { delete(s.Values, name) }

// List returns the names that begin with a prefix, with their values, in the order of their
// bytes.
func (s *State) List(prefix string) (list Headers) {
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		if strings.HasPrefix(name, prefix) {
			list = list.Append(name, string(s.Values[name]))
		}
	}
	return list
}

// SetTimer sets the timer of a name, or moves it.
func (s *State) SetTimer(c Clock, name string, at int64) {
	if s.Timers == nil {
		s.Timers = map[TimerID]int64{}
	}
	s.Timers[TimerID{c, name}] = at
}

// DeleteTimer removes it.
func (s *State) DeleteTimer(c Clock, name string) { delete(s.Timers, TimerID{c, name}) }
