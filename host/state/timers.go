package state

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync/atomic"
)

// Timers holds points in time by group, key and name: at most one for a key and
// a name. A vertex has one for event time and one for processing time. It knows
// no clock, and times are of any unit. Concurrency is as for Store.
type Timers struct {
	budget *Budget
	groups []timerGroup
	next   []atomic.Int64 // the earliest time of each group; noTimer: none

	history *history
}

const noTimer = math.MaxInt64

// timerGroup is the timers of a group: entries of key (uvarint len(name), name,
// key) and value (at 8 B, place in the heap 4 B), and a heap of refs to them.
type timerGroup struct {
	table
	heap timerHeap
	id   []byte // scratch: the key of an entry
	_    [64]byte
}

const timerValue = 8 + 4

// NewTimers returns no timers in so many groups, from 1 to 65536.
func NewTimers(groups int, budget *Budget) *Timers {
	t := &Timers{budget: budget, groups: make([]timerGroup, groups), next: make([]atomic.Int64, groups), history: newHistory(groups, budget)}
	seed := maphash.MakeSeed()
	for g := range t.groups {
		t.groups[g].start(seed, budget)
		t.next[g].Store(noTimer)
	}
	return t
}

func (s *timerGroup) start(seed maphash.Seed, budget *Budget) {
	s.table.reset(seed, budget)
	s.heap = timerHeap{table: &s.table}
	s.follower = &s.heap
}

// Set sets the timer of a key and a name, or moves it. Without room it changes
// nothing and returns a *stream.Error state-full; moving is never refused.
func (t *Timers) Set(g Group, at int64, key, name []byte) error {
	s := &t.groups[g]
	if !s.set(at, s.name(key, name)) {
		return t.budget.full(len(key) + len(name))
	}
	t.publish(g)
	return nil
}

// has says whether a timer is set.
func (t *Timers) has(g Group, key, name []byte) bool {
	s := &t.groups[g]
	_, _, found := s.find(s.name(key, name))
	return found
}

// Delete removes a timer. One that is not there is no error.
func (t *Timers) Delete(g Group, key, name []byte) {
	s := &t.groups[g]
	slot, r, found := s.find(s.name(key, name))
	if !found {
		return
	}
	s.heap.remove(s.heap.place(r))
	s.drop(slot)
	t.publish(g)
}

// Due takes out the earliest timer of a group if its time is up to until. Key
// and name are valid until the next change in the group. Timers of the same
// time come in an order that follows from the changes the group has seen.
func (t *Timers) Due(g Group, until int64) (at int64, key, name []byte, ok bool) {
	s := &t.groups[g]
	if len(s.heap.nodes) == 0 || s.heap.nodes[0].at > until {
		return 0, nil, nil, false
	}
	top := s.heap.nodes[0]
	s.id = append(s.id[:0], s.keyAt(top.ref)...)
	id := s.id
	n, head := binary.Uvarint(id)
	name, key = id[head:head+int(n)], id[head+int(n):]
	s.heap.remove(0)
	s.drop(s.slotOf(top.ref, id))
	t.publish(g)
	return top.at, key, name, true
}

// Next returns the earliest time of all groups, but not math.MaxInt64. Anyone may call it at any time;
// it is right for some moment during the call.
func (t *Timers) Next() (at int64, ok bool) {
	at = noTimer
	for g := range t.next {
		at = min(at, t.next[g].Load())
	}
	return at, at != noTimer
}

// NextOf returns the earliest time of a group, like Next.
func (t *Timers) NextOf(g Group) (at int64, ok bool) {
	at = t.next[g].Load()
	return at, at != noTimer
}

// Reserve is as Store.Reserve; bytes are those of keys and names.
func (t *Timers) Reserve(g Group, entries, bytes int) error {
	s := &t.groups[g]
	perEntry := timerValue + binary.MaxVarintLen32
	nodes := len(s.heap.nodes) + s.promised.entries + entries
	extra := nodeSize * int64(s.heap.grown(nodes)-cap(s.heap.nodes))
	if !s.promise(entries, bytes+entries*perEntry, extra) {
		return t.budget.full(bytes)
	}
	return nil
}

// Release is as Store.Release.
func (t *Timers) Release(g Group) { t.groups[g].release() }

// Usage is as Store.Usage; bytes are those of keys, names, times and their heap places.
func (t *Timers) Usage() (u Usage) {
	for g := range t.groups {
		u.add(&t.groups[g].table)
	}
	u.Held += t.history.copies.Load()
	return u
}

// name returns the key of a timer's entry, valid until the next call.
func (s *timerGroup) name(key, name []byte) []byte {
	s.id = binary.AppendUvarint(s.id[:0], uint64(len(name)))
	s.id = append(append(s.id, name...), key...)
	id := s.id
	if cap(id) > maxChunk {
		s.id = nil
	}
	return id
}

func (s *timerGroup) set(at int64, id []byte) bool {
	if _, r, found := s.find(id); found {
		s.heap.postpone(r, at)
		return true
	}
	if !s.heap.reserve(1) {
		return false
	}
	var value [timerValue]byte
	putInt(value[:], at)
	binary.LittleEndian.PutUint32(value[8:], unplaced)
	r, ok := s.put(id, value[:], 0)
	if ok {
		s.heap.push(at, r)
		s.tidy()
	}
	return ok
}

// drop removes the entry of a timer that has left the heap.
func (s *timerGroup) drop(slot int) {
	s.remove(slot)
	s.tidy()
}

func (t *Timers) publish(g Group) {
	at := int64(noTimer)
	if h := &t.groups[g].heap; len(h.nodes) > 0 {
		at = h.nodes[0].at
	}
	if t.next[g].Load() != at {
		t.next[g].Store(at)
	}
}
