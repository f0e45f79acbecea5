package state

import (
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// defaultRanges is how many ranges of groups have parts of their own.
	defaultRanges = 16
	// partSize is what a part has at most, in bytes, unless it has one entry only.
	partSize = 8 << 20
)

// history is what is known of the snapshots of a Memory or Timers.
type history struct {
	budget *Budget
	copies atomic.Int64 // bytes of clones and notes of changes
	size   int          // partSize

	mu     sync.Mutex    // guards, for parts that are restored at once
	chains []Chain       // one for each range of groups
	last   *Frozen       // nil: none
	room   []frozenChunk // of the one before, to be used again
}

func newHistory(groups int, budget *Budget) *history {
	return &history{budget: budget, chains: make([]Chain, min(groups, defaultRanges)), size: partSize}
}

// charge accounts for n more bytes beside the tables.
func (h *history) charge(n int) {
	if n != 0 {
		h.copies.Add(int64(n))
		h.budget.copies.Add(int64(n))
	}
}

// bounds returns the groups [from, to) of a range, out of so many.
func (h *history) bounds(i, groups int) (from, to int) {
	return i * groups / len(h.chains), (i + 1) * groups / len(h.chains)
}

// settle notes what became of the last Freeze and reports whether it was saved.
func (h *history) settle() (saved bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return false
	}
	f := h.last
	h.last, h.room = nil, f.chunks[:0]
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.released {
		panic("BUG: Freeze before the last Frozen was released")
	}
	if f.saved {
		for i := range h.chains {
			h.chains[i].Add(f.full[i], f.bytes[i])
		}
	}
	return f.saved
}

// freeze takes a view of so many groups. keep is how many bytes of a value belong
// to it.
func (h *history) freeze(groups int, table func(Group) *table, keep int, full bool) *Frozen {
	saved, chunks := h.settle(), 0
	for g := range groups {
		a := &table(Group(g)).arena
		if chunks += len(a.chunks); a.track == nil {
			a.follow(h)
		}
		a.track.settle(saved, a.most())
	}
	f := newFrozen(h, groups, keep)
	h.last = f
	all := slices.Grow(h.room, chunks)
	h.room = nil
	for i := range h.chains {
		from, to := h.bounds(i, groups)
		whole := full || h.chains[i].Worn()
		var s extent
		for g := from; g < to; g++ {
			t := table(Group(g))
			whole = whole || t.arena.track.now.all
			s.changed += t.arena.track.now.entries
			s.gone += len(t.arena.track.now.gone)
			s.keys += int(t.keys.Load())
			s.bytes += t.bytes.Load()
		}
		f.full[i] = whole || 2*s.changed > s.keys
		f.size += s.guess(f.full[i])
		for g := from; g < to; g++ {
			t := table(Group(g))
			all = t.arena.freeze(&f.tables[g], f.full[i], saved, all)
			f.tables[g].now = t.now
			t.moves++
		}
	}
	f.chunks = all
	return f
}

// extent is how much there is in a range, and how much of it was changed.
type extent struct {
	keys, changed, gone int   // entries, those changed, bytes of deleted keys
	bytes               int64 // of keys and values
}

// guess returns about how many bytes the parts of the range will have.
func (e extent) guess(full bool) int64 {
	const head = 3 // of an item
	switch all := e.bytes + head*int64(e.keys); {
	case full:
		return partHead + all
	case e.keys > 0:
		return all/int64(e.keys)*int64(e.changed) + int64(e.gone)
	}
	return int64(e.gone)
}
