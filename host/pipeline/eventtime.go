package pipeline

import (
	"context"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// EventTime says when records of a source happened.
type EventTime struct {
	// Of reads the time of a record, ns since 1970, from what is in it. nil leaves
	// what the source says.
	Of func(b *stream.Batch, i int) (int64, error)

	MaxOutOfOrder time.Duration // how far behind the latest record others may come
	IdleTimeout   time.Duration // after this without a record others do not wait; 0 = never
}

// stamp sets the event time of records that were just entered. What has none is
// left to the source's policy.
func (s *sourceLoop) stamp(ctx context.Context, b *stream.Batch) error {
	if s.time.Of == nil {
		for i := range b.Records {
			s.see(b.Records[i].Time)
		}
		return nil
	}
	var dead *stream.Batch
	kept, before := 0, 0
	for i := range b.Records {
		at, err := s.time.Of(b, i)
		if err == nil {
			s.see(at)
			b.Records[kept], b.Records[kept].Time = b.Records[i], at
			kept++
			continue
		}
		if dead == nil {
			dead = s.pool.New()
		}
		err = &stream.Error{
			Code: stream.RecordError, Why: "the record has no event time", Err: err,
			Fix: "correct eventTime of the source, or set its onError to deadLetter or drop",
		}
		if err := s.failures.judge(b, i, 1, err, dead); err != nil {
			return err
		}
		if n := dead.Len(); n > before {
			s.ledger.post(dead.Records[before:], s.out.weights)
			before = n
		}
		s.ledger.post(b.Records[i:i+1], []int{-s.weight()})
	}
	b.Records = b.Records[:kept]
	if dead == nil {
		return nil
	}
	return s.out.send(ctx, dead)
}

// see notes the event time of a record.
func (s *sourceLoop) see(at int64) {
	if at < int64(s.low) {
		s.stats.late.Add(1)
	}
	s.high = max(s.high, at)
}
