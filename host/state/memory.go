package state

import (
	"hash/maphash"
)

// Memory is a Store in memory.
type Memory struct {
	budget *Budget
	seed   maphash.Seed
	groups []shelf

	history *history
}

var _ Store = (*Memory)(nil)

// shelf is a group's table and, once it was ranged over, the order of its keys.
type shelf struct {
	table
	order *order   // nil: not asked for yet
	_     [64]byte // keeps the counters of neighbours on cache lines of their own
}

// NewMemory returns an empty store of so many groups, from 1 to 65536.
func NewMemory(groups int, budget *Budget) *Memory {
	m := &Memory{budget: budget, seed: maphash.MakeSeed(), groups: make([]shelf, groups), history: newHistory(groups, budget)}
	for g := range m.groups {
		m.groups[g].table.reset(m.seed, budget)
		m.groups[g].now = minTime
	}
	return m
}

// Value implements Store.
func (m *Memory) Value(g Group, key []byte) ([]byte, bool) {
	t := &m.groups[g].table
	_, r, found := t.find(key)
	if !found {
		return nil, false
	}
	d := t.arena.at(r)
	if small(d) {
		at := smallHead + int(d[1])
		return d[at : at+int(d[3]) : at+int(d[3])], true
	}
	e := decode(d)
	if e.timed && t.ended(e, d) {
		return nil, false
	}
	return e.valueOf(d), true
}

// Edit is Value for a value that is written to, at its length, until the next Put,
// Delete, Reserve or Freeze: it counts as a change itself. What it saves is
// the search of a Put.
func (m *Memory) Edit(g Group, key []byte) ([]byte, bool) {
	t := &m.groups[g].table
	_, r, found := t.find(key)
	if !found {
		return nil, false
	}
	d := t.arena.at(r)
	if !small(d) && t.ended(decode(d), d) {
		return nil, false
	}
	if t.arena.track != nil {
		t.arena.touch(r)
		d = t.arena.at(r)
	}
	if small(d) {
		at := smallHead + int(d[1])
		return d[at : at+int(d[3]) : at+int(d[3])], true
	}
	return decode(d).valueOf(d), true
}

// Put implements Store.
func (m *Memory) Put(g Group, key, value []byte, expires int64) error {
	t := &m.groups[g].table
	if _, ok := t.put(key, value, expires); !ok {
		return m.budget.full(len(key) + len(value))
	}
	if t.timed > 0 {
		t.sweep(sweepStep)
	}
	t.tidy()
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(g Group, key []byte) {
	t := &m.groups[g].table
	if slot, _, found := t.find(key); found {
		t.remove(slot)
		t.tidy()
	}
}

// Range implements Store.
func (m *Memory) Range(g Group, prefix []byte, visit func(key, value []byte) bool) {
	s := &m.groups[g]
	if s.order == nil {
		s.order = newOrder(&s.table)
		s.follower = s.order
	}
	s.order.each(prefix, visit)
}

// Expire implements Store.
func (m *Memory) Expire(g Group, now int64) {
	t := &m.groups[g].table
	t.now = max(t.now, now)
}

// Reserve implements Store.
func (m *Memory) Reserve(g Group, entries, bytes int) error {
	if !m.groups[g].promise(entries, bytes, 0) {
		return m.budget.full(bytes)
	}
	return nil
}

// Release implements Store.
func (m *Memory) Release(g Group) { m.groups[g].release() }

// Usage implements Store.
func (m *Memory) Usage() (u Usage) {
	for g := range m.groups {
		u.add(&m.groups[g].table)
	}
	u.Held += m.history.copies.Load()
	return u
}

func (u *Usage) add(t *table) {
	u.Keys += t.keys.Load()
	u.Bytes += t.bytes.Load()
	u.Held += t.arena.purse.owned.Load()
}
