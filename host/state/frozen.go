package state

import (
	"encoding/binary"
	"sync"
)

// Frozen is a Memory or Timers as it was at a Freeze. It is read while that goes
// on being used.
type Frozen struct {
	history *history
	groups  int
	keep    int // bytes of a value that belong to it
	tables  []frozenTable
	full    []bool // by range
	bytes   []int  // of the parts given so far, by range
	whole   bool   // all parts were given
	size    int64  // that the parts may have

	mu              sync.Mutex // guards
	released, saved bool
}

// frozenTable is a group of it.
type frozenTable struct {
	history *history
	chunks  []frozenChunk // of use until done
	gone    []byte        // keys deleted, each behind its length
	now     int64         // entries whose time is up to here are gone

	mu   sync.Mutex // guards
	kept int        // bytes that the group has given up and the view has not
	done bool       // nobody reads it any more
}

// frozenChunk is what was used of a chunk, and the places of changed entries in it.
type frozenChunk struct {
	data  []byte
	marks []uint64
}

func newFrozen(h *history, groups, keep int) *Frozen {
	f := &Frozen{history: h, groups: groups, keep: keep, tables: make([]frozenTable, groups)}
	f.full, f.bytes = make([]bool, len(h.chains)), make([]int, len(h.chains))
	for g := range f.tables {
		f.tables[g].history = h
	}
	return f
}

// keep notes that the view is the only one left to hold n bytes, and reports false
// if it is not read any more.
func (t *frozenTable) keep(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return false
	}
	t.kept += n
	t.history.charge(n)
	return true
}

// finish gives up what the view holds of the group.
func (t *frozenTable) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.history.charge(-t.kept)
	clear(t.chunks) // they are a part of what all groups share
	t.kept, t.done, t.chunks, t.gone = 0, true, nil, nil
}

// Parts gives what Restore takes, part after part, and may be called once. A part
// is of the groups [from, to); a full one takes the place of all parts of these
// groups before it, another builds on them. It has so many entries, those deleted
// included. data is valid during the call. An error of yield ends it.
//
// What was read is given up at once: a long reading clones ever less.
func (f *Frozen) Parts(yield func(from, to int, full bool, entries int, data []byte) error) error {
	w := partWriter{groups: f.groups, size: f.history.size, yield: yield}
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
	for gone := t.gone; !full && len(gone) > 0; {
		n, head := binary.Uvarint(gone)
		key := gone[head : head+int(n)]
		gone = gone[head+int(n):]
		w.item(g, itemGone, key, nil, 0)
	}
	for _, c := range t.chunks {
		next := -1 // where the next mark is
		for at := 0; at < len(c.data) && w.err == nil; {
			d := c.data[at:]
			e := decode(d)
			here := at / granule
			at += e.size()
			if !full && here > next {
				if next = nextMark(c.marks, here); next < 0 {
					break
				}
			}
			if d[0]&dead == 0 && (full || here == next) {
				f.entry(w, g, d, e, full)
			}
		}
	}
}

// entry writes an entry. One that was changed and is past its time may be another
// in the parts before.
func (f *Frozen) entry(w *partWriter, g Group, d []byte, e entry, full bool) {
	key, expires := e.keyOf(d), e.expires(d)
	switch ended := expires != 0 && expires <= f.tables[g].now; {
	case !ended && expires != 0:
		w.item(g, itemTimed, key, f.value(d, e), expires)
	case !ended:
		w.item(g, itemValue, key, f.value(d, e), 0)
	case !full:
		w.item(g, itemGone, key, nil, 0)
	}
}

func (f *Frozen) value(d []byte, e entry) []byte {
	at := e.head + e.key
	return d[at : at+min(e.value, f.keep)]
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
