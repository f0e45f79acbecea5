package state

import (
	"bytes"
	"hash/maphash"
	"runtime"
)

// Find is Edit for many keys at once, each in the group at its index: it sets
// values[i] to the value of a key, which may be written to at its length, or to nil
// if it is not there. A value is valid until its key is put or deleted, and until
// Moves of its group changes. It costs a part of the time of as many Edits.
//
// The loads stand alone in short loops, as in Warm.
func (m *Memory) Find(groups []Group, keys, values [][]byte) {
	for len(keys) > 0 {
		n := min(len(keys), warmStep)
		m.find(groups[:n], keys[:n], values[:n])
		groups, keys, values = groups[n:], keys[n:], values[n:]
	}
}

// Moves grows whenever values of a group may have got to other places, but for that
// of a Put. Put, Delete, Reserve and Freeze may do that.
func (m *Memory) Moves(g Group) uint64 { return m.groups[g].moves }

// find is Find for at most warmStep keys.
func (m *Memory) find(groups []Group, keys, values [][]byte) {
	var hashes [warmStep]uint64
	var slots [warmStep]*uint64
	var refs [warmStep]ref
	none, sum := uint64(0), uint64(0)
	for i, key := range keys {
		t := &m.groups[groups[i]].table
		hashes[i], slots[i] = maphash.Bytes(t.seed, key), &none
		if len(t.slots) > 0 {
			slots[i] = &t.slots[hashes[i]>>t.shift]
		}
	}
	for _, s := range slots[:len(keys)] {
		sum += *s
	}
	for i, key := range keys {
		t, h := &m.groups[groups[i]].table, hashes[i]
		s := *slots[i]
		for at := int(h >> t.shift); s != 0 && (s^h)>>refBits != 0; s = t.slots[at] {
			at = (at + 1) & (len(t.slots) - 1)
		}
		values[i] = nil
		if s != 0 {
			refs[i] = ref(s & refMask)
			d := t.arena.at(refs[i])
			values[i] = d[:min(smallHead+len(key)+1, len(d))]
		}
	}
	for i, d := range values[:len(keys)] {
		if d != nil {
			sum += uint64(d[0]) + uint64(d[len(d)-1]) + m.groups[groups[i]].arena.noted(refs[i])
		}
	}
	runtime.KeepAlive(sum)
	for i, key := range keys {
		if values[i] != nil {
			values[i] = m.found(groups[i], key, values[i], refs[i])
		}
	}
}

// found returns the value of a key, given an entry at r with most of its hash.
func (m *Memory) found(g Group, key, d []byte, r ref) []byte {
	if d = d[:cap(d)]; small(d) && int(d[1]) == len(key) && bytes.Equal(d[smallHead:smallHead+len(key)], key) {
		if a := &m.groups[g].arena; a.track != nil {
			a.touch(r)
			d = a.at(r)
		}
		at := smallHead + len(key)
		return d[at : at+int(d[3]) : at+int(d[3])]
	}
	value, _ := m.Edit(g, key)
	return value
}
