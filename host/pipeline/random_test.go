package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

var seeds = flag.Uint64("seeds", 150, "how many random graphs to run")

// TestRandomGraphsKeepTheInvariants runs graphs of any shape with barriers, a
// drain, an abort or an error at any moment, and compares with a model that
// knows no batches and no goroutines. The bubble turns a lost wake-up into a
// deadlock that is reported. Run one again by its name: -run 'Random.*/seed_17$'.
func TestRandomGraphsKeepTheInvariants(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, rand.New(rand.NewPCG(seed, 1)))
				w.run()
				if t.Failed() {
					t.Log(w)
				}
			})
		})
	}
}

var (
	errBoom = errors.New("boom")
	errStop = errors.New("stopped by the test")
)

// perSource is more than a source of a world reads.
const perSource = 1000

// world is a random graph and what is known about it.
type world struct {
	*testing.T
	rng        *rand.Rand
	graph      Graph
	sources    []*uneven
	transforms map[stream.VertexID]*scatter
	sinks      map[stream.VertexID]*witness
	model      [][]delivery // by number
	poison     int          // the number that makes poisoned vertices fail; -1 = none
	boom       atomic.Bool  // something failed
}

// delivery is that a sink gets a value.
type delivery struct {
	sink  stream.VertexID
	value string
}

func newWorld(t *testing.T, rng *rand.Rand) *world {
	w := &world{T: t, rng: rng, transforms: map[stream.VertexID]*scatter{}, sinks: map[stream.VertexID]*witness{}, poison: -1}
	w.graph.Tags = stream.NewTagTable("a", "b", "c")
	sources, transforms, sinks := 1+rng.IntN(3), rng.IntN(6), 1+rng.IntN(3)
	if rng.IntN(3) == 0 {
		w.poison = rng.IntN(sources)*perSource + rng.IntN(200)
	}
	for i := range sources {
		s := &uneven{world: w, rng: rand.New(rand.NewPCG(rng.Uint64(), 2)), most: 1 << rng.IntN(8), cuts: map[stream.Epoch]int{}}
		s.first, s.count = i*perSource, rng.IntN(300)
		w.sources = append(w.sources, s)
		w.graph.Vertices = append(w.graph.Vertices, source(fmt.Sprint("s", i), s))
	}
	for i := range transforms {
		x := &scatter{world: w, name: fmt.Sprint("x", i), ports: map[string]uint16{}, swap: rng.IntN(2) == 0, poisoned: rng.IntN(4) == 0}
		v := udf(x.name, 1<<rng.IntN(4), x)
		v.Order = []Order{OrderNone, OrderInput}[rng.IntN(2)]
		v.Call, v.Queue = w.limit(), w.limit()
		x.limit, x.workers = v.Call, int32(v.Concurrency)
		w.transforms[v.Name] = x
		w.add(v)
	}
	for i := range sinks {
		s := &witness{world: w, poisoned: rng.IntN(4) == 0, low: stream.NoWatermark, durable: map[string]bool{}}
		v := sink(fmt.Sprint("k", i), s)
		v.Queue = w.limit()
		w.sinks[v.Name] = s
		w.add(v)
	}
	for i := range sources { // each leads somewhere
		from := w.graph.Vertices[i].Name
		if !slices.ContainsFunc(w.graph.Edges, func(e Edge) bool { return e.From == from }) {
			w.join(i, sources+rng.IntN(transforms+sinks))
		}
	}
	for _, s := range w.sources {
		w.model = append(w.model, make([][]delivery, perSource)...)
		for n := s.first; n < s.first+s.count; n++ {
			w.trace(w.graph.Vertices[n/perSource].Name, strconv.Itoa(n), stream.Untagged, func(d delivery) {
				w.model[n] = append(w.model[n], d)
			})
		}
	}
	return w
}

// limit is anything from nothing to plenty; at least one record always passes.
func (w *world) limit() Limit {
	return Limit{w.rng.IntN(2 << w.rng.IntN(9)), w.rng.IntN(2 << w.rng.IntN(13))}
}

// add puts a vertex after those that are there, with one to three edges into it.
func (w *world) add(v Vertex) {
	w.graph.Vertices = append(w.graph.Vertices, v)
	to := len(w.graph.Vertices) - 1
	for _, from := range w.rng.Perm(to)[:min(to, 1+w.rng.IntN(3))] {
		if w.graph.Vertices[from].Sink == nil {
			w.join(from, to)
		}
	}
	if !slices.ContainsFunc(w.graph.Edges, func(e Edge) bool { return e.To == v.Name }) {
		w.join(0, to)
	}
}

func (w *world) join(from, to int) {
	e := Edge{From: w.graph.Vertices[from].Name, To: w.graph.Vertices[to].Name}
	for _, tag := range []string{"a", "b", "c"} {
		if w.graph.Vertices[from].Transform != nil && w.rng.IntN(4) == 0 {
			e.Tags = append(e.Tags, tag)
		}
	}
	if w.graph.Vertices[from].Source != nil && w.rng.IntN(9) == 0 {
		e.Tags = []string{"a"} // takes nothing
	}
	if x := w.transforms[e.To]; x != nil {
		x.ports[string(e.From)] = uint16(len(x.ports))
	}
	w.graph.Edges = append(w.graph.Edges, e)
}

// trace is the model: what becomes of a value that leaves a vertex.
func (w *world) trace(from stream.VertexID, value string, tag stream.Tag, got func(delivery)) {
	for _, e := range w.graph.Edges {
		takes := tag == stream.Untagged && len(e.Tags) == 0
		for _, name := range e.Tags {
			takes = takes || w.graph.Tags.Tag([]byte(name)) == tag
		}
		switch x := w.transforms[e.To]; {
		case e.From != from || !takes:
		case x == nil:
			got(delivery{e.To, value})
		default:
			for _, r := range x.results(value) {
				w.trace(e.To, r.value, r.tag, got)
			}
		}
	}
}

// upstream returns the sources from which a vertex can be reached.
func (w *world) upstream(v stream.VertexID) (found []*uneven) {
	for i, s := range w.sources {
		if v == w.graph.Vertices[i].Name {
			return []*uneven{s}
		}
	}
	for _, e := range w.graph.Edges {
		if e.To == v {
			found = append(found, w.upstream(e.From)...)
		}
	}
	return found
}

func (w *world) String() string {
	var s strings.Builder
	for _, v := range w.graph.Vertices {
		fmt.Fprintf(&s, "\n%s ×%d order %s call %v queue %v", v.Name, v.Concurrency, v.Order, v.Call, v.Queue)
		for _, e := range w.graph.Edges {
			if e.From == v.Name {
				fmt.Fprintf(&s, " → %s%v", e.To, e.Tags)
			}
		}
	}
	return s.String()
}

// run runs the graph, disturbs it, and checks what came of it.
func (w *world) run() {
	p := mustNew(w, w.graph, Hooks{BarrierPassed: func(v stream.VertexID, b *stream.Barrier) { w.sinks[v].passed(b) }})
	for i, s := range w.sources {
		outlets := p.sources[i].out.outlets
		outlets[0] = tap{outlets[0], s}
	}
	ctx, cancel := context.WithCancelCause(w.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	if w.rng.IntN(20) == 0 {
		p.Drain()
	}
	go func() { done <- p.Run(ctx, nil) }()
	for epoch := stream.Epoch(1); ; {
		select {
		case err := <-done:
			w.check(p, err, context.Cause(ctx))
			return
		case <-time.After(time.Duration(w.rng.IntN(1000)) * time.Microsecond):
		}
		w.checkLanes(p)
		switch k := w.rng.IntN(100); {
		case k < 50:
			p.Inject(&stream.Barrier{Epoch: epoch})
			epoch++
		case k < 54:
			p.Drain()
		case k == 54:
			cancel(errStop)
		}
	}
}

// checkLanes holds invariant 2 against all lanes, and what they count against
// what they hold.
func (w *world) checkLanes(p *Pipeline) {
	var all []*inbox
	for _, t := range p.transforms {
		all = append(all, t.in)
	}
	for _, s := range p.sinks {
		all = append(all, s.in)
	}
	for _, in := range all {
		in.mu.Lock()
		for _, l := range in.lanes {
			batches, held := 0, Limit{Records: -l.skip}
			for i := range l.items.len() {
				if b := l.items.at(i).Batch; b != nil {
					batches++
					held.Records += b.Len()
					held.Bytes += b.Bytes()
				}
			}
			if in.aborted == nil && held != l.queued {
				w.Errorf("a lane counts %+v and holds %+v", l.queued, held)
			}
			if batches > 1 && (held.Records > l.limit.Records || held.Bytes > l.limit.Bytes) {
				w.Errorf("a lane holds %d batches with %+v, more than %+v", batches, held, l.limit)
			}
		}
		in.mu.Unlock()
	}
}

func (w *world) check(p *Pipeline, err, cause error) {
	switch {
	case w.boom.Load() && (err == nil || (cause == nil && !strings.Contains(err.Error(), "boom"))):
		w.Errorf("got %v, want boom", err)
	case !w.boom.Load() && !errors.Is(err, cause):
		w.Errorf("got %v, want %v", err, cause)
	}
	for _, v := range w.graph.Vertices {
		if s := w.sinks[v.Name]; s != nil {
			s.check(v.Name, err == nil)
			w.checkBarriers(v.Name, s, err == nil)
		}
	}
	if err != nil {
		return
	}
	for i, s := range w.sources {
		if s.read > 0 && (len(s.acked) == 0 || s.acked[len(s.acked)-1] != s.read) {
			w.Errorf("s%d read %d and was acknowledged %v", i, s.read, s.acked)
		}
	}
	for _, s := range p.Stats() {
		if s.InFlight != 0 || s.Queued != 0 || s.QueuedBytes != 0 {
			w.Errorf("ended with %+v", s)
		}
	}
}

// checkBarriers compares what a sink got before each barrier with what comes of
// what the sources had read before they sent it. One that never did had ended.
func (w *world) checkBarriers(name stream.VertexID, s *witness, complete bool) {
	sent := map[stream.Epoch]bool{}
	for _, up := range w.upstream(name) {
		for epoch := range up.cuts {
			sent[epoch] = true
		}
	}
	if len(s.barriers) > len(sent) || (complete && len(s.barriers) < len(sent)) {
		w.Errorf("%s let %d barriers through of %d", name, len(s.barriers), len(sent))
	}
	for i, b := range s.barriers {
		if i > 0 && s.barriers[i-1].epoch >= b.epoch {
			w.Errorf("%s let barrier %d through after %d", name, b.epoch, s.barriers[i-1].epoch)
		}
		s.compare(fmt.Sprintf("%s before barrier %d", name, b.epoch), s.values[:b.after], func(up *uneven) int {
			if n, ok := up.cuts[b.epoch]; ok {
				return n
			}
			return up.read
		})
	}
}

// uneven reads numbers in batches of any size and at any pace.
type uneven struct {
	numbers
	*world
	rng  *rand.Rand
	most int
	last int                  // acknowledged
	cuts map[stream.Epoch]int // how much was read when a barrier was sent
}

func (s *uneven) Read(ctx context.Context, b *stream.Batch) error {
	if s.rng.IntN(3) == 0 {
		select {
		case <-time.After(time.Duration(s.rng.IntN(300)) * time.Microsecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.first+s.read > s.poison && s.poison >= s.first && s.poison%5 == 0 {
		s.boom.Store(true)
		return errBoom
	}
	s.batch = 1 + s.rng.IntN(s.most)
	return s.numbers.Read(ctx, b)
}

func (s *uneven) Ack(ctx context.Context, upTo stream.Position) error {
	to := int(binary.BigEndian.Uint64(upTo))
	if to <= s.last {
		s.Errorf("acknowledged %d after %d", to, s.last)
	}
	for ; s.last < to; s.last++ {
		for _, d := range s.model[s.first+s.last] {
			if !s.sinks[d.sink].flushedIt(d.value) {
				s.Errorf("acknowledged %d before %s flushed %s", to, d.sink, d.value)
			}
		}
	}
	return s.numbers.Ack(ctx, upTo)
}

// tap is an outlet of a source that notes when barriers are sent.
type tap struct {
	stream.Outlet
	source *uneven
}

func (o tap) Send(ctx context.Context, it stream.Item) error {
	if it.Barrier != nil {
		o.source.cuts[it.Barrier.Epoch] = o.source.read
	}
	return o.Outlet.Send(ctx, it)
}

// scatter is a transform that makes none, one or two of a record, with tags, as
// a hash of its value says. Each adds a step to the value: its path.
type scatter struct {
	*world
	name           string
	ports          map[string]uint16 // by where a record comes from
	limit          Limit
	workers        int32
	busy           atomic.Int32
	swap, poisoned bool
}

type result struct {
	value string
	tag   stream.Tag
}

func (x *scatter) hash(value string) int {
	h := fnv.New32a()
	h.Write([]byte(x.name + value))
	return int(h.Sum32() >> 4)
}

func (x *scatter) results(value string) (out []result) {
	h := x.hash(value)
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
	if h := x.hash(string(in.Value(0))); h%50 == 0 {
		time.Sleep(time.Second)
	} else if h%4 == 0 {
		time.Sleep(time.Duration(h%500) * time.Microsecond)
	}
	for i, r := range in.Records {
		value := string(in.Value(i))
		number, from := parse(value)
		if port := x.ports[from]; r.Port != port {
			x.Errorf("%s gets %s on port %d, not %d", x.name, value, r.Port, port)
		}
		if stream.Watermark(r.Time) < in.Watermark {
			x.Errorf("%s gets %s after watermark %d", x.name, value, in.Watermark)
		}
		if x.poisoned && number == x.poison {
			x.boom.Store(true)
			if number%2 == 0 {
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "boom"})
				continue
			}
			return errBoom
		}
	}
	records := in.Records
	results := make([][]result, len(records))
	for i := range records {
		results[i] = x.results(string(in.Value(i)))
	}
	if x.swap {
		out.SwapArena(in)
	}
	for i, r := range records {
		for _, res := range results[i] {
			r.Key, r.Headers = stream.Span{}, stream.Span{}
			r.Value, r.Tag = out.Store([]byte(res.value)), res.tag
			out.Records = append(out.Records, r)
		}
	}
	return nil
}

func (x *scatter) Close(context.Context) error { return nil }

// parse splits a value into its number and the vertex that sent it.
func parse(value string) (number int, from string) {
	steps := strings.Split(value, "/")
	number, _ = strconv.Atoi(steps[0])
	if from, _, _ = strings.Cut(steps[len(steps)-1], "."); len(steps) == 1 {
		from = fmt.Sprint("s", number/perSource)
	}
	return number, from
}

// witness is a sink that remembers what it got, and when.
type witness struct {
	collect
	*world
	poisoned bool
	low      stream.Watermark
	durable  map[string]bool // guarded by mu
	barriers []cut
}

// cut is a barrier and how many records came before it.
type cut struct {
	epoch stream.Epoch
	after int
}

func (s *witness) Write(ctx context.Context, b *stream.Batch) error {
	if b.Watermark < s.low {
		s.Errorf("watermark %d follows %d", b.Watermark, s.low)
	}
	s.low = b.Watermark
	for i, r := range b.Records {
		if stream.Watermark(r.Time) < s.low {
			s.Errorf("%s follows watermark %d", b.Value(i), s.low)
		}
		if number, _ := parse(string(b.Value(i))); s.poisoned && number == s.poison {
			s.boom.Store(true)
			return errBoom
		}
	}
	if b.Records[0].Seq%4 == 0 {
		time.Sleep(time.Duration(b.Len()) * time.Microsecond)
	}
	return s.collect.Write(ctx, b)
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

// check compares what a sink got in the end with the model, and its order along
// paths that keep it.
func (s *witness) check(name stream.VertexID, complete bool) {
	if complete {
		s.compare(string(name), s.values, func(up *uneven) int { return up.read })
	}
	last := map[string]int{}
	for _, value := range s.values {
		head, path, _ := strings.Cut(value, "/")
		number, _ := strconv.Atoi(head)
		key := fmt.Sprint(number/perSource, path)
		if before, ok := last[key]; ok && before >= number && s.ordered(path) {
			s.Errorf("%s got %s after %d", name, value, before)
		}
		last[key] = number
	}
}

// ordered says whether every vertex of a path keeps the order.
func (s *witness) ordered(path string) bool {
	for _, v := range s.graph.Vertices {
		if v.Transform != nil && v.Concurrency > 1 && v.Order != OrderInput && strings.Contains(path, string(v.Name)+".") {
			return false
		}
	}
	return true
}

// compare says what is missing from, or too much in, what a sink got of the
// first records of each source.
func (s *witness) compare(what string, got []string, first func(*uneven) int) {
	count := map[string]int{}
	for _, up := range s.sources {
		for n := up.first; n < up.first+first(up); n++ {
			for _, d := range s.model[n] {
				if s.sinks[d.sink] == s {
					count[d.value]--
				}
			}
		}
	}
	for _, v := range got {
		count[v]++
	}
	lost, extra := 0, 0
	for _, n := range count {
		lost, extra = lost+max(0, -n), extra+max(0, n)
	}
	if lost+extra > 0 {
		s.Errorf("%s: %d records lost, %d too many, of %d", what, lost, extra, len(got))
	}
}
