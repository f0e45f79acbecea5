package state

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sync"
)

// Frozen is a Memory or Timers as it was at a Freeze. It is read while that goes
// on being used.
type Frozen struct {
	history *history
	groups  int
	keep    int // bytes of a value that belong to it
	tables  []frozenTable
	chunks  []frozenChunk // of all tables
	full    []bool        // by range
	bytes   []int         // of the parts given so far, by range
	whole   bool          // all parts were given
	size    int64         // that the parts may have

	mu              sync.Mutex // guards
	released, saved bool
}

func newFrozen(h *history, groups, keep int) *Frozen {
	f := &Frozen{history: h, groups: groups, keep: keep, tables: make([]frozenTable, groups)}
	f.full, f.bytes = make([]bool, len(h.chains)), make([]int, len(h.chains))
	for g := range f.tables {
		f.tables[g].history = h
	}
	return f
}

// Parts gives what Restore takes, part after part, and may be called once. A part
// is of the groups [from, to); a full one takes the place of all parts of these
// groups before it, another builds on them. It has so many entries, those deleted
// or past their time included. data is valid during the call. An error of yield ends it.
//
// What was read is given up at once: a long reading clones ever less.
func (f *Frozen) Parts(yield func(from, to int, full bool, entries int, data []byte) error) error {
	w := partWriter{groups: f.groups, size: f.history.size, yield: yield}
	w.buf = make([]byte, 0, min(int64(w.size), partHead+f.size/int64(len(f.full))*9/8))
	for i := range f.full {
		from, to := f.history.bounds(i, f.groups)
		w.begin(from, to, f.full[i])
		for g := from; g < to && w.err == nil; g++ {
			f.write(&w, Group(g), f.full[i])
			f.tables[g].finish()
		}
		if w.end(); w.err != nil {
			return w.err
		}
		f.bytes[i] = w.bytes
	}
	f.whole = true
	return nil
}

// Size returns about how many bytes Parts gives.
func (f *Frozen) Size() int64 { return f.size }

// write writes a group.
func (f *Frozen) write(w *partWriter, g Group, full bool) {
	t := &f.tables[g]
	w.enter(g, t.now)
	for gone := t.gone; !full && len(gone) > 0; {
		n, head := binary.Uvarint(gone)
		w.gone(gone[head : head+int(n)])
		gone = gone[head+int(n):]
	}
	for i := range t.chunks {
		c := &t.chunks[i]
		t.open(c)
		if f.keep == math.MaxInt && len(c.data) <= w.size/4 && c.dense(full) {
			w.entries(c.data, c.entries)
		} else {
			f.pick(w, c, full)
		}
		t.close(c)
	}
}

// dense says whether at least half of what was used of the chunk is to be given.
func (c *frozenChunk) dense(full bool) bool {
	given := c.entries
	if !full {
		given = 0
		for _, word := range c.marks {
			given += bits.OnesCount64(word)
		}
	}
	return 2*c.live*given >= len(c.data)*c.entries
}

// pick writes entries of a chunk, all or those that were changed, without their
// spare room.
func (f *Frozen) pick(w *partWriter, c *frozenChunk, full bool) {
	for at := 0; at < len(c.data) && w.err == nil; {
		d := c.data[at:]
		given := d[0]&dead == 0 && (full || c.marked(at))
		if small(d) && (!given || d[2] == d[3] && int(d[2]) <= f.keep) { // most of them
			n := smallHead + int(d[1]) + int(d[2])
			if at += n; given {
				w.entries(d[:n], 1)
			}
			continue
		}
		e := decode(d)
		if at += e.size(); !given {
			continue
		}
		if keep := min(e.value, f.keep); keep < e.room {
			w.trimmed(d, e, keep)
		} else {
			w.entries(d[:e.size()], 1)
		}
	}
}

// marked says whether the entry at a place, or one that shares its mark, was changed.
func (c *frozenChunk) marked(at int) bool {
	word, bit := place(ref(at))
	return c.marks[word]&bit != 0
}

// Release is called once, when Parts is not running, by anyone. saved: all parts
// are in a checkpoint that is there to stay. What was not saved is in the next one.
func (f *Frozen) Release(saved bool) {
	for g := range f.tables {
		f.tables[g].finish()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released, f.saved = true, saved && f.whole
}
