package state

import "math"

// Freeze takes a view of the store as it is now: all of it, or what was changed
// since the last Freeze whose Release said saved. Which ranges of groups give all of
// them in any case is up to the store: those never saved, those of which most was
// changed, and those whose changes have grown too many by now. It takes time for
// each 64 KiB, not for each entry. No goroutine uses a group meanwhile, and the
// Frozen before is released.
//
// From the first Freeze on changes are noted. A chunk of a view is cloned before it
// is written to, until the view was read or released: clones count as held, and no
// change is refused for them.
func (m *Memory) Freeze(full bool) *Frozen {
	return m.history.freeze(len(m.groups), m.table, math.MaxInt, full)
}

// Restore applies a part that a Frozen gave, in the order in which they were given
// since the last full ones. Changes after it count as since a Freeze that was saved.
// What time it is is not a part's: call Expire. Parts of different groups may be
// restored in any order, and at once.
//
// Data that is no part is a *stream.Error state-corrupt and changes nothing. Far
// more of it than the budget allows is state-full, and the groups are empty then.
func (m *Memory) Restore(data []byte) error { return m.history.restore(m, len(m.groups), data) }

// Split sets the number of ranges of groups that have parts of their own, 16 unless
// set. Called before anything else.
func (m *Memory) Split(ranges int) { m.history.split(ranges, len(m.groups)) }

// Snapshot appends a full part of one group to dst, of any size.
func (m *Memory) Snapshot(g Group, dst []byte) []byte {
	return m.table(g).snapshot(dst, g, len(m.groups), math.MaxInt)
}

func (h *history) split(ranges, groups int) {
	h.chains = make([]Chain, max(1, min(ranges, groups)))
}

// snapshot appends a full part of the group, as it is now.
func (t *table) snapshot(dst []byte, g Group, groups, keep int) []byte {
	f := Frozen{tables: make([]frozenTable, int(g)+1), keep: keep}
	v := &f.tables[g]
	v.now = t.now
	for i := range t.arena.chunks {
		c := &t.arena.chunks[i]
		v.chunks = append(v.chunks, frozenChunk{data: c.data[:c.used], live: c.live, entries: c.entries})
	}
	w := partWriter{groups: groups, size: math.MaxInt, yield: func(_, _ int, _ bool, _ int, data []byte) error {
		dst = append(dst, data...)
		return nil
	}}
	w.begin(int(g), int(g)+1, true)
	f.write(&w, g, true)
	w.end()
	return dst
}
