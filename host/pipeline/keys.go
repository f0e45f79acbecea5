package pipeline

import (
	"hash/maphash"

	"github.com/wasmill/wasmill/host/stream"
)

// keys has the records that wait for a call of their slot: those of some keys. A
// slot has one call under way at a time, so that records of a key stay in order.
// Records without a key have none. Keys are in groups, those of a Keyed or ranges of
// hashes, and slots are ranges of groups that lie side by side. How many there are
// changes while records wait in them; see resize.
type keys struct {
	slots   []slot
	groups  int // of keys
	each    int // slots for each call at once
	want    int // slots, as soon as nothing is being dealt
	seed    maphash.Seed
	pool    *stream.BatchPool
	free    ring[*slot] // not busy, and with something pending
	old     []*slot     // that were replaced, and that a call has
	pending Limit       // of slots, and being dealt
	ahead   int         // how many times what permits take at once is to be pending
	dealing dealing
	keyed   stream.Keyed // says what the keys are; nil = those of records

	// Of a gate.
	due    ring[*slot] // busy with what may be due
	turn   bool        // the last call was to be one of records
	behind int         // slots that are not yet where the gate aims at
}

// slot is shared by the keys of its groups.
type slot struct {
	chunks   ring[chunk] // in the order in which they came
	skip     int         // records of the first chunk that are taken already
	filling  bool        // whoever deals has the last chunk
	free     bool        // it is in free
	busy     bool        // a call has it, or some of its groups with an old slot, or it is in due
	old      bool        // it was replaced, and holds nothing
	waits    int         // how many old slots have some of its groups
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

// hashed is how many groups keys have that nobody says more of.
const hashed = 1 << 16

// apart is a Keyed whose groups are not used together, of which a slot has one.
type apart interface{ Apart() }

// newKeys makes several slots for each call, so that few keys meet in one.
func newKeys(concurrency int, pool *stream.BatchPool) *keys {
	k := &keys{groups: hashed, each: 32, seed: maphash.MakeSeed(), pool: pool, ahead: 1}
	return k.begin(concurrency)
}

// newShards makes a few slots for each call, so that one that waits to be tried
// again, or has more than others, leaves enough to do.
func newShards(keyed stream.Keyed, concurrency int, pool *stream.BatchPool) *keys {
	k := &keys{groups: keyed.Groups(), each: 4, pool: pool, keyed: keyed, ahead: 2}
	if _, ok := keyed.(apart); ok {
		k.each = k.groups
	}
	return k.begin(concurrency)
}

// begin makes the first slots.
func (k *keys) begin(concurrency int) *keys {
	k.want = k.number(concurrency)
	k.slots = k.cut(k.want)
	return k
}

// number returns how many slots there are for so many calls at once.
func (k *keys) number(concurrency int) int { return min(k.groups, k.each*max(1, concurrency)) }

// cut makes n slots of all groups.
func (k *keys) cut(n int) []slot {
	slots := make([]slot, n)
	for i := range slots {
		slots[i].from, slots[i].to = (i*k.groups+n-1)/n, ((i+1)*k.groups+n-1)/n
	}
	return slots
}

// shard returns the index of the slot that has a group.
func (k *keys) shard(group int) int { return group * len(k.slots) / k.groups }

// keyless returns the index of the slot that has a record without a key.
func (k *keys) keyless(r *stream.Record) int { return int(uint64(r.Seq) % uint64(len(k.slots))) }

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
