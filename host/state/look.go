package state

import "encoding/binary"

// Groups returns how many there are.
func (m *Memory) Groups() int { return len(m.groups) }

// Each visits all timers of a group, in no order. What visit gets is valid during the
// call, and it must not change the group.
func (t *Timers) Each(g Group, visit func(at int64, key, name []byte)) {
	s := &t.groups[g]
	for _, n := range s.heap.nodes {
		id := s.keyAt(n.ref)
		size, head := binary.Uvarint(id)
		visit(s.heap.time(n.ref), id[head+int(size):], id[head:head+int(size)])
	}
}
