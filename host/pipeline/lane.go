package pipeline

import (
	"context"
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// lane is one edge inside the process. It implements stream.Outlet.
type lane struct {
	in      *inbox
	notFull sync.Cond
	limit   Limit
	port    uint16

	// guarded by in.mu
	items     ring[stream.Item]
	skip      int   // records of the front batch that are taken already
	queued    Limit // what items hold, skipped records not counted
	watermark stream.Watermark
	barrier   *stream.Barrier // delivered here and not yet by all lanes
	closed    bool            // the sender is done
}

func (l *lane) ended() bool { return l.closed && l.items.len() == 0 }

// Send implements stream.Outlet.
func (l *lane) Send(_ context.Context, it stream.Item) error {
	if it.Batch != nil {
		for i := range it.Batch.Records { // a transform may have left the port of an edge before
			it.Batch.Records[i].Port = l.port
		}
	}
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	if b := it.Batch; b != nil {
		for l.in.aborted == nil && l.queued.Records > 0 &&
			(l.queued.Records+b.Len() > l.limit.Records || l.queued.Bytes+b.Bytes() > l.limit.Bytes) {
			l.notFull.Wait()
		}
		l.queued.Records += b.Len()
		l.queued.Bytes += b.Bytes()
	}
	if l.in.aborted != nil {
		return l.in.aborted
	}
	*l.items.push() = it
	l.in.notEmpty.Signal()
	return nil
}

// Close implements stream.Outlet.
func (l *lane) Close() {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	l.closed = true
	l.in.notEmpty.Broadcast()
}

// pop moves the front batch, or as much of it as fits the limit, to the call,
// and further batches as long as they fit whole. Without a limit it moves one
// whole batch. Watermarks between batches are left for after the call.
func (l *lane) pop(c *call, limit Limit) {
	whole := limit == Limit{}
	front := l.items.at(0).Batch
	if !whole && (l.skip > 0 || front.Len() > limit.Records || (front.Bytes() > limit.Bytes && front.Len() > 1)) {
		c.in = l.split(front, limit)
	} else {
		c.in = l.shift()
	}
	records, bytes := c.in.Len(), c.in.Bytes()
	for !whole && l.skip == 0 && l.items.len() > 0 {
		next := l.items.at(0)
		if next.Batch == nil && next.Barrier == nil {
			l.watermark = next.Watermark
			l.items.pop()
			continue
		}
		b := next.Batch
		if b == nil || records+b.Len() > limit.Records || bytes+b.Bytes() > limit.Bytes {
			break
		}
		records, bytes = records+b.Len(), bytes+b.Bytes()
		c.more = append(c.more, l.shift())
	}
	l.notFull.Broadcast()
}

// shift takes the front batch off.
func (l *lane) shift() *stream.Batch {
	b := l.items.at(0).Batch
	l.items.pop()
	l.queued.Records -= b.Len()
	l.queued.Bytes -= b.Bytes()
	return b
}

// split copies the next records of the front batch into a batch of their own.
func (l *lane) split(front *stream.Batch, limit Limit) *stream.Batch {
	part := l.in.pool.New()
	for l.skip < front.Len() {
		r := &front.Records[l.skip]
		size := int(r.Key.Len) + int(r.Value.Len) + int(r.Headers.Len)
		if part.Len() > 0 && (part.Len() >= limit.Records || part.Bytes()+size > limit.Bytes) {
			break
		}
		part.AppendFrom(front, l.skip)
		l.skip++
		l.queued.Records--
	}
	if l.skip == front.Len() {
		l.skip = 0
		l.queued.Records += front.Len() // shift counts them again
		l.in.pool.Put(l.shift())
	}
	return part
}
