package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// keysPerSource is into how many keys the numbers of a source fall; the first of
// them is none.
const keysPerSource = 7

// uneven reads numbers in batches of any size and at any pace.
type uneven struct {
	numbers
	*world
	name   stream.VertexID
	fails  fails // whose event time cannot be read
	jitter int   // if not 0, event times are out of order by less
	rng    *rand.Rand
	most   int
	last   int                  // acknowledged
	cuts   map[stream.Epoch]int // how much was read when a barrier was sent
}

func (s *uneven) Read(ctx context.Context, b *stream.Batch) error {
	if s.rng.IntN(3) == 0 {
		select {
		case <-time.After(time.Duration(s.rng.IntN(300)) * time.Microsecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.first+s.read > s.poison && s.poison >= s.first && s.poison%5 == 0 {
		s.boom.Store(true)
		return errBoom
	}
	if s.read == s.count {
		return io.EOF
	}
	for n := 1 + s.rng.IntN(s.most); b.Len() < n && s.read < s.count; s.read++ {
		var key []byte
		if k := s.read % keysPerSource; k > 0 {
			key = strconv.AppendInt(nil, int64(k), 10)
		}
		b.Append(int64(s.read), key, strconv.AppendInt(nil, int64(s.first+s.read), 10), nil)
	}
	return nil
}

// time is the event time of a record.
func (s *uneven) time(b *stream.Batch, i int) (int64, error) {
	value := string(b.Value(i))
	if s.fails.fate(value) != passes {
		return 0, errors.New("no time")
	}
	number, _ := parse(value)
	return int64(number - s.first + hash("time", value)%s.jitter), nil
}

func (s *uneven) Ack(ctx context.Context, upTo stream.Position) error {
	to := int(binary.BigEndian.Uint64(upTo))
	if to <= s.last {
		s.Errorf("acknowledged %d after %d", to, s.last)
	}
	for ; s.last < to && !s.lossy; s.last++ {
		for _, d := range s.model[s.first+s.last] {
			if !s.sinks[d.sink].flushedIt(d.value) {
				s.Errorf("acknowledged %d before %s flushed %s", to, d.sink, d.value)
			}
		}
	}
	s.last = to
	return s.numbers.Ack(ctx, upTo)
}

// tap is an outlet that notes what is sent along an edge.
type tap struct {
	stream.Outlet
	*world
	edge   Edge
	source *uneven // whose first edge it is; may be nil
	low    stream.Watermark
	values []string
}

// tap puts a tap on each edge.
func (w *world) tap(p *Pipeline) {
	w.taps = make([]*tap, len(w.graph.Edges))
	put := func(name stream.VertexID, r *router, s *uneven) {
		n := 0
		for i, e := range w.graph.Edges {
			if e.From == name {
				w.taps[i] = &tap{Outlet: r.outlets[n], world: w, edge: e, source: s, low: stream.NoWatermark}
				r.outlets[n], s = w.taps[i], nil
				n++
			}
		}
	}
	for i, s := range p.sources {
		put(s.name, s.out, w.sources[i])
	}
	for _, t := range p.transforms {
		put(t.name, t.out, nil)
	}
	for _, s := range p.sinks {
		put(s.name, s.out, nil)
	}
}

func (o *tap) Send(ctx context.Context, it stream.Item) error {
	switch {
	case it.Barrier != nil:
		if o.source != nil {
			o.source.cuts[it.Barrier.Epoch] = o.source.read
		}
	case it.Batch != nil:
		for i, r := range it.Batch.Records {
			o.values = append(o.values, valueOf(it.Batch, i))
			if stream.Watermark(r.Time) < o.low && !o.idles {
				o.Errorf("%s → %s: %s of time %d follows watermark %d", o.edge.From, o.edge.To, valueOf(it.Batch, i), r.Time, o.low)
			}
		}
	default:
		if it.Watermark < o.low {
			o.Errorf("%s → %s: watermark %d follows %d", o.edge.From, o.edge.To, it.Watermark, o.low)
		}
		o.low = it.Watermark
	}
	return o.Outlet.Send(ctx, it)
}

// scatter is a transform that makes none, one or two of a record, with tags, as
// a hash of its value says. Each adds a step to the value.
type scatter struct {
	*world
	name           string
	fails          fails
	ports          map[string]uint16 // by where a record comes from
	limit          Limit
	workers        int32
	busy           atomic.Int32
	swap, poisoned bool
}

func (x *scatter) results(value string) (out []result) {
	h := hash(x.name, value)
	for i := range []int{0, 1, 1, 1, 1, 2}[h%6] {
		out = append(out, result{fmt.Sprintf("%s/%s.%d", value, x.name, i), stream.Tag(max(0, h/(6+i)%8-3))})
	}
	return out
}

func (x *scatter) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	if x.busy.Add(1) > x.workers {
		x.Errorf("more than %d calls of %s at once", x.workers, x.name)
	}
	defer x.busy.Add(-1)
	if n := in.Len(); n == 0 || (n > 1 && x.limit != Limit{} && (n > x.limit.Records || in.Bytes() > x.limit.Bytes)) {
		x.Errorf("%s is called with %d records and %d bytes, limits are %v", x.name, n, in.Bytes(), x.limit)
	}
	if h := hash(x.name, string(in.Value(0))); h%50 == 0 {
		time.Sleep(time.Second)
	} else if h%4 == 0 {
		time.Sleep(time.Duration(h%500) * time.Microsecond)
	}
	if err := x.refuse(in, out); err != nil {
		return err
	}
	records := in.Records
	results := make([][]result, len(records))
	for i := range records {
		results[i] = x.results(valueOf(in, i))
	}
	for _, f := range out.Failures {
		results[f.Input] = nil
	}
	swap := x.swap && len(out.Failures) == 0
	if swap {
		out.SwapArena(in)
	}
	for i, r := range records {
		for _, res := range results[i] {
			made := r
			if !swap {
				made.Key = out.Store(in.Key(i))
			}
			made.Headers = stream.Span{}
			made.Value, made.Tag = out.Store([]byte(res.value)), res.tag
			out.Records = append(out.Records, made)
		}
	}
	return nil
}

// refuse says which records of a call fail, or that all do, and checks what they
// come with.
func (x *scatter) refuse(in *stream.Batch, out *stream.Output) error {
	for i, r := range in.Records {
		value := valueOf(in, i)
		number, from := parse(value)
		if port := x.ports[from]; r.Port != port {
			x.Errorf("%s gets %s on port %d, not %d", x.name, value, r.Port, port)
		}
		if stream.Watermark(r.Time) < in.Watermark && !x.idles {
			x.Errorf("%s gets %s of time %d after watermark %d", x.name, value, r.Time, in.Watermark)
		}
		fails, trap := x.fails.fail(value)
		if x.poisoned && number == x.poison {
			x.boom.Store(true)
			fails, trap = true, number%2 == 1
		}
		switch {
		case trap:
			return errBoom
		case fails:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "boom"})
		}
	}
	return nil
}

func (x *scatter) Close(context.Context) error { return nil }

// witness is a sink that remembers what it got, and when.
type witness struct {
	collect
	*world
	name     string
	fails    fails
	poisoned bool
	failed   bool // the last write
	low      stream.Watermark
	durable  map[string]bool // guarded by mu
	barriers []cut
}

// cut is a barrier and how many records came before it.
type cut struct {
	epoch stream.Epoch
	after int
}

func (s *witness) Write(_ context.Context, b *stream.Batch) error {
	if b.Watermark != stream.NoWatermark { // a part of a batch has none
		if b.Watermark < s.low {
			s.Errorf("watermark %d follows %d", b.Watermark, s.low)
		}
		s.low = b.Watermark
	}
	if b.Records[0].Seq%4 == 0 {
		time.Sleep(time.Duration(b.Len()) * time.Microsecond)
	}
	flaky := s.fails.attempts > 0 && !s.failed && hash(s.fails.name, string(b.Value(0)))%10 == 0
	s.failed = true
	if flaky {
		return errors.New("a bad moment")
	}
	var got []string
	rejected := &stream.Rejected{}
	for i, r := range b.Records {
		value := valueOf(b, i)
		if stream.Watermark(r.Time) < s.low && !s.idles {
			s.Errorf("%s of time %d follows watermark %d", value, r.Time, s.low)
		}
		if number, _ := parse(value); s.poisoned && number == s.poison {
			s.boom.Store(true)
			return errBoom
		}
		if fails, _ := s.fails.fail(value); fails {
			rejected.Failures = append(rejected.Failures, stream.Failure{Input: i, Reason: "boom"})
			continue
		}
		got = append(got, value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, got...)
	if len(rejected.Failures) > 0 {
		return rejected
	}
	s.failed = false
	return nil
}

func (s *witness) Flush(ctx context.Context) error {
	s.mu.Lock()
	for _, v := range s.values[s.flushed:] {
		s.durable[v] = true
	}
	s.mu.Unlock()
	return s.collect.Flush(ctx)
}

func (s *witness) flushedIt(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable[value]
}

func (s *witness) passed(b *stream.Barrier) {
	if s.flushed != len(s.values) {
		s.Errorf("barrier %d passed before a flush", b.Epoch)
	}
	s.barriers = append(s.barriers, cut{b.Epoch, len(s.values)})
}
