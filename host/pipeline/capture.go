package pipeline

import (
	"github.com/wasmill/wasmill/host/stream"
)

// view is what a batch holds at one moment. It stays readable while a call has the
// batch: bytes are only added behind it, wherever the arena goes, and records of the
// batch are never moved or changed, only replaced as a whole.
type view struct {
	records []stream.Record
	arena   []byte
}

func viewOf(b *stream.Batch) view { return view{b.Records, b.Arena()} }

// capture returns the snapshot of the vertex: copies of everything that has been
// taken and whose results have not left, in the order of taking.
func (in *inbox) capture() Snapshot {
	s := Snapshot{Watermark: in.sent}
	var held copies
	if in.sides != nil {
		in.sides.capture(&held)
	}
	if in.captured() {
		for c := in.flight.oldest; c != nil; c = c.newer {
			held.add(c.holds)
			for _, b := range c.unread() {
				held.add(viewOf(b))
			}
		}
		if in.keys != nil {
			in.keys.capture(&held)
		}
	}
	s.Inputs = append(held.batches, in.passing.queued...)
	if d, ok := in.keyed().(stream.Durable); ok {
		s.Frozen = d.Freeze(in.barrier.Full)
	}
	return s
}

// capture copies what is pending. Nothing is being dealt.
func (k *keys) capture(held *copies) {
	for i := range k.slots {
		s := &k.slots[i]
		for n := range s.chunks.len() {
			b, skip := s.chunks.at(n).b, 0
			if n == 0 {
				skip = s.skip
			}
			held.add(view{b.Records[skip:], b.Arena()})
		}
	}
}

// capture copies the first items of a lane.
func (l *lane) capture(n int, held *copies) {
	skip := l.skip
	for i := range n {
		if b := l.items.at(i).Batch; b != nil {
			held.add(view{b.Records[skip:], b.Arena()})
			skip = 0
		}
	}
}

// copies are batches that copies of records are gathered in.
type copies struct{ batches []*stream.Batch }

// add copies records, which nobody has to acknowledge after a restore.
func (h *copies) add(v view) {
	if len(v.records) == 0 {
		return
	}
	if n := len(h.batches); n == 0 || atOnce.reached(sizeOf(h.batches[n-1])) {
		h.batches = append(h.batches, &stream.Batch{Watermark: stream.NoWatermark})
	}
	b := h.batches[len(h.batches)-1]
	from := b.Len()
	b.AppendView(v.records, v.arena)
	for i := from; i < b.Len(); i++ {
		b.Records[i].Source = stream.NoSource
	}
}

// unread returns what is not yet appended to the input of a call.
func (c *call) unread() []*stream.Batch {
	if c.joined {
		return nil
	}
	return c.more
}

// join notes that all is appended to the input of a call, so that nobody reads the
// others any more.
func (in *inbox) join(c *call) {
	if !in.passing.captures {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	c.holds, c.joined = viewOf(c.in), true
}
