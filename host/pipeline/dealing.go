package pipeline

import (
	"hash/maphash"
	"math"

	"github.com/wasmill/wasmill/host/stream"
)

// dealing is the duty to take from the lanes what waits there, and to give it to
// slots by key. One worker at a time has it. Keys are looked at and bytes are copied
// without the lock of the inbox, under which slots lend their last chunk for that.
// What is being dealt is pending, and takes part in the watermark.
type dealing struct {
	on    bool   // guarded by inbox.mu; somebody has the duty
	left  int    // guarded by inbox.mu; records that are not with a slot yet
	low   handle // guarded by inbox.mu; of their least event time
	limit Limit  // of a chunk

	// Of whoever has the duty.
	batches []*stream.Batch
	slots   []uint32 // by record: the index of its slot
	sorted  []dealt  // records by slot
	ends    []int32  // by slot: where its records end in sorted
}

// dealt is a record: an index into batches and one into the batch.
type dealt struct{ batch, at int32 }

// atOnce is how many records are dealt at once where less would do: a batch.
var atOnce = Limit{Records: 1024, Bytes: 1 << 20}

// dealable returns the lane to deal from: if slots hold less than it takes to make
// full calls, or a call could be made and no slot is free.
func (in *inbox) dealable() *lane {
	k := in.keys
	if k == nil || k.dealing.on || in.barrier != nil || !in.drains() || !in.room() {
		return nil
	}
	if k.pending.Records >= in.plenty() && (k.free.len() > 0 || in.calls >= in.permits()) {
		return nil
	}
	return in.waits()
}

// plenty is how many records slots should hold.
func (in *inbox) plenty() int {
	return in.keys.ahead * in.permits() * in.size.limit(in.bounds.call.Records)
}

// deal gives what a lane holds in front to slots. The caller has the lock, which is
// given back in between.
func (in *inbox) deal(l *lane) {
	k, w := in.keys, &in.flight.watermarks
	d := &k.dealing
	size := in.dealOut(l)
	in.mu.Unlock()
	k.sort()
	in.mu.Lock()
	from := int32(0)
	for i, end := range d.ends {
		for s := &k.slots[i]; from < end; {
			b := k.lend(s, w)
			in.mu.Unlock()
			n, least := d.copyTo(b, d.sorted[from:end])
			from += int32(n)
			in.mu.Lock()
			k.takeBack(s, n, least, w)
			if !s.busy {
				in.work.Signal()
			}
		}
	}
	k.pending.Bytes -= size.Bytes // chunks count theirs
	w.end(d.low)
	for i, b := range d.batches {
		k.pool.Put(b)
		d.batches[i] = nil
	}
	d.on = false
	in.resize()
}

// dealOut takes what is to be dealt from a lane.
func (in *inbox) dealOut(l *lane) (size Limit) {
	k := in.keys
	d := &k.dealing
	in.turn = (int(l.port) + 1) % len(in.lanes)
	limit := in.atMost(max(atOnce.Records, in.plenty()-k.pending.Records))
	limit.Bytes = max(limit.Bytes, atOnce.Bytes)
	b, rest := l.take(limit, append(d.batches[:0], nil))
	d.batches = rest
	d.batches[0] = b
	least := int64(math.MaxInt64)
	for _, b := range d.batches {
		size.add(sizeOf(b))
		least = min(least, b.Least)
	}
	k.pending.add(size)
	d.on, d.left, d.low = true, size.Records, in.flight.watermarks.begin(least)
	d.limit = Limit{in.size.limit(in.bounds.call.Records), in.bounds.call.Bytes}
	if in.startable() {
		in.work.Signal()
	}
	return size
}

// sort finds the slot of each record, and sorts the records by that.
func (k *keys) sort() {
	d := &k.dealing
	if d.ends == nil {
		d.ends = make([]int32, len(k.slots))
	}
	clear(d.ends)
	d.slots = d.slots[:0]
	for _, b := range d.batches {
		for i := range b.Records {
			s := k.place(b, i)
			d.ends[s]++
			d.slots = append(d.slots, uint32(s))
		}
	}
	sum := int32(0)
	for s, n := range d.ends {
		d.ends[s] = sum
		sum += n
	}
	if cap(d.sorted) < len(d.slots) {
		d.sorted = make([]dealt, len(d.slots))
	}
	d.sorted = d.sorted[:len(d.slots)]
	slots := d.slots
	for n, b := range d.batches {
		for i := range b.Records {
			at := &d.ends[slots[i]]
			d.sorted[*at] = dealt{int32(n), int32(i)}
			*at++
		}
		slots = slots[b.Len():]
	}
}

// place returns the slot of a record. If a Keyed says what keys are it gives the
// record its key and group.
func (k *keys) place(b *stream.Batch, i int) int {
	r := &b.Records[i]
	if k.keyed == nil {
		if r.Key.Len == 0 {
			return k.keyless(r)
		}
		return int(maphash.Bytes(k.seed, b.Key(i))%hashed) * len(k.slots) / hashed
	}
	key, ok := k.keyed.Key(b, i)
	if !ok {
		n := k.keyless(r)
		r.Port, r.Group = stream.NoKey, uint16(k.slots[n].from)
		return n
	}
	group := k.keyed.Group(key)
	r.Group = uint16(group)
	b.SetKey(i, key)
	return k.shard(group)
}

// lend returns the batch of the last chunk of a slot, or of a new one if that has
// enough or is on its way out.
func (k *keys) lend(s *slot, w *watermarks) *stream.Batch {
	d := &k.dealing
	s.filling = true
	if s.holds() && (s.skip == 0 || s.chunks.len() > 1) {
		if c := s.last(); c.count < d.limit.Records && c.b.Bytes() < d.limit.Bytes {
			return c.b
		}
	}
	b := k.pool.New()
	b.Least = math.MaxInt64
	*s.chunks.push() = chunk{b: b, low: w.begin(b.Least)}
	return b
}

// copyTo copies records to a chunk until it has enough. It returns how many, and the
// least of their event times.
func (d *dealing) copyTo(b *stream.Batch, records []dealt) (n int, least int64) {
	least = math.MaxInt64
	for _, r := range records {
		if b.Len() > 0 && (b.Len() >= d.limit.Records || b.Bytes() >= d.limit.Bytes) {
			break
		}
		from := d.batches[r.batch]
		least = min(least, from.Records[r.at].Time)
		b.AppendFrom(from, int(r.at))
		n++
	}
	return n, least
}

// takeBack takes the last chunk of a slot back, with n more records.
func (k *keys) takeBack(s *slot, n int, least int64, w *watermarks) {
	c := s.last()
	s.filling = false
	k.pending.Bytes += c.b.Bytes() - c.bytes
	c.count, c.bytes = c.count+n, c.b.Bytes()
	k.dealing.left -= n
	if least < c.b.Least {
		w.end(c.low)
		c.b.Least, c.low = least, w.begin(least)
	}
	k.list(s)
}
