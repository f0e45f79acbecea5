package state

import (
	"math/bits"
	"slices"
	"sync"
)

// frozenTable is a group of a Frozen. Its chunks are those that the group goes on
// using: whoever comes first, the reader to read one or the group to write to it,
// the other one gives way.
type frozenTable struct {
	history *history
	gone    []byte // keys deleted, each behind its length
	now     int64  // entries whose time is up to here are gone

	mu     sync.Mutex // guards
	chunks []frozenChunk
	done   bool // nobody reads them any more
}

// frozenChunk is what was used of a chunk, and the places of changed entries in it.
type frozenChunk struct {
	data    []byte
	marks   []uint64
	live    int // bytes that entries in use need
	entries int // in use

	state chunkState
	spare *[]byte // that data is in, as a copy; nil: it is elsewhere
	held  int     // bytes that the view has and the group has not
}

type chunkState uint8

const (
	chunkUnread  chunkState = iota
	chunkReading            // its memory is not written to
	chunkRead
)

// spares are for copies of chunks: of minSpare bytes, of twice as many, and so on up
// to maxChunk. Only views use them, so none is in use when it comes back.
var spares [spareSizes]sync.Pool

const (
	spareBits  = 11
	minSpare   = 1 << spareBits
	spareSizes = 6
)

// spareOf returns memory for n bytes, from more than minSpare/2 to maxChunk.
func spareOf(n int) *[]byte {
	i := bits.Len(uint(n-1)) - spareBits
	if b, ok := spares[i].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, minSpare<<i)
	return &b
}

func giveBack(b *[]byte) { spares[bits.Len(uint(len(*b)-1))-spareBits].Put(b) }

// open begins to read a chunk.
func (t *frozenTable) open(c *frozenChunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.state = chunkReading
}

// close ends that.
func (t *frozenTable) close(c *frozenChunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(c)
}

// release returns the memory of a chunk, or a clone of it, for the group to write to.
func (t *frozenTable) release(i int, data []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return data
	}
	switch c := &t.chunks[i]; c.state {
	case chunkUnread: // a copy for the view: the group's memory stays where it is
		if n := len(c.data); minSpare/2 < n && n <= maxChunk {
			c.spare = spareOf(n)
			c.data = (*c.spare)[:copy(*c.spare, c.data)]
			t.hold(c, len(*c.spare))
		} else {
			c.data = slices.Clone(c.data)
			t.hold(c, n)
		}
	case chunkReading:
		t.hold(c, len(data))
		data = slices.Clone(data)[:len(data):len(data)]
	}
	return data
}

// leave lets the view have the memory of a chunk, which has so many bytes.
func (t *frozenTable) leave(i, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done && t.chunks[i].state != chunkRead {
		t.hold(&t.chunks[i], n)
	}
}

func (t *frozenTable) hold(c *frozenChunk, n int) {
	c.held += n
	t.history.charge(n)
}

// drop gives up what the view has of a chunk.
func (t *frozenTable) drop(c *frozenChunk) {
	t.history.charge(-c.held)
	if c.spare != nil {
		giveBack(c.spare)
	}
	*c = frozenChunk{state: chunkRead}
}

// finish gives up what the view has of the group.
func (t *frozenTable) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.chunks { // a part of what all groups share
		t.drop(&t.chunks[i])
	}
	t.done, t.chunks, t.gone = true, nil, nil
}
