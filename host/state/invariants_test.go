package state

import (
	"bytes"
	"slices"
)

// failer is a test, of testing or of rapid.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// sound checks what must hold of a table between two calls.
func (t *table) sound(f failer) {
	f.Helper()
	keys, size, live, timedEntries, bytesOf := 0, 0, 0, 0, 0
	for i, c := range t.arena.chunks {
		size += len(c.data)
		live += c.live
		sum, entries := 0, 0
		for at := 0; at < c.used; {
			d := c.data[at:]
			e := decode(d)
			if d[0]&dead == 0 {
				keys, sum, bytesOf, entries = keys+1, sum+e.need(), bytesOf+e.key+e.value, entries+1
				timedEntries += btoi(e.expires(d) != 0)
				slot, r, found := t.find(e.keyOf(d))
				if !found || r != ref(i)<<16|ref(at) || slot != t.slotOf(r, e.keyOf(d)) {
					f.Fatalf("entry %q at %d:%d is found at %x", e.keyOf(d), i, at, r)
				}
			}
			at += e.size()
		}
		if sum != c.live || entries != c.entries {
			f.Fatalf("chunk %d has %d entries of %d bytes, counted %d, %d", i, entries, sum, c.entries, c.live)
		}
	}
	full := 0
	for _, s := range t.slots {
		full += btoi(s != 0)
	}
	if int64(keys) != t.keys.Load() || keys != full || int64(bytesOf) != t.bytes.Load() || timedEntries != t.timed {
		f.Fatalf("%d keys of %d bytes, %d of them timed, in %d slots; counted %d, %d, %d", keys, bytesOf, timedEntries, full, t.keys.Load(), t.bytes.Load(), t.timed)
	}
	if tr := t.arena.track; tr != nil {
		cost := cap(tr.now.gone) + cap(tr.before.gone)
		for i := range tr.marks {
			cost += markCost + 8*(len(tr.marks[i].now)+len(tr.marks[i].before))
		}
		if len(tr.marks) != len(t.arena.chunks) || tr.cost != cost {
			f.Fatalf("%d marks of %d chunks take %d bytes, counted %d", len(tr.marks), len(t.arena.chunks), cost, tr.cost)
		}
	}
	if size != t.arena.size || live != t.arena.live {
		f.Fatalf("arena of %d bytes with %d live, counted %d, %d", size, live, t.arena.size, t.arena.live)
	}
	if open := len(t.arena.openData()); live*2 < size-open-minChunk {
		f.Fatalf("only %d of %d bytes are live (the open chunk has %d)", live, size, open)
	}
}

func (a *arena) openData() []byte {
	if len(a.chunks) == 0 {
		return nil
	}
	return a.chunks[a.open].data
}

// sound checks the order too.
func (s *shelf) sound(f failer) {
	f.Helper()
	s.table.sound(f)
	held := int64(s.arena.size + 8*len(s.slots) + chunkCost*max(len(s.arena.chunks)-1, 0))
	if s.order != nil {
		var all []ref
		for _, leaf := range s.order.leaves {
			if len(leaf) == 0 || cap(leaf) > leafSize {
				f.Fatalf("a leaf of %d refs with room for %d", len(leaf), cap(leaf))
			}
			all = append(all, leaf...)
		}
		if !slices.IsSortedFunc(all, func(a, b ref) int { return bytes.Compare(s.keyAt(a), s.keyAt(b)) }) || int64(len(all)) != s.keys.Load() {
			f.Fatalf("%d keys in the order are %d refs", s.keys.Load(), len(all))
		}
		held += 8 * leafSize * int64(len(s.order.leaves))
	}
	if s.arena.purse.owned.Load() != held {
		f.Fatalf("%d bytes are held, counted %d", held, s.arena.purse.owned.Load())
	}
}

func (m *Memory) sound(f failer) {
	f.Helper()
	held := m.history.sound(f, len(m.groups), m.table)
	for g := range m.groups {
		m.groups[g].sound(f)
		held += m.groups[g].arena.purse.owned.Load() + m.groups[g].arena.purse.room
	}
	if m.budget.Held() != held {
		f.Fatalf("groups hold %d bytes, the budget counts %d", held, m.budget.Held())
	}
}

func (s *timerGroup) sound(f failer) {
	f.Helper()
	s.table.sound(f)
	if int64(len(s.heap.nodes)) != s.keys.Load() {
		f.Fatalf("%d timers, %d nodes", s.keys.Load(), len(s.heap.nodes))
	}
	for i, n := range s.heap.nodes {
		if s.heap.place(n.ref) != i || n.at > s.heap.time(n.ref) || (i == 0 && n.at != s.heap.time(n.ref)) {
			f.Fatalf("node %d: place %d, at %d, time %d", i, s.heap.place(n.ref), n.at, s.heap.time(n.ref))
		}
		if i > 0 && s.heap.nodes[(i-1)/4].at > n.at {
			f.Fatalf("node %d is before its parent", i)
		}
	}
	held := int64(s.arena.size + 8*len(s.slots) + chunkCost*max(len(s.arena.chunks)-1, 0) + nodeSize*cap(s.heap.nodes))
	if s.arena.purse.owned.Load() != held {
		f.Fatalf("%d bytes are held, counted %d", held, s.arena.purse.owned.Load())
	}
}

// sound checks what is counted beside the tables, and returns it.
func (h *history) sound(f failer, groups int, table func(Group) *table) int64 {
	f.Helper()
	copies := 0
	for g := range groups {
		if tr := table(Group(g)).arena.track; tr != nil {
			copies += tr.cost
			if tr.view != nil {
				for _, c := range tr.view.chunks {
					copies += c.held
				}
			}
		}
	}
	if int64(copies) != h.copies.Load() {
		f.Fatalf("clones and notes take %d bytes, counted %d", copies, h.copies.Load())
	}
	return int64(copies)
}

func (t *Timers) sound(f failer) {
	f.Helper()
	held := t.history.sound(f, len(t.groups), t.table)
	for g := range t.groups {
		t.groups[g].sound(f)
		held += t.groups[g].arena.purse.owned.Load() + t.groups[g].arena.purse.room
	}
	if t.budget.Held() != held {
		f.Fatalf("groups hold %d bytes, the budget counts %d", held, t.budget.Held())
	}
}
