package pipeline

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// flushAt bounds what is written and not yet flushed while records keep coming,
// and flushAfter for how long; when none come a sink is flushed at once.
var flushAt = Limit{Records: 16 << 10, Bytes: 4 << 20}

const flushAfter = time.Second

// sinkLoop writes what arrives to one sink. Dead letters leave by its edges.
type sinkLoop struct {
	name     stream.VertexID
	sink     stream.Sink
	in       *inbox
	out      *router
	acks     ledgers
	stats    *counters
	pool     *stream.BatchPool
	passed   func(stream.VertexID, *stream.Barrier) // a barrier came out; may be nil
	failures failures

	snapshot    func(stream.VertexID, *stream.Barrier, Snapshot) // may be nil
	prepared    stream.Transactional                             // the sink, if it hides what it writes until a checkpoint; else nil
	unpublished commits                                          // that it has prepared

	point   point
	written []*call   // not flushed yet
	pending Limit     // what they hold
	flushed time.Time // the last time
}

// run writes until the inbox has ended. Everything is flushed by then.
func (s *sinkLoop) run(ctx context.Context) error {
	for {
		c, err := s.in.takeBatch(len(s.written) == 0)
		switch {
		case errors.Is(err, io.EOF):
			if err := s.settle(ctx); err != nil { // a sink that got nothing shows that, too
				return err
			}
			s.out.close()
			return nil
		case err != nil:
			return err
		case c == nil:
			err = s.flush(ctx)
		default:
			err = s.write(ctx, c)
		}
		if err == nil {
			err = s.release(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (s *sinkLoop) write(ctx context.Context, c *call) error {
	s.point.see(c.in)
	began := time.Now()
	lost, err := s.try(ctx, c.in)
	if err != nil {
		return err
	}
	now := time.Now()
	s.stats.end(now.Sub(began), c.in.Len())
	s.stats.recordsOut.Add(uint64(c.in.Len() - lost))
	s.stats.bytesOut.Add(uint64(c.in.Bytes()))
	s.written = append(s.written, c)
	s.pending.add(c.size)
	if flushAt.reached(s.pending) || now.Sub(s.flushed) >= flushAfter {
		return s.flush(ctx)
	}
	return nil
}

// try writes a batch, again and again as far as it fails, and then decides about
// what is left of it. It returns how many records were not written.
func (s *sinkLoop) try(ctx context.Context, b *stream.Batch) (lost int, err error) {
	left := b
	defer func() {
		if left != b {
			s.pool.Put(left)
		}
	}()
	for attempt := 1; ; attempt++ {
		retry := s.failures.policy.Load().retry
		err := s.sink.Write(ctx, left)
		if err == nil {
			return 0, nil
		}
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		var rejected *stream.Rejected
		if errors.As(err, &rejected) {
			left = s.rejected(left, b, rejected)
		}
		if attempt >= retry.Attempts {
			return left.Len(), s.giveUp(ctx, left, attempt, err)
		}
		s.stats.retries.Add(uint64(left.Len()))
		delays := retry.delays()
		wait := delays[min(attempt, len(delays))-1]
		select {
		case <-time.After(wait - time.Duration(rand.Float64()*float64(wait)/2)):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// rejected returns a batch of the records that a sink did not take.
func (s *sinkLoop) rejected(left, b *stream.Batch, r *stream.Rejected) *stream.Batch {
	part := s.pool.New()
	for _, f := range r.Failures {
		part.AppendFrom(left, f.Input)
	}
	if left != b {
		s.pool.Put(left)
	}
	return part
}

// giveUp decides about records that could not be written. They are settled with
// the batch that they came in.
func (s *sinkLoop) giveUp(ctx context.Context, left *stream.Batch, attempts int, err error) error {
	reason := func(int) error { return err }
	var rejected *stream.Rejected
	if errors.As(err, &rejected) {
		reason = func(i int) error {
			return &stream.Error{Code: stream.RecordError, Why: "the sink does not take the record: " + rejected.Failures[i].Reason, Fix: "correct the record, or set onError of the sink to deadLetter or drop"}
		}
	} else if on := s.failures.policy.Load().onError; on != OnErrorDrop && on != OnErrorDeadLetter {
		return err
	}
	dead := s.pool.New()
	for i := range left.Records {
		if err := s.failures.judge(left, i, attempts, reason(i), dead); err != nil {
			return err
		}
	}
	s.acks.post(dead.Records, s.out.weights)
	return s.out.send(ctx, dead)
}

// flush makes what was written durable and settles it.
func (s *sinkLoop) flush(ctx context.Context) error {
	if len(s.written) == 0 {
		return nil
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	for i, c := range s.written {
		s.acks.post(c.in.Records, onEdge)
		s.in.flushed(c)
		s.written[i] = nil
	}
	s.written, s.pending, s.flushed = s.written[:0], Limit{}, time.Now()
	return nil
}

// settle flushes a sink that is not to be prepared.
func (s *sinkLoop) settle(ctx context.Context) error {
	if s.prepared != nil {
		return nil
	}
	return s.sink.Flush(ctx)
}

// pass takes the snapshot with which a barrier leaves.
func (s *sinkLoop) pass(ctx context.Context, b *stream.Barrier) error {
	if s.snapshot != nil {
		snapshot := s.in.takeSnapshot()
		if s.prepared != nil {
			commit, err := s.prepared.Prepare(ctx, b.Epoch)
			if err != nil {
				return err
			}
			snapshot.Commits = s.unpublished.add(b.Epoch, commit)
			snapshot.Blocked = time.Since(s.in.since())
		}
		s.snapshot(s.name, b, snapshot)
	}
	if s.passed != nil {
		s.passed(s.name, b)
	}
	return nil
}

// flushed takes a call of a sink off.
func (in *inbox) flushed(c *call) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.processing.sub(c.size)
	in.pool.Put(c.in)
	in.flight.finish(c)
}

// release lets marks out; a barrier means that everything before it is flushed.
func (s *sinkLoop) release(ctx context.Context) error {
	for {
		it, ok := s.in.takeMark()
		if !ok {
			return nil
		}
		if it.Barrier != nil {
			if err := s.pass(ctx, it.Barrier); err != nil {
				return err
			}
		}
		if err := s.out.broadcast(ctx, it); err != nil {
			return err
		}
		if it.Barrier != nil {
			s.in.passed()
		}
	}
}

// takeMark returns a mark to send, as long as there is one.
func (in *inbox) takeMark() (it stream.Item, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	it, ok = in.mark()
	in.sending = ok
	return it, ok
}
