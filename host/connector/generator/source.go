package generator

import (
	"context"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// batchBytes is the size at which a batch is full, however few its records.
const batchBytes = 1 << 20

// Source makes records up. It is a stream.Source and a stream.Locator.
type Source struct {
	cfg  SourceConfig
	end  uint64 // number after the last record
	next uint64 // number of the next record

	pacer    *pacer // nil = as fast as can be
	filler   *filler
	template *template
	nexmark  *nexmark // exactly one of these three is set
}

// NewSource returns a source with valid settings.
func NewSource(cfg SourceConfig) *Source {
	s := &Source{cfg: cfg, end: math.MaxUint64}
	if cfg.Count > 0 {
		s.end = uint64(cfg.Count)
	}
	if cfg.Rate > 0 {
		s.pacer = &pacer{rate: cfg.Rate}
	}
	segments, _ := parseTemplate(cfg.Template)
	switch {
	case cfg.Nexmark != nil:
		s.nexmark = newNexmark(*cfg.Nexmark, cfg.Seed)
	case segments != nil:
		s.template = &template{seed: cfg.Seed, segments: segments}
	default:
		s.filler = newFiller(cfg.Seed, cfg.Size)
	}
	return s
}

// Open implements stream.Source.
func (s *Source) Open(_ context.Context, after stream.Position) error {
	if after == nil {
		return nil
	}
	next, err := parsePosition(after)
	s.next = next
	return err
}

// Read implements stream.Source. A paced source gives out what is due.
func (s *Source) Read(ctx context.Context, b *stream.Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.next >= s.end {
			return io.EOF
		}
		n := min(s.end-s.next, uint64(s.limit()))
		if s.pacer != nil {
			due, err := s.pacer.wait(ctx, int64(n))
			if err != nil {
				return err
			}
			n = uint64(due)
		}
		now := time.Now().UnixNano()
		switch {
		case s.nexmark != nil:
			s.events(b, n)
		case s.template != nil:
			s.texts(b, n, now)
		default:
			s.fixed(b, n, now)
		}
		if b.Len() > 0 {
			return nil
		}
		b.Reset() // no event was of a type that is asked for
	}
}

// limit is how many records fit a batch.
func (s *Source) limit() int {
	size := 0
	switch {
	case s.nexmark != nil:
		size = maxEvent / 4 // above the average
	case s.template != nil:
		size = s.template.bound()
	default:
		size = len(s.filler.value)
	}
	return max(1, min(s.cfg.BatchRecords, batchBytes/max(size, 1)))
}

func (s *Source) fixed(b *stream.Batch, n uint64, now int64) {
	size := len(s.filler.value)
	room := b.Reserve(int(n) * size)
	off := b.Commit(len(room)).Off
	b.Records = slices.Grow(b.Records, int(n))[:n]
	clear(b.Records)
	for i := range b.Records {
		r := &b.Records[i]
		r.Time = now
		r.Value = stream.Span{Off: off + uint32(i*size), Len: uint32(size)}
		s.filler.fill(room[i*size:(i+1)*size], s.next+uint64(i))
	}
	s.next += n
}

func (s *Source) texts(b *stream.Batch, n uint64, now int64) {
	bound := s.template.bound()
	for range n {
		value := commit(b, s.template.append(b.Reserve(bound)[:0], s.next, now), bound)
		b.Records = append(b.Records, stream.Record{Time: now, Value: value})
		s.next++
	}
}

func (s *Source) events(b *stream.Batch, n uint64) {
	s.nexmark.begin(b)
	for range n {
		if k := s.nexmark.kind(s.next); s.nexmark.wanted[k] {
			value := commit(b, s.nexmark.append(b.Reserve(maxEvent)[:0], s.next), maxEvent)
			b.Records = append(b.Records, stream.Record{Time: s.nexmark.time(s.next), Value: value, Headers: s.nexmark.headers[k]})
		}
		s.next++
	}
}

// commit makes a value that was appended to reserved bytes part of the arena.
func commit(b *stream.Batch, value []byte, reserved int) stream.Span {
	if len(value) > reserved {
		panic("BUG: generated value of " + strconv.Itoa(len(value)) + " bytes where at most " + strconv.Itoa(reserved) + " were to be")
	}
	return b.Commit(len(value))
}

// Position implements stream.Source.
func (s *Source) Position(dst []byte) stream.Position { return appendPosition(dst, s.next) }

// Ack implements stream.Source.
func (s *Source) Ack(context.Context, stream.Position) error { return nil }

// Close implements stream.Source.
func (s *Source) Close() error { return nil }

// Locate implements stream.Locator: "record 1234", counted from 0.
func (s *Source) Locate(after stream.Position, back int) string {
	next, err := parsePosition(after)
	if err != nil {
		return "generator"
	}
	for next > 0 {
		next--
		if s.nexmark != nil && !s.nexmark.wanted[s.nexmark.kind(next)] {
			continue
		}
		if back == 0 {
			return "record " + strconv.FormatUint(next, 10)
		}
		back--
	}
	return "generator"
}
