package abitest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/abi"
)

// State is what a host keeps for guests of kind process, by key: the simplest there
// is. Nothing in it ends. Its methods are what the guest's functions call, with the
// index of a record of the frame under way.
type State struct {
	values map[name]kept
	timers map[timer]int64
	frame  []Record
	wrote  map[int]bool // records of the frame for which something was changed
}

type name struct{ key, name string }

type kept struct {
	value string
	until int64 // by the time of the record and its ttl; 0 = for ever
}

type timer struct {
	key, name string
	clock     int
}

// NewState returns one that is empty.
func NewState() *State {
	return &State{values: map[name]kept{}, timers: map[timer]int64{}}
}

// Begin says which frame the guest is about to get.
func (s *State) Begin(frame []Record) { s.frame, s.wrote = frame, map[int]bool{} }

// Records returns how many records the frame has.
func (s *State) Records() int { return len(s.frame) }

// Get implements state_get.
func (s *State) Get(record int, n []byte) ([]byte, bool) {
	v, ok := s.values[s.name(record, n)]
	return []byte(v.value), ok
}

// Put implements state_put.
func (s *State) Put(record int, n, value []byte, ttl int64) error {
	v := kept{value: string(value)}
	if ttl > 0 {
		v.until = s.frame[record].Time + ttl
	}
	s.values[s.name(record, n)] = v
	s.wrote[record] = true
	return nil
}

// Delete implements state_delete.
func (s *State) Delete(record int, n []byte) error {
	delete(s.values, s.name(record, n))
	s.wrote[record] = true
	return nil
}

// List implements state_list.
func (s *State) List(record int, prefix []byte, visit func(name, value []byte) bool) {
	for _, n := range slices.SortedFunc(maps.Keys(s.values), func(a, b name) int { return cmp.Compare(a.name, b.name) }) {
		if n.key == s.frame[record].Key && strings.HasPrefix(n.name, string(prefix)) && !visit([]byte(n.name), []byte(s.values[n].value)) {
			return
		}
	}
}

// SetTimer implements timer_set.
func (s *State) SetTimer(record, clock int, n []byte, at int64) error {
	s.timers[timer{s.frame[record].Key, string(n), clock}] = at
	s.wrote[record] = true
	return nil
}

// DeleteTimer implements timer_delete.
func (s *State) DeleteTimer(record, clock int, n []byte) error {
	delete(s.timers, timer{s.frame[record].Key, string(n), clock})
	s.wrote[record] = true
	return nil
}

// Timer returns when a timer of a key is to fire, and false if it is not set.
func (s *State) Timer(key string, clock int, name string) (at int64, ok bool) {
	at, ok = s.timers[timer{key, name, clock}]
	return at, ok
}

func (s *State) name(record int, n []byte) name { return name{s.frame[record].Key, string(n)} }

// fire takes the first timer of each key out, as the records that a guest gets.
func (s *State) fire() (frame []Record) {
	first := map[string]timer{}
	earlier := func(a, b timer) bool {
		return cmp.Or(cmp.Compare(s.timers[a], s.timers[b]), cmp.Compare(a.clock, b.clock), cmp.Compare(a.name, b.name)) < 0
	}
	for t := range s.timers {
		if f, ok := first[t.key]; !ok || earlier(t, f) {
			first[t.key] = t
		}
	}
	for _, key := range slices.Sorted(maps.Keys(first)) {
		t := first[key]
		frame = append(frame, Record{Time: s.timers[t], Key: key, Value: t.name, kind: abi.InEventTimer + uint32(t.clock)})
		delete(s.timers, t)
	}
	return frame
}

// copy is for going back to.
func (s *State) copy() *State {
	return &State{values: maps.Clone(s.values), timers: maps.Clone(s.timers)}
}

// of is the state of some keys.
func (s *State) of(keys map[string]bool) *State {
	c := s.copy()
	maps.DeleteFunc(c.values, func(n name, _ kept) bool { return !keys[n.key] })
	maps.DeleteFunc(c.timers, func(t timer, _ int64) bool { return !keys[t.key] })
	return c
}

// differs says what one state has and another has not.
func (s *State) differs(other *State, here, there string) error {
	for n := range s.values {
		if a, b := s.values[n], other.values[n]; a != b {
			return fmt.Errorf("under the name %.40q of key %.40q is %.80q until %d %s, and %.80q until %d %s", n.name, n.key, a.value, a.until, here, b.value, b.until, there)
		}
	}
	for t := range s.timers {
		if a, b := s.timers[t], other.timers[t]; a != b {
			return fmt.Errorf("the timer %.40q of key %.40q is at %d %s, and %d %s", t.name, t.key, a, here, b, there)
		}
	}
	if len(s.values) != len(other.values) || len(s.timers) != len(other.timers) {
		return fmt.Errorf("%d names and %d timers are set %s, %d and %d %s", len(s.values), len(s.timers), here, len(other.values), len(other.timers), there)
	}
	return nil
}
