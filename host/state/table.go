package state

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync/atomic"
)

const (
	minSlots = 8
	maxSlots = 1 << (64 - refBits) // a tag tells the home of a slot among so many
	minTime  = math.MinInt64
)

// follower is told where the entries of a table are, while what it is told of
// can still be read.
type follower interface {
	added(r ref)
	moved(from, to ref)
	removed(r ref)
}

// table holds the entries of one group: an index of slots with open addressing
// and linear probing, and the arena that the slots refer to. A slot keeps
// enough of the hash to find its place in a larger index by itself.
type table struct {
	slots    []uint64 // tag<<36 | ref; 0: empty
	shift    uint     // 64 - log2(len(slots))
	seed     maphash.Seed
	arena    arena
	follower follower // nil: nobody

	keys  atomic.Int64 // entries, past their time or not
	bytes atomic.Int64 // of their keys and values
	moves uint64       // times that entries were removed, or moved by others
	now   int64        // entries whose time is up to here are gone
	timed int          // entries with a time
	swept int64        // now, at the last search through all entries

	promised struct{ entries, bytes int } // since the last release
}

// find returns the slot of a key, or the one to put it in, and its entry.
func (t *table) find(key []byte) (slot int, r ref, found bool) {
	if len(t.slots) == 0 {
		return 0, 0, false
	}
	h := maphash.Bytes(t.seed, key)
	mask := len(t.slots) - 1
	for i := int(h >> t.shift); ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return i, 0, false
		}
		if (s^h)>>refBits != 0 {
			continue
		}
		r := ref(s & refMask)
		d := t.arena.at(r)
		if small(d) {
			if n := int(d[1]); n == len(key) && bytes.Equal(d[smallHead:smallHead+n], key) {
				return i, r, true
			}
		} else if e := decode(d); e.key == len(key) && bytes.Equal(e.keyOf(d), key) {
			return i, r, true
		}
	}
}

// slotOf returns the slot that refers to r.
func (t *table) slotOf(r ref, key []byte) int {
	i := int(maphash.Bytes(t.seed, key) >> t.shift)
	for ref(t.slots[i]&refMask) != r {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

// ended says whether the entry is past its time.
func (t *table) ended(e entry, d []byte) bool {
	expires := e.expires(d)
	return expires != 0 && expires <= t.now
}

// put sets the value of a key until expires, 0 for ever. It returns the entry,
// and false if there is no room, in which case nothing has changed. It moves no
// other entry unless it must to make room.
func (t *table) put(key, value []byte, expires int64) (ref, bool) {
	slot, r, found := t.find(key)
	if found && t.replace(r, value, expires) {
		return r, true
	}
	if r, ok := t.write(slot, r, found, key, value, expires); ok {
		return r, true
	}
	if !t.makeRoom() {
		return 0, false
	}
	slot, r, found = t.find(key)
	return t.write(slot, r, found, key, value, expires)
}

// replace sets the value of an entry in place if it fits and may stay there.
func (t *table) replace(r ref, value []byte, expires int64) bool {
	d := t.arena.at(r)
	if small(d) && len(value) == int(d[3]) && expires == 0 {
		if t.arena.track != nil {
			t.arena.touch(r)
			d = t.arena.at(r)
		}
		copy(d[smallHead+int(d[1]):], value)
		return true
	}
	e := decode(d)
	if len(value) > e.room || (expires != 0 && !e.timed) {
		return false
	}
	if t.arena.track != nil {
		t.arena.touch(r)
		d = t.arena.at(r)
	}
	if e.timed {
		t.timed += btoi(expires != 0) - btoi(e.expires(d) != 0)
	}
	if more := len(value) - e.value; more != 0 {
		t.arena.credit(r, more)
		t.bytes.Add(int64(more))
	}
	e.value = len(value)
	// The value may be a part of this very entry, but its place never moves.
	copy(d[e.head+e.key:], value)
	e.encode(d, expires)
	return true
}

// write puts an entry at a new place, instead of the one at old if found.
func (t *table) write(slot int, old ref, found bool, key, value []byte, expires int64) (ref, bool) {
	if len(key)+len(value) > maxEntry {
		return 0, false
	}
	room := len(value)
	if found {
		room += room / 4 // it grew once
	} else if n := int(t.keys.Load()); n >= len(t.slots)/4*3 {
		if !t.resize(max(2*len(t.slots), minSlots)) {
			return 0, false
		}
		slot, _, _ = t.find(key)
	}
	e := layout(len(key), room, len(value), expires != 0)
	r, ok := t.arena.alloc(e.size())
	if !ok {
		return 0, false
	}
	d := t.arena.at(r)
	e.encode(d, expires)
	copy(d[e.head:], key)
	copy(d[e.head+e.key:], value)
	t.arena.enter(r, e.need())
	if t.arena.track != nil {
		t.arena.mark(r)
	}
	t.timed += btoi(expires != 0)
	if !found {
		t.slots[slot] = maphash.Bytes(t.seed, key)&^refMask | uint64(r)
		t.keys.Add(1)
		t.bytes.Add(int64(e.key + e.value))
		if t.follower != nil {
			t.follower.added(r)
		}
		return r, true
	}
	was := decode(t.arena.at(old))
	t.timed -= btoi(was.expires(t.arena.at(old)) != 0)
	t.bytes.Add(int64(e.value - was.value))
	t.move(slot, old, r)
	return r, true
}

// move makes a slot refer to to, a copy of the entry at from.
func (t *table) move(slot int, from, to ref) {
	t.slots[slot] = t.slots[slot]&^refMask | uint64(to)
	if t.follower != nil {
		t.follower.moved(from, to)
	}
	t.arena.kill(from)
}

// remove takes the entry out.
func (t *table) remove(slot int) {
	t.moves++
	r := ref(t.slots[slot] & refMask)
	if t.follower != nil {
		t.follower.removed(r)
	}
	d := t.arena.at(r)
	e := decode(d)
	if t.arena.track != nil {
		t.arena.forget(e.keyOf(d))
	}
	t.timed -= btoi(e.expires(d) != 0)
	t.bytes.Add(-int64(e.key + e.value))
	t.vacate(slot)
	n := t.keys.Add(-1)
	t.arena.kill(r)
	if len(t.slots) > minSlots && int(n) < len(t.slots)/8 {
		t.resize(len(t.slots) / 2)
	}
}

// vacate empties a slot and moves up those that were put off by it.
func (t *table) vacate(i int) {
	mask := len(t.slots) - 1
	for j := (i + 1) & mask; t.slots[j] != 0; j = (j + 1) & mask {
		if home := int(t.slots[j] >> t.shift); (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = 0
}

// resize makes an index of n slots, a power of two. It reads no entry.
func (t *table) resize(n int) bool {
	if n > maxSlots || !t.arena.purse.draw(8*int64(n-len(t.slots))) {
		return false
	}
	old := t.slots
	t.slots = make([]uint64, n)
	t.shift = 64
	for m := n; m > 1; m /= 2 {
		t.shift--
	}
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := int(s >> t.shift)
		for t.slots[i] != 0 {
			i = (i + 1) & (n - 1)
		}
		t.slots[i] = s
	}
	return true
}

// valueAt returns the value of the entry at r.
func (t *table) valueAt(r ref) []byte {
	d := t.arena.at(r)
	return decode(d).valueOf(d)
}

// keyAt returns the key of the entry at r.
func (t *table) keyAt(r ref) []byte {
	d := t.arena.at(r)
	return decode(d).keyOf(d)
}

// each visits the entries in the order of the arena until visit returns false.
// visit changes nothing.
func (t *table) each(visit func(r ref, d []byte, e entry) bool) {
	for i := range t.arena.chunks {
		c := &t.arena.chunks[i]
		for at := 0; at < c.used; {
			d := c.data[at:]
			e := decode(d)
			if d[0]&dead == 0 && !t.ended(e, d) && !visit(ref(i)<<16|ref(at), d, e) {
				return
			}
			at += e.size()
		}
	}
}

func putInt(d []byte, n int64) { binary.LittleEndian.PutUint64(d, uint64(n)) }
func getInt(d []byte) int64    { return int64(binary.LittleEndian.Uint64(d)) }

// reset empties the table and gives back what it holds. What time it is stays.
func (t *table) reset(seed maphash.Seed, budget *Budget) {
	a := &t.arena
	if p := &a.purse; p.budget != nil {
		p.release()
		p.draw(-p.owned.Load())
		a.unfollow()
	}
	a.purse.budget, a.purse.forced = budget, false
	a.chunks, a.free, a.open, a.size, a.live, a.hand = nil, nil, 0, 0, 0, 0
	t.slots, t.shift, t.seed = nil, 0, seed
	t.keys.Store(0)
	t.bytes.Store(0)
	t.follower, t.timed, t.swept = nil, 0, minTime
	t.promised.entries, t.promised.bytes = 0, 0
	t.moves++
}
