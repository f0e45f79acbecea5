package crash_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/state/process"
	"github.com/wasmill/wasmill/host/stream"
)

// chance decides how calls go.
type chance struct {
	mu  sync.Mutex
	rng *rand.Rand // guarded by mu
}

// draw returns a number below n.
func (c *chance) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

var errBadMoment = errors.New("a bad moment")

// loose passes records on, and takes its time: calls overtake each other, and some
// fail, as a whole or for a record.
type loose struct {
	*worker
	chance
}

func (x *loose) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	x.steps.by("in a call")
	pause := time.Duration(0)
	switch x.draw(8) {
	case 0:
		pause = time.Duration(x.draw(20)) * time.Millisecond
	case 1, 2, 3:
		pause = time.Duration(x.draw(3000)) * time.Microsecond
	}
	for i := range in.Records {
		if n := x.numberOf(in, i); x.Slow > 0 && n%x.Slow == x.Slow-1 {
			x.note("slow", n)
			pause = 10 * time.Minute
		}
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	if x.draw(20) == 0 {
		return errBadMoment
	}
	for i := range in.Records {
		if x.draw(100) == 0 {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "a bad moment"})
			continue
		}
		emit(out, in, i, in.Value(i))
	}
	return nil
}

func (x *loose) Close(context.Context) error { return nil }

// numberOf returns the number of a record of the source.
func (s *scenario) numberOf(b *stream.Batch, i int) int {
	n, err := strconv.Atoi(string(b.Value(i)))
	key, bad := strconv.Atoi(string(b.Key(i)[1:]))
	if err != nil || bad != nil {
		panic(errors.Join(err, bad))
	}
	return n*s.Keys + key
}

func emit(out *stream.Output, in *stream.Batch, i int, value []byte) {
	r := in.Records[i]
	r.Key, r.Value, r.Headers, r.Tag, r.Port = out.Store(in.Key(i)), out.Store(value), stream.Span{}, stream.Untagged, 0
	out.Records = append(out.Records, r)
}

// tally is a guest that remembers of each key how many numbers came, a sum over them
// in their order, and some bytes that the last one decides; and says at the end of time
// what it has. It fails for good if a number does not follow the one before it.
type tally struct {
	*worker
	chance
}

var nameOfState, nameOfTimer = []byte("state"), []byte("end")

func (g *tally) Process(_ context.Context, s *process.Session, in *stream.Batch, out *stream.Output) error {
	g.steps.by("in a call with state")
	if g.draw(6) == 0 {
		time.Sleep(time.Duration(g.draw(2000)) * time.Microsecond)
	}
	for i, r := range in.Records {
		before := memory{}
		if text, ok := s.Get(i, nameOfState); ok {
			before = decodeMemory(text)
		}
		key := in.Key(i)
		if before.count > 0 && !bytes.Equal(before.blob, blob(key, before.count-1)) {
			return &stream.Fatal{Err: fmt.Errorf("what is remembered of %s after %d numbers is damaged", key, before.count)}
		}
		if r.Port == stream.EventTimer {
			emit(out, in, i, fmt.Appendf(nil, "%s end %d %d .", key, before.count, before.sum))
			continue
		}
		n := g.numberOf(in, i) / g.Keys
		if n != before.count {
			return &stream.Fatal{Err: fmt.Errorf("%s has %d numbers, and now comes %d", key, before.count, n)}
		}
		now := before.next(key, n)
		err := errors.Join(s.Put(i, nameOfState, now.encode(), 0), s.SetTimer(i, process.EventTime, nameOfTimer, math.MaxInt64-10))
		if err != nil {
			return err
		}
		emit(out, in, i, fmt.Appendf(nil, "%s %d %d .", key, n, now.sum))
		if g.draw(200) == 0 {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "a bad moment"})
		}
	}
	if g.draw(30) == 0 {
		return errBadMoment // what it wrote is forgotten
	}
	return nil
}

func (g *tally) Close(context.Context) error { return nil }

// memory is what tally has of a key.
type memory struct {
	count int
	sum   uint32
	blob  []byte
}

func decodeMemory(text []byte) memory {
	return memory{int(binary.BigEndian.Uint64(text)), binary.BigEndian.Uint32(text[8:]), text[12:]}
}

func (m memory) encode() []byte {
	return append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(m.count)), m.sum), m.blob...)
}

// next adds the number n of a key.
func (m memory) next(key []byte, n int) memory {
	return memory{n + 1, crc32.Update(m.sum, crc32.IEEETable, fmt.Appendf(nil, "%s %d", key, n)), blob(key, n)}
}

// blobSize is so large that a checkpoint does not have blobs in its manifest.
const blobSize = 6 << 10

// noise is what blobs are parts of.
var noise = func() []byte {
	b := make([]byte, 16*blobSize)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// blob returns some bytes that a number of a key decides.
func blob(key []byte, n int) []byte {
	at := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %d", key, n)) % uint32(len(noise)-blobSize)
	return noise[at : at+blobSize]
}
