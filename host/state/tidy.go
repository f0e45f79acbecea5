package state

// sweepStep is how many entries an insertion looks at for ones past their time.
const sweepStep = 4

// tidy empties chunks while close to half of the arena is waste. Each round
// copies less than a chunk.
func (t *table) tidy() {
	for t.arena.wasteful() {
		i := t.arena.worst()
		if i == 0 {
			i = t.arena.close()
		}
		if i == 0 || !t.empty(i) {
			return
		}
	}
}

// makeRoom does all that may free memory, and reports whether it freed any.
func (t *table) makeRoom() bool {
	before := t.arena.purse.owned.Load()
	if t.timed > 0 && t.swept != t.now {
		t.swept = t.now
		t.sweep(int(t.keys.Load()))
	}
	for i := t.arena.worst(); i != 0 && t.empty(i); i = t.arena.worst() {
	}
	return t.arena.purse.owned.Load() < before
}

// empty moves what is in use out of a chunk, and frees it. It reports false if
// there was no place left to move to.
func (t *table) empty(i int) bool {
	t.moves++
	p := &t.arena.purse
	was := p.forced
	p.forced = true
	defer func() { p.forced = was }()
	c := t.arena.chunks[i] // a copy: the last entry frees the chunk
	if c.live == 0 {
		t.arena.drop(i)
		return true
	}
	for at := 0; at < c.used; {
		d := c.data[at:]
		e := decode(d)
		from := ref(i)<<16 | ref(at)
		at += e.size()
		if d[0]&dead != 0 {
			continue
		}
		slot := t.slotOf(from, e.keyOf(d))
		if t.ended(e, d) {
			t.remove(slot)
			continue
		}
		expires := e.expires(d)
		trim := layout(e.key, e.value, e.value, expires != 0)
		to, ok := t.arena.alloc(trim.size())
		if !ok {
			return false
		}
		copied := t.arena.at(to)
		trim.encode(copied, expires)
		copy(copied[trim.head:], d[e.head:e.head+e.key+e.value])
		t.arena.enter(to, trim.need())
		if t.arena.track != nil {
			t.arena.carry(from, to)
		}
		t.move(slot, from, to)
	}
	return true
}

// sweep removes those of the next n entries that are past their time.
func (t *table) sweep(n int) {
	a := &t.arena
	for turned := 0; n > 0 && t.timed > 0; {
		i, at := int(a.hand>>16), int(a.hand&(1<<16-1))
		if i >= len(a.chunks) {
			if a.hand, turned = 0, turned+1; turned > 1 {
				return
			}
			continue
		}
		if at >= a.chunks[i].used {
			a.hand = ref(i+1) << 16
			continue
		}
		d := a.at(a.hand)
		e := decode(d)
		r := a.hand
		if at += e.size(); at < 1<<16 {
			a.hand = ref(i)<<16 | ref(at)
		} else {
			a.hand = ref(i+1) << 16
		}
		if d[0]&dead != 0 {
			continue
		}
		n--
		if t.ended(e, d) {
			t.remove(t.slotOf(r, e.keyOf(d)))
		}
	}
}

// promise makes sure of room for further entries of together so many bytes, and
// for extra bytes beside the table.
func (t *table) promise(entries, bytes int, extra int64) bool {
	entries, bytes = entries+t.promised.entries, bytes+t.promised.bytes
	slots := max(len(t.slots), minSlots)
	for int(t.keys.Load())+entries > slots/4*3 {
		slots *= 2
	}
	a := &t.arena
	if slots > maxSlots || len(a.chunks)-len(a.free)+entries >= maxChunks {
		return false
	}
	need := extra + 8*int64(slots-len(t.slots)) + a.chunkRoom(entries, bytes+entries*maxHead)
	if !a.purse.reserve(need) && !(t.makeRoom() && a.purse.reserve(need)) {
		return false
	}
	t.promised.entries, t.promised.bytes = entries, bytes
	a.purse.forced = true
	return true
}

// release forgets what was promised.
func (t *table) release() {
	t.promised.entries, t.promised.bytes = 0, 0
	t.arena.purse.forced = false
	t.arena.purse.release()
}
