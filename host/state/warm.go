package state

import (
	"hash/maphash"
	"runtime"
)

// warmStep is how many keys are warmed at once: their cache lines, two each,
// fit into the first level of any processor.
const warmStep = 64

// Warm implements Store. It finds the places of all keys, loads their slots,
// finds their entries, and loads these. The loads stand alone in short loops,
// so that the processor has many under way at once.
func (m *Memory) Warm(groups []Group, keys [][]byte) {
	var hashes [warmStep]uint64
	var slots [warmStep]*uint64
	var entries [warmStep]*byte
	none, nothing := uint64(0), byte(0)
	for len(keys) > 0 {
		n := min(len(keys), warmStep)
		for i, key := range keys[:n] {
			t := &m.groups[groups[i]].table
			hashes[i], slots[i] = maphash.Bytes(t.seed, key), &none
			if len(t.slots) > 0 {
				slots[i] = &t.slots[hashes[i]>>t.shift]
			}
		}
		var sum uint64
		for _, s := range slots[:n] {
			sum += *s
		}
		for i, h := range hashes[:n] {
			t := &m.groups[groups[i]].table
			s := *slots[i]
			for at := int(h >> t.shift); s != 0 && (s^h)>>refBits != 0; s = t.slots[at] {
				at = (at + 1) & (len(t.slots) - 1)
			}
			entries[i] = &nothing
			if s != 0 {
				entries[i] = &t.arena.at(ref(s & refMask))[0]
			}
		}
		for _, e := range entries[:n] {
			sum += uint64(*e)
		}
		runtime.KeepAlive(sum)
		groups, keys = groups[n:], keys[n:]
	}
}
