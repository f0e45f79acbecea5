package state

import "encoding/binary"

// Parts of timers are those of a table whose values are the times.

// Freeze is as Memory.Freeze.
func (t *Timers) Freeze(full bool) *Frozen {
	return t.history.freeze(len(t.groups), t.table, 8, full)
}

// Restore is as Memory.Restore.
func (t *Timers) Restore(data []byte) error { return t.history.restore(t, len(t.groups), data) }

// Split is as Memory.Split.
func (t *Timers) Split(ranges int) { t.history.split(ranges, len(t.groups)) }

// Snapshot is as Memory.Snapshot.
func (t *Timers) Snapshot(g Group, dst []byte) []byte {
	return t.table(g).snapshot(dst, g, len(t.groups), 8)
}

func (t *Timers) table(g Group) *table { return &t.groups[g].table }

func (t *Timers) check(it item) error {
	name, head := binary.Uvarint(it.key)
	switch {
	case head <= 0 || name > uint64(len(it.key)-head) || it.expires != 0 || (len(it.value) != 8 && !it.gone):
		return corrupt("an entry is no timer")
	case binary.PutUvarint(make([]byte, binary.MaxVarintLen64), name) != head:
		return corrupt("an entry is no timer")
	}
	return nil
}

func (t *Timers) clear(g Group) {
	s := &t.groups[g]
	s.start(s.seed, t.budget)
}

func (t *Timers) bring(it item) bool { return t.groups[it.group].set(getInt(it.value), it.key) }

func (t *Timers) take(g Group, id []byte) {
	s := &t.groups[g]
	if slot, r, found := s.find(id); found {
		s.heap.remove(s.heap.place(r))
		s.remove(slot)
	}
}

func (t *Timers) settled(g Group) { t.publish(g) }
