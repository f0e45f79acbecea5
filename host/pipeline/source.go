package pipeline

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// sourceLoop reads one source and sends what it reads.
type sourceLoop struct {
	name     stream.VertexID
	id       stream.SourceID
	source   stream.Source
	ledger   *ledger
	out      *router
	stats    *counters
	pool     *stream.BatchPool
	time     EventTime
	failures failures

	epochs     *epochs
	snapshot   func(stream.VertexID, *stream.Barrier, Snapshot)
	marks      marks
	downstream []*lane
	begun      bool            // something was read
	pos        stream.Position // at the last barrier, or where it was opened

	sends sync.Mutex       // held while something is sent
	high  int64            // guarded by sends; the latest event time so far
	low   stream.Watermark // guarded by sends; the last that was sent
	ended bool             // guarded by sends
	held  bool             // guarded by sends; it does not become idle
	idle  *time.Timer      // runs out while nothing is read; nil = never

	mu       sync.Mutex
	barriers []*stream.Barrier  // guarded by mu; to be sent before the next read
	stopped  bool               // guarded by mu
	paused   bool               // guarded by mu
	over     bool               // guarded by mu; it is never read again
	still    bool               // guarded by mu; nothing is read, and what was is sent
	finished bool               // guarded by mu; no barrier will follow those that are here
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

// request is what a source is asked for.
type request struct {
	read     context.Context // ends when something more is asked for
	barriers []*stream.Barrier
	stopped  bool
	paused   bool
}

// request returns what was asked for since the last call. Nothing is being sent.
func (s *sourceLoop) request(ctx context.Context) (r request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake != nil {
		s.wake()
	}
	r.read, s.wake = context.WithCancel(ctx)
	r.barriers, s.barriers = s.barriers, nil
	r.stopped, r.paused = s.stopped, s.paused
	s.still = s.over || s.stopped || s.paused
	return r
}

// run reads until the source ends or stop is called, and closes the outbound
// edges. When ctx ends or reading fails it returns the error and leaves them open.
func (s *sourceLoop) run(ctx context.Context) error {
	defer s.interrupt(func() {})
	if s.time.IdleTimeout > 0 {
		s.idle = time.AfterFunc(math.MaxInt64, func() { s.rest(ctx) })
		s.idle.Reset(s.time.IdleTimeout)
		defer s.idle.Stop()
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	s.sends.Lock()
	defer s.sends.Unlock()
	s.ended = true
	s.out.close()
	return nil
}

func (s *sourceLoop) read(ctx context.Context) error {
	for {
		r := s.request(ctx)
		for _, b := range r.barriers {
			if err := s.pass(ctx, b); err != nil {
				return err
			}
		}
		switch {
		case r.stopped:
			return s.linger(ctx)
		case r.paused:
			if err := s.await(ctx, r.read); err != nil {
				return err
			}
			continue
		}
		s.hold(false)
		err := s.readUntil(ctx, r.read)
		switch {
		case errors.Is(err, io.EOF):
			if err := s.end(ctx); err != nil {
				return err
			}
			return s.linger(ctx)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case r.read.Err() == nil || !errors.Is(err, r.read.Err()):
			return err
		}
	}
}

// readUntil sends batch after batch until reading returns an error.
func (s *sourceLoop) readUntil(ctx, read context.Context) error {
	for {
		b := s.pool.New()
		if err := s.source.Read(read, b); err != nil {
			s.pool.Put(b)
			return err
		}
		s.begun = true
		s.stats.recordsIn.Add(uint64(b.Len()))
		if err := s.give(ctx, b); err != nil {
			return err
		}
		if s.idle != nil {
			s.idle.Reset(s.time.IdleTimeout)
		}
		if read.Err() != nil {
			return read.Err()
		}
	}
}

// give sends what was read, and how far the source says that time has come.
func (s *sourceLoop) give(ctx context.Context, b *stream.Batch) error {
	timed, ok := s.source.(stream.Timed)
	if ok && b.Len() == 0 {
		s.pool.Put(b)
	} else if err := s.send(ctx, b); err != nil {
		return err
	}
	if !ok {
		return nil
	}
	s.sends.Lock()
	defer s.sends.Unlock()
	return s.raise(ctx, min(timed.Reached(), stream.EndOfTime-1))
}

// weight is what an entered record counts: for each edge that takes it, and at
// least once, until it is known that it leads nowhere.
func (s *sourceLoop) weight() int { return max(1, s.out.weights[stream.Untagged]) }

// send enters a batch, and sends it and the watermark after it.
func (s *sourceLoop) send(ctx context.Context, b *stream.Batch) error {
	s.sends.Lock()
	defer s.sends.Unlock()
	first := s.ledger.enter(b.Len(), s.weight(), time.Now(), s.source.Position)
	for i := range b.Records {
		r := &b.Records[i]
		r.Source, r.Seq = s.id, first+stream.Seq(i)
	}
	if err := s.stamp(ctx, b); err != nil {
		return err
	}
	if s.out.weights[stream.Untagged] == 0 && b.Len() > 0 {
		s.ledger.post(b.Records, onEdge)
	}
	if err := s.out.send(ctx, b); err != nil {
		return err
	}
	return s.promise(ctx)
}

// promise sends a watermark so far behind the latest event time as records may
// be, if that is higher than the last one.
func (s *sourceLoop) promise(ctx context.Context) error {
	lag := int64(s.time.MaxOutOfOrder)
	if s.high < math.MinInt64+lag {
		return nil
	}
	return s.raise(ctx, s.watermark(s.high-lag))
}

// raise sends a watermark if it is higher than the last one.
func (s *sourceLoop) raise(ctx context.Context, w stream.Watermark) error {
	if w <= s.low {
		return nil
	}
	s.low = w
	s.stats.watermark.Store(int64(w))
	return s.out.broadcast(ctx, stream.Item{Watermark: w})
}

// watermark is that of an event time. None ends time: only the source's end does.
func (s *sourceLoop) watermark(at int64) stream.Watermark {
	return min(stream.Watermark(at), stream.EndOfTime-1)
}

// end ends time.
func (s *sourceLoop) end(ctx context.Context) error {
	s.sends.Lock()
	defer s.sends.Unlock()
	s.low = stream.EndOfTime
	s.stats.watermark.Store(int64(s.low))
	return s.out.broadcast(ctx, stream.Item{Watermark: s.low})
}

// rest says that nothing has come for IdleTimeout, so that others need not wait.
// Everything that came before is late no more: the watermark is the latest time.
func (s *sourceLoop) rest(ctx context.Context) {
	if !s.sends.TryLock() {
		s.idle.Reset(s.time.IdleTimeout) // something is being sent
		return
	}
	defer s.sends.Unlock()
	if s.ended || s.held {
		return
	}
	s.low = max(s.low, s.watermark(s.high))
	s.stats.watermark.Store(int64(s.low))
	_ = s.out.broadcast(ctx, stream.Item{Watermark: s.low, Idle: true}) // an error is the pipeline's end, which others see
}

// ackEvery is how long acknowledgements are gathered, since each may be a
// request to the outside system.
const ackEvery = 20 * time.Millisecond

// acknowledge passes the frontier on to the source until done is closed, and a
// last time after that.
func (s *sourceLoop) acknowledge(ctx context.Context, done <-chan struct{}) error {
	var pos stream.Position
	moved, frontier := s.acks()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for last := false; !last; {
		select {
		case <-done:
			last = true
		case <-pause.C:
			select {
			case <-moved:
			case <-done:
				last = true
			}
			pause.Reset(ackEvery)
		}
		_, settled := s.ledger.seqs()
		if next := frontier(nil); len(next) > 0 && string(next) != string(pos) {
			if err := s.source.Ack(ctx, next); err != nil {
				return err
			}
			pos = next
		}
		s.ledger.acknowledged.Store(uint64(settled))
	}
	return nil
}
