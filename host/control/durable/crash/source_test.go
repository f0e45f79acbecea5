package crash_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// mostAtOnce is the most records of a batch of the source.
const mostAtOnce = 16

// numbers reads the numbers from 0, whose outside is the ledger. Number n is of key
// n % Keys, the (n / Keys)th of it.
type numbers struct {
	*worker
	rng  *rand.Rand
	next int
}

// decodePosition reads a position: the next number as text, none is 0.
func decodePosition(p []byte) int {
	n, err := strconv.Atoi(string(p))
	if err != nil && len(p) > 0 {
		panic(err)
	}
	return n
}

func (s *numbers) Open(_ context.Context, after stream.Position) error {
	s.next = decodePosition(after)
	s.note("open", s.next)
	all, err := readLedger(".")
	if err != nil {
		return err
	}
	if gone := last(all, 0, "acked"); s.Prunes && gone > s.next {
		s.note("gap", s.next, gone)
		s.next = gone
	}
	s.steps.by("the source opened")
	return nil
}

func (s *numbers) Read(ctx context.Context, b *stream.Batch) error {
	pause, most := time.Duration(s.rng.Int64N(2*int64(s.Pace))), 1+s.rng.IntN(mostAtOnce)
	if (s.Lasts || s.steps.ahead()) && s.next > s.total()/2 { // not to be at the end before the step
		half, left := s.total()-s.total()/2, s.total()-s.next
		pause, most = 10*time.Millisecond*time.Duration(half)/time.Duration(max(1, left)), 1 // ever slower
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	from, to := s.next, min(s.total(), s.next+most)
	if from == to {
		return io.EOF
	}
	for ; s.next < to; s.next++ {
		b.Append(eventTime(s.next), keyOf(s.next%s.Keys), []byte(strconv.Itoa(s.next/s.Keys)), nil)
	}
	s.note("read", from, to)
	s.steps.by("after read")
	return nil
}

func (s *numbers) Position(dst []byte) stream.Position {
	return strconv.AppendInt(dst, int64(s.next), 10)
}

func (s *numbers) Ack(_ context.Context, upTo stream.Position) error {
	s.steps.by("before an ack")
	s.note("acked", decodePosition(upTo))
	s.steps.by("after an ack")
	return nil
}

func (s *numbers) Close() error { return nil }

// eventTime is that of a number: they are a millisecond apart.
func eventTime(n int) int64 { return int64(n) * int64(time.Millisecond) }

func keyOf(k int) []byte { return fmt.Appendf(nil, "k%03d", k) }
