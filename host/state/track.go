package state

import (
	"encoding/binary"
	"slices"
)

// granule is how many bytes of a chunk share a mark.
const granule = 8

// track is what an arena knows, from the first Freeze on, of its changes and of
// the view that reads its chunks. It belongs to whoever has the group.
type track struct {
	history *history
	view    *frozenTable // that chunks are frozen for
	marks   []mark       // one for each chunk of the arena
	now     changes      // since the last Freeze
	before  changes      // of the last Freeze, until it is known whether they were saved
	cost    int          // bytes of all that
}

// mark is what has happened to the entries of a chunk.
type mark struct {
	frozen int32    // which of the view's chunks it is, from 1; 0: none, or written to since
	now    []uint64 // a bit for each granule in which a changed entry begins; nil: none
	before []uint64 // as of the last Freeze; read by the view
}

const markCost = 56 // bytes of a mark

// changes are those of a group between two Freezes.
type changes struct {
	gone    []byte // deleted keys, each behind its length (uvarint)
	entries int    // at least as many as were put or edited, and are there
	all     bool   // more was deleted than is worth noting: the next part is a full one
}

// fit makes room for the marks of n chunks.
func (tr *track) fit(n int) {
	if more := n - len(tr.marks); more > 0 {
		tr.marks = append(tr.marks, make([]mark, more)...)
		tr.charge(more * markCost)
	}
}

func (tr *track) charge(n int) {
	tr.cost += n
	tr.history.charge(n)
}

// place returns the word and the bit of the entry at r.
func place(r ref) (word int, bit uint64) {
	at := int(r&(1<<16-1)) / granule
	return at / 64, 1 << (at % 64)
}

// marked says whether the entry at r, or one that shares its mark, was changed
// since the last Freeze that is known to be saved.
func (m *mark) marked(r ref) bool {
	word, bit := place(r)
	return (m.now != nil && m.now[word]&bit != 0) || (m.before != nil && m.before[word]&bit != 0)
}

// mark notes that the entry at r is new or changed.
func (a *arena) mark(r ref) {
	tr := a.track
	m := &tr.marks[r>>16]
	if m.now == nil {
		m.now = make([]uint64, words(len(a.chunks[r>>16].data)))
		tr.charge(8 * len(m.now))
	}
	if word, bit := place(r); m.now[word]&bit == 0 {
		m.now[word] |= bit
		tr.now.entries++
	}
}

// words returns how many words the marks of a chunk take. A larger one than is
// shared has one entry.
func words(size int) int {
	if size > maxChunk {
		return 1
	}
	return (size + 64*granule - 1) / (64 * granule)
}

// touch gets the entry at r ready to be written to. What was read of it before
// may be of the past then.
func (a *arena) touch(r ref) {
	if i := int(r >> 16); a.track.marks[i].frozen != 0 {
		a.thaw(i)
	}
	a.mark(r)
}

// noted loads what touch will ask for.
func (a *arena) noted(r ref) uint64 {
	if a.track == nil {
		return 0
	}
	if m := &a.track.marks[r>>16]; m.now != nil {
		word, _ := place(r)
		return m.now[word]
	}
	return 0
}

// thaw gets a frozen chunk ready to be written to.
func (a *arena) thaw(i int) {
	c, m := &a.chunks[i], &a.track.marks[i]
	c.data = a.track.view.release(int(m.frozen)-1, c.data)
	m.frozen = 0
}

// carry takes the mark of an entry along to its new place.
func (a *arena) carry(from, to ref) {
	if a.track.marks[from>>16].marked(from) {
		a.mark(to)
	}
}

// most returns how many bytes of deleted keys are worth noting.
func (a *arena) most() int { return 1<<10 + a.live/4 }

// forget notes that a key was deleted.
func (a *arena) forget(key []byte) {
	tr := a.track
	c := &tr.now
	if c.all {
		return
	}
	need := len(c.gone) + binary.MaxVarintLen32 + len(key)
	most := a.most()
	if need > most {
		tr.charge(-cap(c.gone))
		c.gone, c.all = nil, true
		return
	}
	if need > cap(c.gone) {
		was := cap(c.gone)
		c.gone = slices.Grow(c.gone, min(max(need, 2*was, 64), most)-len(c.gone))
		tr.charge(cap(c.gone) - was)
	}
	c.gone = append(binary.AppendUvarint(c.gone, uint64(len(key))), key...)
}

// leave forgets what was noted of a chunk that is dropped; the view keeps its
// memory.
func (a *arena) leave(i int) {
	m := &a.track.marks[i]
	if m.frozen != 0 {
		a.track.view.leave(int(m.frozen)-1, len(a.chunks[i].data))
	}
	a.track.charge(-8 * (len(m.now) + len(m.before)))
	*m = mark{}
}

// settle notes what became of the last Freeze: changes that were not saved count
// as new ones, unless their deletions are more than most.
func (tr *track) settle(saved bool, most int) {
	b := tr.before
	tr.before = changes{}
	switch {
	case saved:
		tr.charge(-cap(b.gone))
		return
	case b.all || tr.now.all || len(b.gone)+len(tr.now.gone) > most:
		tr.charge(-cap(b.gone) - cap(tr.now.gone))
		tr.now.gone, tr.now.all = nil, true
	case len(tr.now.gone) == 0:
		tr.charge(-cap(tr.now.gone))
		tr.now.gone = b.gone
	default:
		was := cap(tr.now.gone) + cap(b.gone)
		tr.now.gone = append(tr.now.gone, b.gone...)
		tr.charge(cap(tr.now.gone) - was)
	}
	tr.now.entries += b.entries
}

// settle is settle for the marks of a chunk, and begins anew. It returns how many
// bytes more they take.
func (m *mark) settle(saved bool) (more int) {
	switch {
	case saved || m.before == nil:
		more = -8 * len(m.before)
	case m.now == nil:
		m.now = m.before
	default:
		for i, word := range m.before {
			m.now[i] |= word
		}
		more = -8 * len(m.before)
	}
	m.before, m.now = m.now, nil
	return more
}

// freeze hands the group out to a view: all of it, or only what was changed. It
// returns all, with its chunks appended.
func (a *arena) freeze(v *frozenTable, whole, saved bool, all []frozenChunk) []frozenChunk {
	tr, start, freed := a.track, len(all), 0
	tr.view = v
	for i := range tr.marks {
		m, c := &tr.marks[i], &a.chunks[i]
		if m.now != nil || m.before != nil {
			freed += m.settle(saved)
		}
		m.frozen = 0
		if c.live > 0 && (whole || m.before != nil) {
			all = append(all, frozenChunk{data: c.data[:c.used:c.used], marks: m.before, live: c.live, entries: c.entries})
			m.frozen = int32(len(all) - start)
		}
	}
	tr.charge(freed)
	v.chunks, v.gone = all[start:len(all):len(all)], tr.now.gone
	tr.before, tr.now = tr.now, changes{}
	return all
}

// follow begins to note changes.
func (a *arena) follow(h *history) {
	a.track = &track{history: h}
	a.track.fit(len(a.chunks))
}

// unfollow ends that. No view is read any more.
func (a *arena) unfollow() {
	if a.track != nil {
		a.track.charge(-a.track.cost)
		a.track = nil
	}
}
