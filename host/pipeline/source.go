package pipeline

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// sourceLoop reads one source and sends what it reads.
type sourceLoop struct {
	name   stream.VertexID
	id     stream.SourceID
	source stream.Source
	ledger *ledger
	out    *router
	stats  *counters
	pool   *stream.BatchPool

	mu       sync.Mutex
	barriers []*stream.Barrier  // guarded by mu; to be sent before the next read
	stopped  bool               // guarded by mu
	wake     context.CancelFunc // guarded by mu; ends the read under way
}

// inject puts a barrier after what has been read so far.
func (s *sourceLoop) inject(b *stream.Barrier) {
	s.interrupt(func() { s.barriers = append(s.barriers, b) })
}

// stop ends reading. What was read is still sent.
func (s *sourceLoop) stop() { s.interrupt(func() { s.stopped = true }) }

func (s *sourceLoop) interrupt(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	if s.wake != nil {
		s.wake()
	}
}

// request returns what was asked for since the last call, and a context for
// reading that ends when something more is asked for.
func (s *sourceLoop) request(ctx context.Context) (read context.Context, barriers []*stream.Barrier, stopped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake != nil {
		s.wake()
	}
	read, s.wake = context.WithCancel(ctx)
	barriers, s.barriers = s.barriers, nil
	return read, barriers, s.stopped
}

// run reads until the source ends or stop is called, and closes the outbound
// edges. When ctx ends or reading fails it returns the error and leaves them open.
func (s *sourceLoop) run(ctx context.Context) error {
	defer s.interrupt(func() {})
	if err := s.read(ctx); err != nil {
		return err
	}
	s.out.close()
	return nil
}

func (s *sourceLoop) read(ctx context.Context) error {
	low := stream.NoWatermark
	for {
		read, barriers, stopped := s.request(ctx)
		for _, b := range barriers {
			if err := s.out.broadcast(ctx, stream.Item{Barrier: b}); err != nil {
				return err
			}
		}
		if stopped {
			return nil
		}
		err := s.readUntil(ctx, read, &low)
		switch {
		case errors.Is(err, io.EOF):
			return s.promise(ctx, &low, stream.EndOfTime)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case read.Err() == nil || !errors.Is(err, read.Err()):
			return err
		}
	}
}

// readUntil sends batch after batch until reading returns an error.
func (s *sourceLoop) readUntil(ctx, read context.Context, low *stream.Watermark) error {
	for {
		b := s.pool.New()
		if err := s.source.Read(read, b); err != nil {
			s.pool.Put(b)
			return err
		}
		high := s.enter(b)
		s.stats.recordsIn.Add(uint64(b.Len()))
		if err := s.out.send(ctx, b); err != nil {
			return err
		}
		if err := s.promise(ctx, low, high); err != nil {
			return err
		}
		if read.Err() != nil {
			return read.Err()
		}
	}
}

// enter opens an entry for a batch and numbers its records. It returns the
// watermark after it: records are taken to come in order of event time.
func (s *sourceLoop) enter(b *stream.Batch) stream.Watermark {
	first := s.ledger.enter(b.Len(), s.out.weights[stream.Untagged], time.Now(), s.source.Position)
	high := stream.NoWatermark
	for i := range b.Records {
		r := &b.Records[i]
		r.Source, r.Seq = s.id, first+stream.Seq(i)
		high = max(high, stream.Watermark(r.Time))
	}
	return high
}

// promise sends a watermark if it is higher than the last one.
func (s *sourceLoop) promise(ctx context.Context, low *stream.Watermark, w stream.Watermark) error {
	if w <= *low {
		return nil
	}
	*low = w
	s.stats.watermark.Store(int64(w))
	return s.out.broadcast(ctx, stream.Item{Watermark: w})
}

// ackEvery is how long acknowledgements are gathered, since each may be a
// request to the outside system.
const ackEvery = 20 * time.Millisecond

// acknowledge passes the frontier on to the source until done is closed, and a
// last time after that.
func (s *sourceLoop) acknowledge(ctx context.Context, done <-chan struct{}) error {
	var pos stream.Position
	pause := time.NewTimer(0)
	defer pause.Stop()
	for last := false; !last; {
		select {
		case <-done:
			last = true
		case <-pause.C:
			select {
			case <-s.ledger.moved:
			case <-done:
				last = true
			}
			pause.Reset(ackEvery)
		}
		next := s.ledger.frontier(nil)
		if len(next) == 0 || string(next) == string(pos) {
			continue
		}
		if err := s.source.Ack(ctx, next); err != nil {
			return err
		}
		pos = next
	}
	return nil
}
