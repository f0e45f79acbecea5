package state

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

// A part of a snapshot, version 2:
//
//	version 1 B │ hash version 1 B │ kind 1 B │ groups of the whole 4 B │ from 4 B │ to 4 B │ entries 4 B │ items
//	item: uvarint len(value)<<2 | what │ uvarint len(key) │ [expires 8 B] │ key │ value
//	or:   uvarint group<<2 | 3, of which the items are from here on
//
// Fixed numbers are little-endian. The order is that of the arenas, which follows
// from the changes that the groups have seen; deletions come first in a group.
const (
	partVersion = 2
	partHead    = 3 + 4*4

	// kinds: a full part, or one that builds on those before; with partMore it
	// goes on where the part before has ended for its size.
	partDelta = 1
	partMore  = 2

	// what an item is
	itemValue = 0
	itemTimed = 1 // with the time until which it is there
	itemGone  = 2 // a key that was deleted; no value
	itemGroup = 3
)

// partWriter writes the parts of ranges.
type partWriter struct {
	groups, size int
	yield        func(from, to int, full bool, entries int, data []byte) error
	err          error // the first of yield

	buf      []byte
	from, to int
	kind     byte
	group    int // of which the items are; -1: none yet
	entries  int // in buf
	bytes    int // of the range, given so far
}

// begin begins the first part of a range.
func (w *partWriter) begin(from, to int, full bool) {
	w.from, w.to, w.kind, w.bytes = from, to, partDelta, 0
	if full {
		w.kind = 0
	}
	w.head()
}

func (w *partWriter) head() {
	le := binary.LittleEndian
	w.buf = append(w.buf[:0], partVersion, HashVersion, w.kind)
	for _, n := range []int{w.groups, w.from, w.to, 0} {
		w.buf = le.AppendUint32(w.buf, uint32(n))
	}
	w.group, w.entries = -1, 0
}

// flush gives a part.
func (w *partWriter) flush() {
	if w.err == nil {
		binary.LittleEndian.PutUint32(w.buf[partHead-4:], uint32(w.entries))
		w.err = w.yield(w.from, w.to, w.kind == 0, w.entries, w.buf)
		w.bytes += len(w.buf)
	}
	if w.kind |= partMore; cap(w.buf)/2 > w.size {
		w.buf = nil
	}
	w.head()
}

// end gives the last part of a range. A full one may be empty.
func (w *partWriter) end() {
	if w.entries > 0 || w.kind == 0 {
		w.flush()
	}
}

// item writes an item.
func (w *partWriter) item(g Group, what byte, key, value []byte, expires int64) {
	const most = 2*binary.MaxVarintLen64 + 8
	if w.entries > 0 && len(w.buf)+most+len(key)+len(value) > w.size {
		w.flush()
	}
	if int(g) != w.group {
		w.buf = binary.AppendUvarint(w.buf, uint64(g)<<2|itemGroup)
		w.group = int(g)
	}
	w.buf = binary.AppendUvarint(w.buf, uint64(len(value))<<2|uint64(what))
	w.buf = binary.AppendUvarint(w.buf, uint64(len(key)))
	if what == itemTimed {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(expires))
	}
	w.buf = append(append(w.buf, key...), value...)
	w.entries++
}

// part is one that was read, but for its items.
type part struct {
	kind     byte
	from, to int
	entries  uint32
	items    []byte
}

// item is one that was read: a value, or a key that was deleted.
type item struct {
	group      Group
	gone       bool
	key, value []byte
	expires    int64
}

// readPart reads the head of a part for a store of so many groups.
func readPart(data []byte, groups int) (p part, err error) {
	switch {
	case len(data) < partHead:
		return p, corrupt("it ends within its head")
	case data[0] != partVersion:
		return p, corrupt("its version is %d, known is %d", data[0], partVersion)
	case data[1] != HashVersion:
		return p, corrupt("its groups are of hash version %d, known is %d", data[1], HashVersion)
	case data[2]&^(partDelta|partMore) != 0:
		return p, corrupt("it is of the unknown kind %d", data[2])
	}
	number := func(i int) uint32 { return binary.LittleEndian.Uint32(data[3+4*i:]) }
	if number(0) != uint32(groups) {
		return p, corrupt("it is of %d key groups, the vertex has %d", number(0), groups)
	}
	if from, to := number(1), number(2); from >= to || to > uint32(groups) {
		return p, corrupt("it is of the key groups %d to %d of %d", from, to, groups)
	}
	return part{data[2], int(number(1)), int(number(2)), number(3), data[partHead:]}, nil
}

// each visits the items until visit returns an error. After a visit of all of them
// without one there is none any more.
func (p *part) each(visit func(item) error) error {
	data, n := p.items, uint32(0)
	var it item
	for in := false; len(data) > 0; {
		head, k := binary.Uvarint(data)
		if k <= 0 {
			return p.ends(n)
		}
		data = data[k:]
		what, size := byte(head&3), head>>2
		if what == itemGroup {
			if size < uint64(p.from) || size >= uint64(p.to) {
				return corrupt("it has entries of key group %d", size)
			}
			it.group, in = Group(size), true
			continue
		}
		switch {
		case !in:
			return corrupt("an entry is of no key group")
		case n == p.entries:
			return corrupt("%d bytes follow the last of %d entries", len(data)+k, n)
		case what == itemGone && size > 0:
			return corrupt("a deleted entry has a value")
		}
		if data = it.read(data, what, size); data == nil {
			return p.ends(n)
		}
		n++
		if err := visit(it); err != nil {
			return err
		}
	}
	if n < p.entries {
		return p.ends(n)
	}
	return nil
}

func (p *part) ends(n uint32) error { return corrupt("it ends within entry %d of %d", n+1, p.entries) }

// read reads an item behind its first number, and returns what is behind it; nil if
// it ends within.
func (it *item) read(data []byte, what byte, size uint64) []byte {
	n, k := binary.Uvarint(data)
	if k <= 0 {
		return nil
	}
	data = data[k:]
	it.gone, it.expires = what == itemGone, 0
	if what == itemTimed {
		if len(data) < 8 {
			return nil
		}
		it.expires = getInt(data)
		data = data[8:]
	}
	if left := uint64(len(data)); n > left || size > left-n || n+size > maxEntry {
		return nil
	}
	it.key, it.value = data[:n:n], data[n:n+size:n+size]
	return data[n+size:]
}

func corrupt(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Why: "a part of a snapshot cannot be read: " + fmt.Sprintf(format, args...)}
}
