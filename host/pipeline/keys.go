package pipeline

import (
	"hash/maphash"

	"github.com/wasmill/wasmill/host/stream"
)

// keys deals records out to slots by key. A slot has one call under way at a
// time, so that records of a key stay in order. Records without a key have none.
type keys struct {
	slots   []slot
	seed    maphash.Seed
	pool    *stream.BatchPool
	free    ring[*slot] // not busy, and with something pending
	pending Limit
	keyed   stream.Keyed // says what the keys are; nil = those of records

	// Of a gate.
	due    ring[*slot] // busy with what may be due by event time
	behind int         // slots that are not yet where the gate aims at
}

// slot is shared by the keys that hash to it.
type slot struct {
	front, back chunk // back came after front
	skip        int   // records of front that are taken already
	busy        bool  // a call has it, or it is in due
	group       int   // its index
	behind      bool  // it is not yet where the gate aims at
	before      int   // records that are pending for longer than that
}

// chunk is pending records, which take part in the watermark until all are taken.
type chunk struct {
	b   *stream.Batch // nil = nothing
	low handle        // of its least event time
}

// newKeys makes several slots for each call, so that few keys meet in one.
func newKeys(concurrency int, pool *stream.BatchPool) *keys {
	return &keys{slots: make([]slot, 32*concurrency), seed: maphash.MakeSeed(), pool: pool}
}

// deal adds the records of a batch, and owns it.
func (k *keys) deal(b *stream.Batch, w *watermarks) {
	for i := range b.Records {
		r := &b.Records[i]
		s, key, ok := k.slot(b, i)
		if s.back.b == nil {
			if s.front.b == nil && !s.busy {
				*k.free.push() = s
			}
			s.back = chunk{k.pool.New(), w.begin(r.Time)}
			s.back.b.Least = r.Time
		}
		to := s.back.b
		if r.Time < to.Least {
			w.end(s.back.low)
			to.Least, s.back.low = r.Time, w.begin(r.Time)
		}
		size := to.Bytes()
		to.AppendFrom(b, i)
		switch {
		case k.keyed == nil:
		case ok:
			to.SetKey(to.Len()-1, key)
		default:
			to.Records[to.Len()-1].Port = stream.NoKey
		}
		k.pending.add(Limit{1, to.Bytes() - size})
	}
	k.pool.Put(b)
}

// slot returns the slot of a record, and its key if a Keyed says what that is.
func (k *keys) slot(b *stream.Batch, i int) (s *slot, key []byte, ok bool) {
	hash := uint64(b.Records[i].Seq)
	if k.keyed != nil {
		if key, ok := k.keyed.Key(b, i); ok {
			return &k.slots[k.keyed.Group(key)], key, true
		}
	} else if b.Records[i].Key.Len > 0 {
		hash = maphash.Bytes(k.seed, b.Key(i))
	}
	return &k.slots[hash%uint64(len(k.slots))], nil, false
}

// take makes a slot that is free busy, and returns what is pending for it, as far
// as it fits the limit; nil if there is none.
func (k *keys) take(limit Limit, w *watermarks) (*slot, *stream.Batch) {
	if k.free.len() == 0 {
		return nil, nil
	}
	s := *k.free.at(0)
	k.free.pop()
	s.busy = true
	if s.front.b == nil {
		s.front, s.back = s.back, chunk{}
	}
	front := s.front.b
	b := portion(k.pool, front, s.skip, limit)
	if s.skip += b.Len(); s.skip == front.Len() {
		w.end(s.front.low)
		if b != front {
			k.pool.Put(front)
		}
		s.front, s.skip = chunk{}, 0
	}
	k.pending.sub(sizeOf(b))
	s.before -= b.Len()
	return s, b
}

// release lets the next call of a slot begin.
func (k *keys) release(s *slot) {
	if s.behind && s.before <= 0 {
		*k.due.push() = s
		return
	}
	s.busy = false
	if s.front.b != nil || s.back.b != nil {
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
		size := int(r.Key.Len) + int(r.Value.Len) + int(r.Headers.Len)
		if part.Len() > 0 && (part.Len() >= limit.Records || part.Bytes()+size > limit.Bytes) {
			break
		}
		part.AppendFrom(b, i)
	}
	return part
}
