package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// A part of a snapshot, version 3:
//
//	version 1 B │ hash version 1 B │ kind 1 B │ groups of the whole 4 B │ from 4 B │ to 4 B │ entries 4 B │ items
//	item: uvarint group<<2 | 0, of which the items are from here on
//	or:   uvarint len(key)<<2 | 1 │ key that was deleted
//	or:   2 │ bytes 4 B │ now 8 B │ entries as arenas have them
//
// Fixed numbers are little-endian. Entries that are dead count for nothing, those
// whose time is up to now as deleted. The order is that of the arenas, which follows
// from the changes that the groups have seen; deletions come first in a group.
const (
	partVersion = 3
	partHead    = 3 + 4*4

	// kinds: a full part, or one that builds on those before; with partMore it
	// goes on where the part before has ended for its size.
	partDelta = 1
	partMore  = 2

	// what an item is
	itemGroup = 0
	itemGone  = 1
	itemRun   = 2

	runHead = 1 + 4 + 8
)

// partWriter writes the parts of ranges.
type partWriter struct {
	groups, size int
	yield        func(from, to int, full bool, entries int, data []byte) error
	err          error // the first of yield

	buf      []byte
	from, to int
	kind     byte
	group    Group // of which the items are to be
	now      int64
	entered  bool // they are
	run      int  // where the entries of an item begin that has not ended; 0: none
	count    int  // of entries in buf
	bytes    int  // of the range, given so far
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
	w.entered, w.run, w.count = false, 0, 0
}

// flush gives a part.
func (w *partWriter) flush() {
	w.endRun()
	if w.err == nil {
		binary.LittleEndian.PutUint32(w.buf[partHead-4:], uint32(w.count))
		w.err = w.yield(w.from, w.to, w.kind == 0, w.count, w.buf)
		w.bytes += len(w.buf)
	}
	if w.kind |= partMore; cap(w.buf)/2 > w.size {
		w.buf = nil
	}
	w.head()
}

// end gives the last part of a range. A full one may be empty.
func (w *partWriter) end() {
	if w.count > 0 || w.kind == 0 {
		w.flush()
	}
}

// enter says of which group items are from here on, and what time it is there.
func (w *partWriter) enter(g Group, now int64) {
	w.endRun()
	w.group, w.now, w.entered = g, now, false
}

// gone writes a deleted key.
func (w *partWriter) gone(key []byte) {
	w.fit(binary.MaxVarintLen64 + len(key))
	w.endRun()
	w.buf = append(binary.AppendUvarint(w.buf, uint64(len(key))<<2|itemGone), key...)
	w.count++
}

// entries writes entries as they are, n of them in use.
func (w *partWriter) entries(data []byte, n int) {
	w.beginRun(len(data))
	w.buf = append(w.buf, data...)
	w.count += n
}

// trimmed writes the entry e that d begins with, with so much of its value and no
// spare room.
func (w *partWriter) trimmed(d []byte, e entry, keep int) {
	trim := layout(e.key, keep, keep, e.timed)
	w.beginRun(trim.size())
	at := len(w.buf)
	w.buf = slices.Grow(w.buf, trim.size())[:at+trim.size()]
	trim.encode(w.buf[at:], e.expires(d))
	copy(w.buf[at+trim.head:], d[e.head:])
	w.count++
}

// fit makes room for n bytes in the part, and enters the group.
func (w *partWriter) fit(n int) {
	if w.count > 0 && len(w.buf)+binary.MaxVarintLen64+n > w.size {
		w.flush()
	}
	if !w.entered {
		w.buf = binary.AppendUvarint(w.buf, uint64(w.group)<<2|itemGroup)
		w.entered = true
	}
}

// beginRun makes room for n bytes of entries, in an item that has begun already if
// there is one.
func (w *partWriter) beginRun(n int) {
	w.fit(runHead + n)
	if w.run == 0 {
		w.buf = append(w.buf, itemRun, 0, 0, 0, 0)
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(w.now))
		w.run = len(w.buf)
	}
}

func (w *partWriter) endRun() {
	if w.run > 0 {
		binary.LittleEndian.PutUint32(w.buf[w.run-8-4:], uint32(len(w.buf)-w.run))
		w.run = 0
	}
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
	take := func(it item) error {
		if n++; n > p.entries {
			return corrupt("it has more than its %d entries", p.entries)
		}
		return visit(it)
	}
	var group Group
	for in := false; len(data) > 0; {
		head, k := binary.Uvarint(data)
		what, size := head&3, head>>2
		switch {
		case k <= 0:
			return p.ends(n)
		case what == itemGroup:
			if size < uint64(p.from) || size >= uint64(p.to) {
				return corrupt("it has entries of key group %d", size)
			}
			group, in, data = Group(size), true, data[k:]
			continue
		case !in:
			return corrupt("an entry is of no key group")
		case what == itemGone:
			if data = data[k:]; size > uint64(len(data)) {
				return p.ends(n)
			}
			if err := take(item{group: group, gone: true, key: data[:size:size]}); err != nil {
				return err
			}
			data = data[size:]
		case head != itemRun:
			return corrupt("an item is of the unknown kind %d", head)
		default:
			if len(data) < runHead || uint64(binary.LittleEndian.Uint32(data[1:])) > uint64(len(data)-runHead) {
				return p.ends(n)
			}
			end := runHead + int(binary.LittleEndian.Uint32(data[1:]))
			if err := eachEntry(group, getInt(data[5:]), data[runHead:end], take); err != nil {
				return err
			}
			data = data[end:]
		}
	}
	if n < p.entries {
		return p.ends(n)
	}
	return nil
}

// eachEntry visits the entries of an item, at a time.
func eachEntry(g Group, now int64, data []byte, visit func(item) error) error {
	for len(data) > 0 {
		e, ok := readEntry(data)
		if !ok {
			return corrupt("an entry of key group %d is none", g)
		}
		d := data
		if data = data[e.size():]; d[0]&dead != 0 {
			continue
		}
		it := item{group: g, key: e.keyOf(d), expires: e.expires(d)}
		if it.gone = it.expires != 0 && it.expires <= now; it.gone {
			it.expires = 0
		} else {
			it.value = e.valueOf(d)
		}
		if err := visit(it); err != nil {
			return err
		}
	}
	return nil
}

func (p *part) ends(n uint32) error { return corrupt("it ends within entry %d of %d", n+1, p.entries) }

func corrupt(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Why: "a part of a snapshot cannot be read: " + fmt.Sprintf(format, args...)}
}
