package pipeline

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// maxUnmarked is how many calls the sender sends without looking for a mark in
// between: downstream time goes on even if there is always something to send.
const maxUnmarked = 16

// done takes the results of a call. If it returns true the caller got the duty
// to send.
func (in *inbox) done(c *call) (send bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended(c)
	in.move(c)
	if in.sending || in.ready.len() == 0 {
		return false
	}
	in.sending = true
	if in.startable() {
		in.work.Signal() // for the permit
	}
	return true
}

// ended gives the permit of a call back.
func (in *inbox) ended(c *call) {
	now := time.Now()
	took := now.Sub(c.began)
	in.stats.end(took, c.in.Len())
	if c.in.Len() > 0 && !c.failed {
		in.size.observe(took, c.in.Len())
	}
	if in.limiter != nil && c.in.Len() > 0 {
		in.limiter.observe(took, in.calls, now)
	}
	in.calls--
	c.began = now
}

// move takes a call from the processing stage to the output stage, and lets its
// results, and those that waited for them, leave.
func (in *inbox) move(c *call) {
	in.processing.sub(c.size)
	c.stage, c.size = StageOutput, sizeOf(c.out.Batch)
	full := in.output.Records > 0
	in.output.add(c.size)
	full = full && in.bounds.output.over(in.output)
	if c.slot != nil {
		in.proceed(c)
	}
	switch {
	case full && in.full == FullDropNewest:
		in.forget(c, DroppedNewest)
	case in.inOrder:
		in.early.add(c.size)
	default:
		*in.ready.push() = c
	}
	if in.inOrder {
		in.hand()
	}
	for in.full == FullDropOldest && in.ready.len() > 1 && in.bounds.output.over(in.output) {
		oldest := *in.ready.at(0)
		in.ready.pop()
		in.passing.before = max(0, in.passing.before-1)
		in.forget(oldest, DroppedOldest)
	}
}

// proceed goes on with the slot of a call that is done.
func (in *inbox) proceed(c *call) {
	if c.next == nil {
		in.release(c.slot)
	} else {
		*in.redo.push() = c.next
	}
	c.slot, c.next = nil, nil
}

// hand makes ready what is done and has nothing before it that is not.
func (in *inbox) hand() {
	next := in.flight.oldest
	if in.handed != nil {
		next = in.handed.newer
	}
	for ; next != nil && next.stage == StageOutput; next = next.newer {
		*in.ready.push() = next
		in.handed = next
		in.early.sub(next.size)
	}
}

// forget drops the results of a call and settles its inputs.
func (in *inbox) forget(c *call, why Drop) {
	in.stats.dropped[why].Add(uint64(c.out.Len()))
	in.acks.post(c.in.Records, onEdge)
	in.pool.Put(c.out.Batch)
	in.leave(c)
}

// leave takes off a call whose inputs are settled.
func (in *inbox) leave(c *call) {
	in.output.sub(c.size)
	in.pool.Put(c.in)
	if in.handed == c {
		in.handed = c.older
	}
	in.flight.finish(c)
}

// next is for the one who has the duty to send. It takes off the call whose
// results were accepted downstream, nil at first, and returns the next to send,
// or a mark. If there is neither the duty has ended.
func (in *inbox) next(accepted *call) (c *call, mark stream.Item, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if accepted != nil {
		in.accepted(accepted)
	}
	if in.ready.len() == 0 || in.unmarked >= maxUnmarked || in.leaves() {
		in.unmarked = 0
		in.absorb()
		if mark, ok = in.mark(); ok {
			return nil, mark, true
		}
	}
	if in.ready.len() > 0 {
		c = *in.ready.at(0)
		in.ready.pop()
		in.unmarked++
		in.passing.before = max(0, in.passing.before-1)
		return c, stream.Item{}, true
	}
	in.sending = false
	if in.finished() {
		in.work.Broadcast()
	}
	return nil, stream.Item{}, false
}

func (in *inbox) accepted(c *call) {
	in.stats.sent.observe(time.Since(c.began), c.in.Len())
	in.leave(c)
	if in.startable() {
		in.work.Signal()
	}
}
