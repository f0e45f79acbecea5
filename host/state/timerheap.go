package state

import "encoding/binary"

// unplaced is the heap place of an entry that is not in the heap.
const unplaced = 1<<32 - 1

// timerHeap orders the timers of a group: a heap of four children a node. A
// node's time is that of its timer, or earlier, if the timer was put off since;
// that of the first is right.
type timerHeap struct {
	table *table
	nodes []timerNode
}

type timerNode struct {
	at  int64
	ref ref
}

const nodeSize = 16

// place returns where in the heap the entry is.
func (h *timerHeap) place(r ref) int {
	return int(binary.LittleEndian.Uint32(h.table.valueAt(r)[8:]))
}

// time returns when the timer of the entry is.
func (h *timerHeap) time(r ref) int64 { return getInt(h.table.valueAt(r)) }

// reserve makes room for n more nodes.
func (h *timerHeap) reserve(n int) bool {
	want := h.grown(len(h.nodes) + n)
	return want == cap(h.nodes) || (want < unplaced && h.resize(want))
}

// grown returns the capacity for n nodes.
func (h *timerHeap) grown(n int) int {
	c := cap(h.nodes)
	if n <= c {
		return c
	}
	return max(n, c+c/4, 4)
}

func (h *timerHeap) resize(n int) bool {
	if !h.table.arena.purse.draw(nodeSize * int64(n-cap(h.nodes))) {
		return false
	}
	nodes := make([]timerNode, len(h.nodes), n)
	copy(nodes, h.nodes)
	h.nodes = nodes
	return true
}

// put sets a node and tells its entry, also one of a frozen chunk: no view reads
// heap places.
func (h *timerHeap) put(i int, n timerNode) {
	h.nodes[i] = n
	binary.LittleEndian.PutUint32(h.table.valueAt(n.ref)[8:], uint32(i))
}

func (h *timerHeap) push(at int64, r ref) {
	h.nodes = append(h.nodes, timerNode{at, r})
	h.up(len(h.nodes) - 1)
}

// postpone changes the time of a timer. A later time is only noted: the node
// goes down once it gets to the front.
func (h *timerHeap) postpone(r ref, at int64) {
	if h.table.arena.track != nil {
		h.table.arena.touch(r)
	}
	putInt(h.table.valueAt(r), at)
	i := h.place(r)
	if at < h.nodes[i].at {
		h.nodes[i].at = at
		h.up(i)
		return
	}
	if i == 0 {
		h.settle()
	}
}

// remove takes a node out.
func (h *timerHeap) remove(i int) {
	last := len(h.nodes) - 1
	moved := h.nodes[last]
	h.nodes = h.nodes[:last]
	if i < last {
		h.nodes[i] = moved
		h.down(i)
		h.up(h.place(moved.ref))
	}
	if c := cap(h.nodes); c > 64 && last < c/4 {
		h.resize(c / 2)
	}
	if i == 0 {
		h.settle()
	}
}

// settle makes the time of the first node right.
func (h *timerHeap) settle() {
	for len(h.nodes) > 0 {
		at := h.time(h.nodes[0].ref)
		if at == h.nodes[0].at {
			return
		}
		h.nodes[0].at = at
		h.down(0)
	}
}

func (h *timerHeap) up(i int) {
	n := h.nodes[i]
	for i > 0 {
		parent := (i - 1) / 4
		if h.nodes[parent].at <= n.at {
			break
		}
		h.put(i, h.nodes[parent])
		i = parent
	}
	h.put(i, n)
}

func (h *timerHeap) down(i int) {
	n := h.nodes[i]
	for {
		least, first := i, 4*i+1
		at := n.at
		for c := first; c < min(first+4, len(h.nodes)); c++ {
			if h.nodes[c].at < at {
				least, at = c, h.nodes[c].at
			}
		}
		if least == i {
			break
		}
		h.put(i, h.nodes[least])
		i = least
	}
	h.put(i, n)
}

// added implements follower: the entry is pushed by whoever added it.
func (h *timerHeap) added(ref) {}

// moved implements follower.
func (h *timerHeap) moved(_, to ref) { h.nodes[h.place(to)].ref = to }

// removed implements follower: the node was removed before.
func (h *timerHeap) removed(ref) {}
