package state

import (
	"sync"
	"sync/atomic"
)

const (
	// defaultRanges is how many ranges of groups have parts of their own.
	defaultRanges = 16
	// maxDeltas is how many times in a row a range gives only what changed.
	maxDeltas = 10
	// partSize is what a part has at most, in bytes, unless it has one entry only.
	partSize = 8 << 20
)

// history is what is known of the snapshots of a Memory or Timers.
type history struct {
	budget *Budget
	copies atomic.Int64 // bytes of clones and notes of changes
	size   int          // partSize

	mu     sync.Mutex // guards, for parts that are restored at once
	chains []chain    // one for each range of groups
	last   *Frozen    // nil: none
}

// chain is what the parts of a range are, as far as they are saved.
type chain struct {
	full   int  // bytes of the last full one
	deltas int  // bytes of those after it
	n      int  // of those after it
	begun  bool // there is a full one, of just this range
}

func newHistory(groups int, budget *Budget) *history {
	return &history{budget: budget, chains: make([]chain, min(groups, defaultRanges)), size: partSize}
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

// worn says that the range should give all of it.
func (c *chain) worn() bool { return !c.begun || c.deltas > c.full || c.n >= maxDeltas }

// add notes a saved part or all parts of a Freeze.
func (c *chain) add(full bool, n int) {
	switch {
	case full:
		*c = chain{full: n, begun: true}
	case n > 0:
		c.deltas += n
		c.n++
	}
}

// settle notes what became of the last Freeze and reports whether it was saved.
func (h *history) settle() (saved bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return false
	}
	f := h.last
	h.last = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.released {
		panic("BUG: Freeze before the last Frozen was released")
	}
	if f.saved {
		for i := range h.chains {
			h.chains[i].add(f.full[i], f.bytes[i])
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
	all := make([]frozenChunk, 0, chunks)
	for i := range h.chains {
		from, to := h.bounds(i, groups)
		whole, changed, keys := full || h.chains[i].worn(), 0, 0
		for g := from; g < to; g++ {
			t := table(Group(g))
			whole = whole || t.arena.track.now.all
			changed += t.arena.track.now.entries
			keys += int(t.keys.Load())
		}
		f.full[i] = whole || 2*changed > keys
		for g := from; g < to; g++ {
			t := table(Group(g))
			all = t.arena.freeze(&f.tables[g], f.full[i], saved, all)
			f.tables[g].now = t.now
			t.moves++
		}
	}
	return f
}
