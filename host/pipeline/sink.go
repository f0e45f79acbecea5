package pipeline

import (
	"context"
	"errors"
	"io"

	"github.com/wasmill/wasmill/host/stream"
)

// flushAt bounds what is written and not yet flushed while records keep coming;
// when none come a sink is flushed at once.
var flushAt = Limit{Records: 16 << 10, Bytes: 4 << 20}

// sinkLoop writes what arrives to one sink.
type sinkLoop struct {
	name   stream.VertexID
	sink   stream.Sink
	in     *inbox
	acks   ledgers
	stats  *counters
	pool   *stream.BatchPool
	passed func(stream.VertexID, *stream.Barrier) // a barrier came out; may be nil

	written []*stream.Batch // not flushed yet
	pending Limit           // what they hold
	settled []int           // by tag; records on edges are untagged
}

// run writes until the inbox has ended. Everything is flushed by then.
func (s *sinkLoop) run(ctx context.Context) error {
	var c call
	s.settled = []int{-1}
	for {
		err := s.in.take(&c, Limit{}, len(s.written) == 0)
		switch {
		case errors.Is(err, io.EOF):
			if err := s.flush(ctx); err != nil {
				return err
			}
			return s.sink.Flush(ctx) // a sink that got nothing shows that, too
		case err != nil:
			return err
		case c.in == nil:
			err = s.flush(ctx)
		default:
			err = s.write(ctx, &c)
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
	n := c.in.Len()
	s.stats.begin(n)
	if err := s.sink.Write(ctx, c.in); err != nil {
		return err
	}
	s.stats.out(c.in)
	s.in.seq.finish(c)
	s.written = append(s.written, c.in)
	s.pending.Records += n
	s.pending.Bytes += c.in.Bytes()
	if s.pending.Records >= flushAt.Records || s.pending.Bytes >= flushAt.Bytes {
		return s.flush(ctx)
	}
	return nil
}

// flush makes what was written durable and settles it.
func (s *sinkLoop) flush(ctx context.Context) error {
	if len(s.written) == 0 {
		return nil
	}
	if err := s.sink.Flush(ctx); err != nil {
		return err
	}
	for i, b := range s.written {
		s.acks.post(b.Records, s.settled)
		s.pool.Put(b)
		s.written[i] = nil
	}
	s.stats.end(s.pending.Records)
	s.written, s.pending = s.written[:0], Limit{}
	return nil
}

// release lets marks out; a barrier means that everything before it is flushed.
func (s *sinkLoop) release(ctx context.Context) error {
	return s.in.seq.release(func(it stream.Item) error {
		if it.Barrier == nil {
			s.stats.watermark.Store(int64(it.Watermark))
			return nil
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		if s.passed != nil {
			s.passed(s.name, it.Barrier)
		}
		s.in.resume()
		return nil
	})
}
