package state

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// keepStaged is the most memory that a Staged keeps for its next use, in bytes.
const keepStaged = 1 << 20

// Staged holds the writes of one call on top of a store until they are
// committed or discarded; then it is ready for the next call. It belongs to one
// goroutine, which between two calls may be another. From the first write to
// the commit the groups that were written to are the call's alone.
type Staged struct {
	store  Store
	where  string
	limit  int
	seed   maphash.Seed
	buf    []byte   // keys and values, one after the other
	writes []write  // one for each key, in the order of their first write
	index  []uint32 // open addressing by hash: write + 1; 0: empty
	timers []timerWrite
	sorted []int // scratch of Range
}

// write is what becomes of a key.
type write struct {
	hash       uint64
	group      Group
	deleted    bool
	key, value span
	room       int // bytes of buf that value may use
	expires    int64
}

// span is a part of buf.
type span struct{ at, n int }

// NewStaged returns a Staged over a store. A call may stage limit bytes of keys
// and values, at most 1 GiB; errors say where.
func NewStaged(store Store, where string, limit int) *Staged {
	return &Staged{store: store, where: where, limit: min(limit, maxEntry), seed: maphash.MakeSeed()}
}

// Value returns the value of a key as the call sees it, valid until its next write.
func (s *Staged) Value(g Group, key []byte) ([]byte, bool) {
	if len(s.writes) > 0 {
		if _, w := s.find(g, key, s.hash(g, key)); w != nil {
			return s.bytes(w.value), !w.deleted
		}
	}
	return s.store.Value(g, key)
}

// Put stages a value. More than the limit is a *stream.Error state-full, and
// stages nothing; whether the store has room is seen by Commit.
func (s *Staged) Put(g Group, key, value []byte, expires int64) error {
	w, err := s.write(g, key, len(value))
	if err != nil {
		return err
	}
	copy(s.buf[w.value.at:], value)
	w.value.n, w.deleted, w.expires = len(value), false, expires
	return nil
}

// Delete stages the end of a key, and is refused like Put.
func (s *Staged) Delete(g Group, key []byte) error {
	w, err := s.write(g, key, 0)
	if err != nil {
		return err
	}
	w.value.n, w.deleted, w.expires = 0, true, 0
	return nil
}

// Range visits the entries as the call sees them, like Store.Range.
func (s *Staged) Range(g Group, prefix []byte, visit func(key, value []byte) bool) {
	s.sorted = s.sorted[:0]
	for i := range s.writes {
		if w := &s.writes[i]; w.group == g && bytes.HasPrefix(s.bytes(w.key), prefix) {
			s.sorted = append(s.sorted, i)
		}
	}
	slices.SortFunc(s.sorted, func(a, b int) int {
		return bytes.Compare(s.bytes(s.writes[a].key), s.bytes(s.writes[b].key))
	})
	next, on := 0, true
	own := func(before []byte, all bool) { // visits own writes before a key
		for ; on && next < len(s.sorted); next++ {
			w := &s.writes[s.sorted[next]]
			key := s.bytes(w.key)
			if !all && bytes.Compare(key, before) >= 0 {
				return
			}
			on = w.deleted || visit(key, s.bytes(w.value))
		}
	}
	s.store.Range(g, prefix, func(key, value []byte) bool {
		if own(key, false); !on {
			return false
		}
		if next < len(s.sorted) && bytes.Equal(s.bytes(s.writes[s.sorted[next]].key), key) {
			return true // own visits it
		}
		on = visit(key, value)
		return on
	})
	own(nil, true)
}

// Commit applies all writes, or none if the store has no room for them, which
// is a *stream.Error state-full. Either way nothing is staged any more.
func (s *Staged) Commit() error {
	err := s.reserve()
	for i := range s.writes {
		w := &s.writes[i]
		switch {
		case err != nil:
		case w.deleted:
			s.store.Delete(w.group, s.bytes(w.key))
		default:
			if err := s.store.Put(w.group, s.bytes(w.key), s.bytes(w.value), w.expires); err != nil {
				panic(fmt.Sprintf("BUG: a reserved write was refused: %v", err))
			}
		}
	}
	for i := range s.timers {
		if err == nil {
			s.timers[i].apply(s)
		}
	}
	for i := range s.writes {
		s.store.Release(s.writes[i].group)
	}
	for i := range s.timers {
		s.timers[i].to.Release(s.timers[i].group)
	}
	s.Discard()
	return err
}

// reserve makes room for all writes.
func (s *Staged) reserve() error {
	for i := range s.writes {
		w := &s.writes[i]
		if w.deleted {
			continue
		}
		err := s.store.Reserve(w.group, 1, w.key.n+w.value.n)
		if err == nil {
			continue
		}
		if old, ok := s.store.Value(w.group, s.bytes(w.key)); !ok || w.value.n > len(old) || w.expires != 0 {
			return err
		}
	}
	for i := range s.timers {
		if w := &s.timers[i]; !w.deleted {
			if err := w.to.Reserve(w.group, 1, w.key.n+w.name.n); err != nil && !s.moves(i) {
				return err
			}
		}
	}
	return nil
}

// Discard forgets all writes.
func (s *Staged) Discard() {
	if len(s.writes) < len(s.index)/16 {
		for i := range s.writes {
			s.index[s.slotOf(i)] = 0
		}
	} else {
		clear(s.index)
	}
	s.buf, s.writes, s.timers = s.buf[:0], s.writes[:0], s.timers[:0]
	if cap(s.buf)+cap(s.writes)*96+cap(s.timers)*64 > keepStaged {
		s.buf, s.writes, s.index, s.timers, s.sorted = nil, nil, nil, nil, nil
	}
}

func (s *Staged) bytes(p span) []byte { return s.buf[p.at : p.at+p.n : p.at+p.n] }

// hash is for the index, and so is the same for a key in two groups.
func (s *Staged) hash(g Group, key []byte) uint64 { return maphash.Bytes(s.seed, key) + uint64(g) }

// find returns the index slot of a key, or the one to put it in, and its write.
func (s *Staged) find(g Group, key []byte, hash uint64) (slot int, w *write) {
	mask := len(s.index) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		if s.index[i] == 0 {
			return i, nil
		}
		w := &s.writes[s.index[i]-1]
		if w.hash == hash && w.group == g && bytes.Equal(s.bytes(w.key), key) {
			return i, w
		}
	}
}

// slotOf returns the index slot of a write. Those that stood in its way may be
// empty already, so they are no end.
func (s *Staged) slotOf(write int) int {
	mask := len(s.index) - 1
	i := int(s.writes[write].hash) & mask
	for s.index[i] != uint32(write)+1 {
		i = (i + 1) & mask
	}
	return i
}

// write returns the write of a key with room for a value of n bytes.
func (s *Staged) write(g Group, key []byte, n int) (*write, error) {
	if len(s.writes) >= len(s.index)/2 {
		s.grow()
	}
	hash := s.hash(g, key)
	slot, w := s.find(g, key, hash)
	if w != nil && n <= w.room {
		return w, nil
	}
	more := n
	if w == nil {
		more += len(key)
	}
	if err := s.fits(more); err != nil {
		return nil, err
	}
	if w == nil {
		s.writes = append(s.writes, write{hash: hash, group: g, key: s.stage(key)})
		s.index[slot] = uint32(len(s.writes))
		w = &s.writes[len(s.writes)-1]
	}
	w.value.at, w.room = len(s.buf), n
	s.buf = slices.Grow(s.buf, n)[:len(s.buf)+n]
	return w, nil
}

// stage copies p to buf.
func (s *Staged) stage(p []byte) span {
	at := len(s.buf)
	s.buf = append(s.buf, p...)
	return span{at, len(p)}
}

// fits says whether n more bytes may be staged. Each write counts for its own
// size too, so that many of empty keys have an end.
func (s *Staged) fits(n int) error {
	if len(s.buf)+n+96*len(s.writes)+64*len(s.timers) <= s.limit {
		return nil
	}
	return &stream.Error{
		Code: stream.StateFull, Where: s.where,
		Why: fmt.Sprintf("one call changes more state than the %d bytes it may", s.limit),
		Fix: "write less state per call: use smaller batches or values, or raise state.maxBytes of the vertex",
	}
}

// grow doubles the index.
func (s *Staged) grow() {
	s.index = make([]uint32, max(64, 2*len(s.index)))
	for i := range s.writes {
		slot := int(s.writes[i].hash) & (len(s.index) - 1)
		for s.index[slot] != 0 {
			slot = (slot + 1) & (len(s.index) - 1)
		}
		s.index[slot] = uint32(i) + 1
	}
}
