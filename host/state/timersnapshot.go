package state

import "encoding/binary"

// A snapshot of a group's timers is one of a table whose values are the times,
// and so has the same version and the same checks.

// Version implements Snapshots.
func (t *Timers) Version(g Group) uint64 { return t.groups[g].version }

// Snapshot implements Snapshots.
func (t *Timers) Snapshot(g Group, dst []byte) []byte {
	s := &t.groups[g]
	start := len(dst)
	dst = append(dst, snapshotVersion, 0, 0, 0, 0)
	s.each(func(_ ref, d []byte, e entry) bool {
		dst = binary.AppendUvarint(dst, uint64(e.key))
		dst = binary.AppendUvarint(dst, 8<<1)
		dst = append(dst, e.keyOf(d)...)
		dst = append(dst, e.valueOf(d)[:8]...)
		return true
	})
	binary.LittleEndian.PutUint32(dst[start+1:], uint32(len(s.heap.nodes)))
	return dst
}

// Restore implements Snapshots.
func (t *Timers) Restore(g Group, data []byte) error {
	s := &t.groups[g]
	fresh := new(timerGroup)
	fresh.start(s.seed, t.budget)
	if err := readSnapshot(data, fresh.bring); err != nil {
		fresh.start(s.seed, t.budget)
		return err
	}
	s.start(s.seed, t.budget)
	s.adopt(&fresh.table)
	s.heap.nodes = fresh.heap.nodes
	s.follower = &s.heap
	s.version++
	t.publish(g)
	return nil
}

// bring adds a timer of a snapshot.
func (s *timerGroup) bring(id, value []byte, expires int64) error {
	name, head := binary.Uvarint(id)
	if expires != 0 || len(value) != 8 || head <= 0 || name > uint64(len(id)-head) {
		return corrupt("an entry is no timer")
	}
	if binary.PutUvarint(make([]byte, binary.MaxVarintLen64), name) != head {
		return corrupt("an entry is no timer")
	}
	before := len(s.heap.nodes)
	if !s.set(getInt(value), id) {
		return s.arena.purse.budget.full(len(id))
	}
	if len(s.heap.nodes) == before {
		return corrupt("two timers have the same key and name")
	}
	return nil
}
