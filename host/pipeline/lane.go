package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// lane is one edge inside the process. It implements stream.Outlet.
type lane struct {
	in      *inbox
	notFull sync.Cond
	limit   Limit
	full    Full
	port    uint16
	from    stream.VertexID
	side    *sideInput // that it feeds; nil = it holds records of the vertex

	// guarded by in.mu
	items    ring[arrival]
	skip     int   // records of the front batch that are taken already
	queued   Limit // what items hold, skipped records not counted
	promised stream.Watermark
	barrier  *stream.Barrier // delivered here and not yet by all lanes
	seen     stream.Epoch    // of the last barrier that came
	lifted   bool            // no limits until the next barrier comes
	closed   bool            // the sender is done
}

// arrival is an item with the time at which it came.
type arrival struct {
	stream.Item
	at time.Time
}

// plain says that it is a mark that has meaning until the next one.
func (a arrival) plain() bool { return a.Batch == nil && a.Barrier == nil }

func (l *lane) ended() bool { return l.closed && l.items.len() == 0 }

// Send implements stream.Outlet.
func (l *lane) Send(_ context.Context, it stream.Item) error {
	if b := it.Batch; b != nil {
		b.Least = int64(stream.EndOfTime)
		for i := range b.Records {
			r := &b.Records[i]
			r.Port = l.port // a transform may have left that of an edge before
			b.Least = min(b.Least, r.Time)
		}
	}
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	if b := it.Batch; b != nil {
		if !l.fits(b) && !l.makeRoom(b) {
			return nil
		}
		l.queued.add(sizeOf(b))
	}
	if l.in.aborted != nil {
		return l.in.aborted
	}
	if !it.Idle {
		l.in.arrived().active(int(l.port))
	}
	came := arrival{it, time.Now()}
	if last := l.items.len() - 1; came.plain() && last >= 0 && l.items.at(last).plain() {
		*l.items.at(last) = came // says all that the one before does
	} else {
		*l.items.push() = came
	}
	if it.Barrier != nil {
		l.barred(it.Barrier)
	}
	if l.side != nil {
		l.in.feed(l)
		return nil
	}
	if l.in.bounds.permits == 0 || l.in.calls < l.in.permits() || it.Batch == nil && l.items.len() == 1 {
		l.in.work.Signal()
	}
	return nil
}

// fits says whether a batch can come in; a single one always can.
func (l *lane) fits(b *stream.Batch) bool {
	return l.queued.Records == 0 ||
		l.queued.Records+b.Len() <= l.limit.Records && l.queued.Bytes+b.Bytes() <= l.limit.Bytes
}

// makeRoom waits or drops until a batch fits. It returns false if it dropped the
// batch itself.
func (l *lane) makeRoom(b *stream.Batch) bool {
	switch {
	case l.lifted:
		return true
	case l.full == FullDropNewest:
		l.in.drop(b, b.Records, DroppedNewest)
		return false
	case l.full == FullDropOldest:
		for !l.fits(b) {
			l.dropOldest()
		}
		return true
	}
	for l.in.aborted == nil && !l.fits(b) && !l.lifted {
		l.notFull.Wait()
	}
	return true
}

// dropOldest drops the first batch, behind which marks may be waiting.
func (l *lane) dropOldest() {
	i := 0
	for l.items.at(i).Batch == nil {
		i++
	}
	b, from := l.items.at(i).Batch, l.skip
	l.skip = 0
	l.queued.sub(Limit{b.Len() - from, b.Bytes()})
	l.remove(i)
	l.in.drop(b, b.Records[from:], DroppedOldest)
}

// drop settles records of a batch that nobody will get, and owns the batch.
func (in *inbox) drop(b *stream.Batch, records []stream.Record, why Drop) {
	in.stats.dropped[why].Add(uint64(len(records)))
	if len(records) > 0 {
		in.acks.post(records, onEdge)
	}
	in.pool.Put(b)
}

// onEdge are weights of records on edges, which are untagged: -1 settles each.
var onEdge = []int{-1}

// Close implements stream.Outlet.
func (l *lane) Close() {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	l.closed = true
	l.in.work.Broadcast()
	l.in.passing.changed.Broadcast()
}

// absorb takes the marks in front, and values of a side input.
func (l *lane) absorb() {
	for l.barrier == nil && l.items.len() > 0 {
		switch {
		case l.items.at(0).Batch == nil:
			l.takeMark()
		case l.side != nil:
			l.takeSide()
		default:
			return
		}
	}
}

func (l *lane) takeMark() {
	it := l.items.at(0)
	switch w := l.in.arrived(); {
	case it.Barrier != nil:
		if it.Barrier.Epoch > l.in.passing.ignored {
			l.barrier = it.Barrier
		}
	default:
		l.promised = max(l.promised, it.Watermark)
		w.promise(int(l.port), it.Watermark)
		if it.Idle && l.items.len() == 1 {
			w.idle(int(l.port))
		}
	}
	l.items.pop()
}

// take moves the front batch, or as much of it as fits the limit, and to more
// further ones as long as they fit whole. Marks between batches are taken, too:
// what came before is in flight when somebody looks at them.
func (l *lane) take(limit Limit, more []*stream.Batch) (b *stream.Batch, rest []*stream.Batch) {
	front := l.items.at(0).Batch
	if l.skip > 0 || front.Len() > 1 && (front.Len() > limit.Records || front.Bytes() > limit.Bytes) {
		return l.split(front, limit), more
	}
	b = l.shift()
	records, bytes := b.Len(), b.Bytes()
	for l.items.len() > 0 {
		next := l.items.at(0)
		if next.Batch == nil && next.Barrier == nil {
			l.takeMark()
			continue
		}
		if next.Batch == nil || records+next.Batch.Len() > limit.Records || bytes+next.Batch.Bytes() > limit.Bytes {
			break
		}
		records, bytes = records+next.Batch.Len(), bytes+next.Batch.Bytes()
		more = append(more, l.shift())
	}
	return b, more
}

// shift takes the front batch off.
func (l *lane) shift() *stream.Batch {
	front := l.items.at(0)
	b := front.Batch
	l.in.stats.waited.observe(time.Since(front.at), b.Len())
	l.items.pop()
	l.queued.sub(sizeOf(b))
	l.notFull.Broadcast()
	return b
}

// split copies the next records of the front batch into a batch of their own.
func (l *lane) split(front *stream.Batch, limit Limit) *stream.Batch {
	part := portion(l.in.pool, front, l.skip, limit)
	l.in.stats.waited.observe(time.Since(l.items.at(0).at), part.Len())
	l.queued.Records -= part.Len()
	if l.skip += part.Len(); l.skip == front.Len() {
		l.queued.Bytes -= front.Bytes()
		l.items.pop()
		l.skip = 0
		l.in.pool.Put(front)
	}
	l.notFull.Broadcast()
	return part
}
