package state

// ref is the place of an entry: the chunk's index above 16 bits of offset.
// 0 is none, as chunk 0 is never used.
type ref uint64

const (
	refBits   = 36
	refMask   = 1<<refBits - 1
	maxChunks = 1 << (refBits - 16)

	minChunk  = 256
	maxChunk  = 1 << 16
	chunkCost = 48 // bytes of a chunk struct
)

// chunk is a piece of memory with entries one after the other.
type chunk struct {
	data    []byte // nil: free
	used    int    // bytes given to entries, dead ones too
	live    int    // bytes that entries in use need, spare room aside
	entries int    // in use
}

// arena gives out places for entries. Entries up to an eighth of a chunk share
// one; others have their own.
type arena struct {
	chunks []chunk
	free   []uint32 // indices of chunks without memory
	open   int      // the shared chunk that is being filled; 0: none
	size   int      // bytes of all chunks
	live   int      // sum of the chunks' live
	hand   ref      // where the search for entries past their time goes on
	purse  purse
	track  *track // nil: there was no Freeze yet
}

func (a *arena) at(r ref) []byte {
	return a.chunks[r>>16].data[r&(1<<16-1):]
}

// alloc returns a place for n bytes, false if there is no room for it. Until
// an entry enters it counts as waste.
func (a *arena) alloc(n int) (ref, bool) {
	if len(a.chunks) > 0 {
		if c := &a.chunks[a.open]; n <= len(c.data)-c.used {
			r := ref(a.open)<<16 | ref(c.used)
			c.used += n
			return r, true
		}
	}
	size := a.next()
	own := n > size/8
	if own {
		size = n
	}
	i, ok := a.add(size)
	if !ok {
		return 0, false
	}
	a.chunks[i].used = n
	if !own {
		last := a.open
		a.open = i
		if last != 0 && a.chunks[last].live == 0 {
			a.drop(last)
		}
	}
	return ref(i) << 16, true
}

// next returns the size of the next shared chunk.
func (a *arena) next() int { return min(max(a.size/4, minChunk), maxChunk) }

// add makes a chunk.
func (a *arena) add(size int) (int, bool) {
	if len(a.free) == 0 {
		if len(a.chunks) >= maxChunks || !a.purse.draw(int64(size+chunkCost)) {
			return 0, false
		}
		if len(a.chunks) == 0 {
			a.chunks = append(a.chunks, chunk{})
		}
		a.chunks = append(a.chunks, chunk{data: make([]byte, size)})
		if a.track != nil {
			a.track.fit(len(a.chunks))
		}
		a.size += size
		return len(a.chunks) - 1, true
	}
	if !a.purse.draw(int64(size)) {
		return 0, false
	}
	i := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	a.chunks[i].data = make([]byte, size)
	a.size += size
	return int(i), true
}

// drop frees a chunk other than the open one.
func (a *arena) drop(i int) {
	if a.track != nil {
		a.leave(i)
	}
	c := &a.chunks[i]
	a.size -= len(c.data)
	a.live -= c.live
	a.purse.draw(-int64(len(c.data)))
	*c = chunk{}
	a.free = append(a.free, uint32(i))
	if int(a.hand>>16) == i {
		a.hand = ref(i+1) << 16
	}
}

// kill gives up the entry at r, and its chunk with the last one in it.
func (a *arena) kill(r ref) {
	d := a.at(r)
	i := int(r >> 16)
	a.credit(r, -decode(d).need())
	a.chunks[i].entries--
	if a.chunks[i].live == 0 && i != a.open {
		a.drop(i)
		return
	}
	if a.track != nil && a.track.marks[i].frozen != 0 {
		a.thaw(i)
		d = a.at(r)
	}
	d[0] |= dead
	if a.chunks[i].live > 0 {
		return
	}
	a.chunks[i].used = 0
	if int(a.hand>>16) == i {
		a.hand = ref(i) << 16
	}
}

// enter says that an entry is at r, which needs n bytes.
func (a *arena) enter(r ref, n int) {
	a.credit(r, n)
	a.chunks[r>>16].entries++
}

// credit changes what is live at r by n bytes.
func (a *arena) credit(r ref, n int) {
	a.chunks[r>>16].live += n
	a.live += n
}

// wasteful says whether close to half of the arena is waste.
func (a *arena) wasteful() bool { return (a.size-a.live)*20 > a.size*9 }

// worst returns the chunk, other than the open one, with the most waste in
// relation to its size, if that is a quarter at least; 0 if there is none.
func (a *arena) worst() int {
	worst, waste, size := 0, 1, 4
	for i := range a.chunks {
		c := &a.chunks[i]
		if w := len(c.data) - c.live; i != a.open && len(c.data) > 0 && w*size >= waste*len(c.data) {
			worst, waste, size = i, w, len(c.data)
		}
	}
	return worst
}

// close seals the open chunk if it is far too large for what is left, and
// returns it; else 0.
func (a *arena) close() int {
	if len(a.chunks) == 0 || len(a.chunks[a.open].data) <= max(minChunk, 4*a.live) {
		return 0
	}
	i := a.open
	a.open = 0
	return i
}

// chunkRoom returns the most bytes that entries of together n bytes make the
// arena grow by.
func (a *arena) chunkRoom(entries, n int) int64 {
	if len(a.chunks) > 0 && n <= len(a.chunks[a.open].data)-a.chunks[a.open].used {
		return 0
	}
	return int64(n) + int64(n)/4 + int64(entries)*chunkCost + 2*int64(a.next())
}
