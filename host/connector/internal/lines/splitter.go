package lines

import (
	"bytes"
	"errors"

	"github.com/wasmill/wasmill/host/stream"
)

// ErrTooLong says that the next line is longer than Limits.Line. It stays the
// answer until Reset.
var ErrTooLong = errors.New("line too long")

// Limits bound what a Splitter gives out and holds. All are at least 1.
type Limits struct {
	Line    int // bytes of one line, without its end
	Records int // records in one batch
	Bytes   int // bytes of one batch, unless its only line is longer; also the size of a read
}

// Splitter holds the bytes read ahead of the records. It has one owner.
type Splitter struct {
	limits Limits
	buf    []byte
	start  int // buf[start:end] is read and not cut
	end    int
	clean  int // the first bytes after start that are known to hold no line end
}

// NewSplitter returns an empty Splitter, which holds no memory until Space.
func NewSplitter(limits Limits) *Splitter { return &Splitter{limits: limits} }

// Space returns room to read into, at least one byte, valid until the next
// call. It is to be called only when Cut gave nothing.
func (s *Splitter) Space() []byte {
	if s.buf == nil {
		s.buf = make([]byte, s.limits.Bytes)
	}
	s.end = copy(s.buf, s.buf[s.start:s.end])
	s.start = 0
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	return s.buf[s.end:]
}

// Filled says that n bytes were read into Space.
func (s *Splitter) Filled(n int) { s.end += n }

// Buffered returns how many bytes were read and not given out.
func (s *Splitter) Buffered() int { return s.end - s.start }

// Cut moves complete lines into a batch and returns the bytes that it took,
// line ends included, valid as long as the batch's arena: none if there is no
// complete line. An error adds nothing to the batch.
func (s *Splitter) Cut(b *stream.Batch, now int64) ([]byte, error) {
	window := s.buf[s.start:s.end]
	base, taken := uint32(b.Bytes()), 0
	for len(b.Records) < s.limits.Records {
		i := bytes.IndexByte(window[s.clean:], '\n')
		if i < 0 {
			s.clean = len(window)
			// One byte more may be the "\r" of a line end to come.
			if taken == 0 && len(window) > s.limits.Line+1 {
				return nil, ErrTooLong
			}
			break
		}
		end := s.clean + i
		next := end + 1
		if taken > 0 && next > s.limits.Bytes {
			break
		}
		if end > taken && window[end-1] == '\r' {
			end--
		}
		if end-taken > s.limits.Line {
			if taken == 0 {
				return nil, ErrTooLong
			}
			break
		}
		b.Records = append(b.Records, stream.Record{})
		r := &b.Records[len(b.Records)-1]
		r.Time = now
		r.Value = stream.Span{Off: base + uint32(taken), Len: uint32(end - taken)}
		taken, s.clean = next, next
	}
	if taken == 0 {
		return nil, nil
	}
	span := b.Store(window[:taken])
	s.start += taken
	s.clean -= taken
	return b.Of(span), nil
}

// Last moves what follows the last line end into a batch as one record, like
// Cut. It is to be called only when Cut gave nothing and no byte will follow.
func (s *Splitter) Last(b *stream.Batch, now int64) ([]byte, error) {
	rest := s.buf[s.start:s.end]
	if len(rest) == 0 {
		return nil, nil
	}
	if len(rest) > s.limits.Line {
		return nil, ErrTooLong
	}
	span := b.Store(rest)
	b.Records = append(b.Records, stream.Record{Time: now, Value: span})
	s.Reset()
	return b.Of(span), nil
}

// Reset forgets what was read and not given out.
func (s *Splitter) Reset() { s.start, s.end, s.clean = 0, 0, 0 }
