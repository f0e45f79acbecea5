package pipeline

import (
	"io"
	"slices"
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// inbox is where the edges into a vertex end: one lane for each, from which the
// vertex's workers take calls in turn. Watermarks and barriers that come up are
// handed to the sequencer.
type inbox struct {
	mu       sync.Mutex
	notEmpty sync.Cond
	lanes    []*lane
	turn     int              // guarded by mu; the lane to look at first
	low      stream.Watermark // guarded by mu; the least of the open lanes
	held     bool             // guarded by mu; a barrier is on its way out
	aborted  error            // guarded by mu
	seq      *sequencer
	pool     *stream.BatchPool
}

// call is what a worker takes at a time. A worker reuses its own.
type call struct {
	in           *stream.Batch // owned by the worker
	more         []*stream.Batch
	ticket       uint64
	older, newer *call // guarded by the sequencer
}

func newInbox(pool *stream.BatchPool) *inbox {
	in := &inbox{low: stream.NoWatermark, seq: newSequencer(), pool: pool}
	in.notEmpty.L = &in.mu
	return in
}

// addLane makes the outlet of one inbound edge.
func (in *inbox) addLane(limit Limit) *lane {
	l := &lane{in: in, limit: limit, port: uint16(len(in.lanes)), watermark: stream.NoWatermark}
	l.notFull.L = &in.mu
	in.lanes = append(in.lanes, l)
	return l
}

// take waits for records and fills c with at most limit of them, but at least
// one; without a limit, with the next batch as it is.
// It returns io.EOF when all lanes are closed and empty, and the reason when
// the pipeline was aborted. It returns nil with c.in nil if it came upon marks,
// which the caller should release, or if it would have to wait and may not.
func (in *inbox) take(c *call, limit Limit, mayWait bool) error {
	if err := in.pick(c, limit, mayWait); err != nil || c.in == nil {
		return err
	}
	for i, b := range c.more {
		c.in.AppendAll(b)
		in.pool.Put(b)
		c.more[i] = nil
	}
	c.more = c.more[:0]
	return nil
}

// pick does the part of take that needs the lock.
func (in *inbox) pick(c *call, limit Limit, mayWait bool) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	c.in = nil
	for {
		if in.aborted != nil {
			return in.aborted
		}
		l, marked := in.ready()
		switch {
		case l != nil:
			in.turn = (int(l.port) + 1) % len(in.lanes)
			l.pop(c, limit)
			c.in.Watermark = in.low
			in.seq.begin(c)
			in.raise()
			if slices.ContainsFunc(in.lanes, func(l *lane) bool { return l.items.len() > 0 }) {
				in.notEmpty.Signal() // a batch wakes one worker, and may be work for several
			}
			return nil
		case marked:
			return nil
		case in.finished():
			return io.EOF
		case !mayWait:
			return nil
		}
		in.notEmpty.Wait()
	}
}

// ready returns a lane with a batch in front, after handing the marks it meets
// to the sequencer; it says whether there were any.
func (in *inbox) ready() (l *lane, marked bool) {
	if in.held {
		return nil, false
	}
	for i := range in.lanes {
		l := in.lanes[(in.turn+i)%len(in.lanes)]
		for l.barrier == nil && l.items.len() > 0 {
			front := *l.items.at(0)
			if front.Batch != nil {
				return l, marked
			}
			l.items.pop()
			if front.Barrier != nil {
				l.barrier = front.Barrier
			} else {
				l.watermark = front.Watermark
				marked = in.raise() || marked
			}
		}
	}
	return nil, in.align() || marked
}

// align passes a barrier on once every lane has delivered it or ended, and
// holds the inbox until it has left.
func (in *inbox) align() bool {
	var barrier *stream.Barrier
	for _, l := range in.lanes {
		if l.barrier == nil && !l.ended() {
			return false
		}
		if l.barrier != nil {
			barrier = l.barrier
		}
	}
	if barrier == nil {
		return false
	}
	in.held = true
	in.seq.mark(stream.Item{Barrier: barrier})
	return true
}

// resume lets records flow again after a barrier has left.
func (in *inbox) resume() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.held = false
	for _, l := range in.lanes {
		l.barrier = nil
	}
	in.notEmpty.Broadcast()
}

// raise passes a watermark on if the least of all lanes has grown. A source
// that finished has sent EndOfTime before, so that it holds nothing back; one
// that was told to stop promises no more than it did.
func (in *inbox) raise() bool {
	low := stream.EndOfTime
	for _, l := range in.lanes {
		low = min(low, l.watermark)
	}
	if low <= in.low {
		return false
	}
	in.low = low
	in.seq.mark(stream.Item{Watermark: low})
	return true
}

// finished says that nothing is left to take, now and later.
func (in *inbox) finished() bool {
	for _, l := range in.lanes {
		if !l.ended() {
			return false
		}
	}
	return !in.held
}

// abort makes every take and Send return err.
func (in *inbox) abort(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.aborted != nil {
		return
	}
	in.aborted = err
	in.notEmpty.Broadcast()
	for _, l := range in.lanes {
		l.notFull.Broadcast()
	}
	in.seq.abort()
}

// queued returns what waits in all lanes.
func (in *inbox) queued() (n Limit) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.lanes {
		n.Records += l.queued.Records
		n.Bytes += l.queued.Bytes
	}
	return n
}
