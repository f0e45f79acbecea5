package pipeline

import (
	"hash/maphash"

	"github.com/wasmill/wasmill/host/stream"
)

// keys has the records that wait for a call of their slot: those of some keys. A
// slot has one call under way at a time, so that records of a key stay in order.
// Records without a key have none. The slots of a Keyed are its shards: ranges of
// groups that lie side by side.
type keys struct {
	slots   []slot
	seed    maphash.Seed
	pool    *stream.BatchPool
	free    ring[*slot] // not busy, and with something pending
	pending Limit       // of slots, and being dealt
	ahead   int         // how many times what permits take at once is to be pending
	dealing dealing
	keyed   stream.Keyed // says what the keys are; nil = those of records

	// Of a gate.
	due    ring[*slot] // busy with what may be due
	turn   bool        // the last call was to be one of records
	behind int         // slots that are not yet where the gate aims at
}

// slot is shared by the keys that hash to it.
type slot struct {
	chunks   ring[chunk] // in the order in which they came
	skip     int         // records of the first chunk that are taken already
	filling  bool        // whoever deals has the last chunk
	free     bool        // it is in free
	busy     bool        // a call has it, or it is in due
	rang     bool        // it was in due the last time
	from, to int         // its groups
	behind   bool        // it is not yet where the gate aims at
	before   int         // records that are pending for longer than that
}

// chunk is pending records, which take part in the watermark until all are taken.
type chunk struct {
	b     *stream.Batch
	low   handle // of its least event time
	count int    // its records, and
	bytes int    // their size, that of what is being added aside
}

// newKeys makes several slots for each call, so that few keys meet in one.
func newKeys(concurrency int, pool *stream.BatchPool) *keys {
	return &keys{slots: make([]slot, 32*concurrency), seed: maphash.MakeSeed(), pool: pool, ahead: 1}
}

// newShards makes a few slots for each call, so that one that waits to be tried
// again, or has more than others, leaves enough to do.
func newShards(keyed stream.Keyed, concurrency int, pool *stream.BatchPool) *keys {
	groups := keyed.Groups()
	k := &keys{slots: make([]slot, min(groups, 4*concurrency)), pool: pool, keyed: keyed, ahead: 2}
	for g := range groups {
		s := &k.slots[k.shard(g)]
		if s.to == 0 {
			s.from = g
		}
		s.to = g + 1
	}
	return k
}

// shard returns the index of the slot that has a group.
func (k *keys) shard(group int) int { return group * len(k.slots) / k.keyed.Groups() }

// holds says whether records are pending for a slot.
func (s *slot) holds() bool { return s.chunks.len() > 0 }

// held returns how many are.
func (s *slot) held() int {
	n := -s.skip
	for i := range s.chunks.len() {
		n += s.chunks.at(i).count
	}
	return n
}

// last returns the chunk that came last.
func (s *slot) last() *chunk { return s.chunks.at(s.chunks.len() - 1) }

// take makes a slot that is free busy, and returns what is pending for it, as far
// as it fits the limit; nil if there is none.
func (k *keys) take(limit Limit, w *watermarks) (*slot, *stream.Batch) {
	for range k.free.len() {
		s := *k.free.at(0)
		k.free.pop()
		if s.filling && s.chunks.len() == 1 {
			*k.free.push() = s
			continue
		}
		s.free, s.busy = false, true
		return s, k.takeFrom(s, limit, w)
	}
	return nil, nil
}

// takeFrom returns what the first chunk of a slot holds, as far as it fits a limit.
func (k *keys) takeFrom(s *slot, limit Limit, w *watermarks) *stream.Batch {
	c := s.chunks.at(0)
	b := portion(k.pool, c.b, s.skip, limit)
	if s.skip += b.Len(); s.skip == c.count {
		w.end(c.low)
		if b != c.b {
			k.pool.Put(c.b)
		}
		*c = chunk{}
		s.chunks.pop()
		s.skip = 0
	}
	k.pending.sub(sizeOf(b))
	s.before -= b.Len()
	return b
}

// list lets a slot be taken if it holds something and no call has it.
func (k *keys) list(s *slot) {
	if !s.busy && !s.free && s.holds() {
		s.free = true
		*k.free.push() = s
	}
}

// portion returns the records of a batch from an index on, as far as they fit a
// limit and at least one: copies, or the batch itself if that is all of it.
func portion(pool *stream.BatchPool, b *stream.Batch, from int, limit Limit) *stream.Batch {
	if from == 0 && (b.Len() == 1 || b.Len() <= limit.Records && b.Bytes() <= limit.Bytes) {
		return b
	}
	part := pool.New()
	part.Least = b.Least
	for i := from; i < b.Len(); i++ {
		r := &b.Records[i]
		size := recordBytes(r)
		if part.Len() > 0 && (part.Len() >= limit.Records || part.Bytes()+size > limit.Bytes) {
			break
		}
		part.AppendFrom(b, i)
	}
	return part
}

// recordBytes returns what a record takes of an arena of its own.
func recordBytes(r *stream.Record) int { return int(r.Key.Len) + int(r.Value.Len) + int(r.Headers.Len) }
