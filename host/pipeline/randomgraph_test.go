package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// perSource is more than a source of a world reads.
const perSource = 1000

func newWorld(t *testing.T, rng *rand.Rand) *world {
	w := &world{T: t, rng: rng, transforms: map[stream.VertexID]*scatter{}, sinks: map[stream.VertexID]*witness{}, poison: -1}
	w.graph.Tags = stream.NewTagTable("a", "b", "c")
	sources, transforms, sinks := 1+rng.IntN(3), rng.IntN(6), 1+rng.IntN(3)
	w.lossy, w.idles = rng.IntN(5) == 0, rng.IntN(5) == 0
	if rng.IntN(3) == 0 {
		w.poison = rng.IntN(sources)*perSource + rng.IntN(200)
	}
	for i := range sources {
		w.addSource(i)
	}
	for i := range transforms {
		w.addTransform(fmt.Sprint("x", i))
	}
	for i := range sinks {
		w.addSink(fmt.Sprint("k", i))
	}
	for i := range sources { // each leads somewhere
		from := w.graph.Vertices[i].Name
		if !slices.ContainsFunc(w.graph.Edges, func(e Edge) bool { return e.From == from }) {
			w.join(i, sources+rng.IntN(transforms+sinks))
		}
	}
	w.addDeadLetters()
	for _, s := range w.sources {
		w.model = append(w.model, make([][]delivery, perSource)...)
		for n := s.first; n < s.first+s.count; n++ {
			w.trace(s, strconv.Itoa(n), func(d delivery) { w.model[n] = append(w.model[n], d) })
		}
	}
	return w
}

func (w *world) addSource(i int) {
	s := &uneven{world: w, rng: rand.New(rand.NewPCG(w.rng.Uint64(), 2)), most: 1 << w.rng.IntN(8), cuts: map[stream.Epoch]int{}}
	s.first, s.count = i*perSource, w.rng.IntN(300)
	v := source(fmt.Sprint("s", i), s)
	s.name = v.Name
	if w.rng.IntN(2) == 0 {
		s.jitter = 1 + w.rng.IntN(20)
		v.OnError = w.onError()
		s.fails.always = v.OnError != OnErrorFail
		v.EventTime = &EventTime{Of: s.time, MaxOutOfOrder: time.Duration(s.jitter)}
		if w.idles {
			v.EventTime.IdleTimeout = time.Duration(1 + w.rng.IntN(300_000))
		}
	}
	s.fails.name, s.fails.onError = string(v.Name), v.OnError
	w.sources = append(w.sources, s)
	w.graph.Vertices = append(w.graph.Vertices, v)
}

func (w *world) addTransform(name string) {
	x := &scatter{world: w, name: name, ports: map[string]uint16{}, swap: w.rng.IntN(2) == 0}
	v := udf(x.name, 1<<w.rng.IntN(4), x)
	v.Order = []Order{OrderNone, OrderKey, OrderInput}[w.rng.IntN(3)]
	v.Call, v.Queue, v.Processing, v.Output = w.limit(), w.limit(), w.limit(), w.limit()
	v.CallTime = time.Duration(w.rng.IntN(2)) * time.Millisecond
	if w.rng.IntN(4) == 0 {
		v.MinConcurrency = 1
	}
	x.fails = w.fails(name, &v)
	x.poisoned = v.OnError == OnErrorFail && w.rng.IntN(4) == 0
	if w.lossy {
		*[]*Full{&v.QueueFull, &v.OutputFull}[w.rng.IntN(2)] = w.full()
	}
	x.limit, x.workers = v.Call, int32(v.Concurrency)
	if w.rng.IntN(3) == 0 {
		x.limit, x.workers = w.other(v)
	}
	w.transforms[v.Name] = x
	w.add(v)
}

// other draws other settings for a transform, and returns the most that a call may get and
// the most calls at once with either.
func (w *world) other(v Vertex) (Limit, int32) {
	first := v
	v.Concurrency = []int{0, 1, 2, 4, 8, 300}[w.rng.IntN(6)]
	v.Call, v.Queue, v.Processing, v.Output = w.limit(), w.limit(), w.limit(), w.limit()
	v.CallTime = time.Duration(w.rng.IntN(2)) * time.Millisecond
	v.MinConcurrency = w.rng.IntN(2)
	w.others = append(w.others, v)
	return Limit{max(v.Call.Records, first.Call.Records), max(v.Call.Bytes, first.Call.Bytes)}, int32(max(v.Concurrency, first.Concurrency))
}

func (w *world) addSink(name string) {
	s := &witness{world: w, name: name, low: stream.NoWatermark, durable: map[string]bool{}}
	v := sink(name, s)
	v.Queue = w.limit()
	s.fails = w.fails(name, &v)
	s.fails.attempts = v.Retry.Attempts - 1 // one is for a write that fails as a whole
	s.poisoned = v.OnError == OnErrorFail && w.rng.IntN(4) == 0
	if w.lossy {
		v.QueueFull = w.full()
	}
	w.sinks[v.Name] = s
	w.add(v)
}

func (w *world) onError() OnError {
	return []OnError{OnErrorFail, OnErrorDrop, OnErrorDeadLetter}[w.rng.IntN(3)]
}

func (w *world) full() Full {
	return []Full{FullBlock, FullDropNewest, FullDropOldest}[w.rng.IntN(3)]
}

// limit is anything from nothing to plenty; at least one record always passes.
func (w *world) limit() Limit {
	return Limit{w.rng.IntN(2 << w.rng.IntN(9)), w.rng.IntN(2 << w.rng.IntN(13))}
}

// fails gives a vertex policies, and says which records fail there.
func (w *world) fails(name string, v *Vertex) fails {
	v.OnError = w.onError()
	v.Retry = Retry{Attempts: 1 + w.rng.IntN(4), Backoff: time.Duration(w.rng.IntN(1_000_000)), MaxBackoff: 2 * time.Millisecond}
	return fails{name: name, onError: v.OnError, always: v.OnError != OnErrorFail && w.rng.IntN(2) == 0, attempts: v.Retry.Attempts, tries: map[string]int{}}
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
	w.connect(e, string(e.From))
}

// addDeadLetters gives each vertex that needs it an edge to a later one, of which
// the last is a sink that takes everything.
func (w *world) addDeadLetters() {
	s := &witness{world: w, name: "last", low: stream.NoWatermark, durable: map[string]bool{}}
	w.sinks["last"] = s
	w.graph.Vertices = append(w.graph.Vertices, sink("last", s))
	last := len(w.graph.Vertices) - 1
	for i, v := range w.graph.Vertices[:last] {
		if v.OnError == OnErrorDeadLetter {
			from := max(i+1, len(w.sources))
			e := Edge{From: v.Name, To: w.graph.Vertices[from+w.rng.IntN(last+1-from)].Name, DeadLetters: true}
			w.connect(e, "!"+string(e.From))
		}
	}
	if !slices.ContainsFunc(w.graph.Edges, func(e Edge) bool { return e.To == "last" }) {
		w.connect(Edge{From: "s0", To: "last"}, "s0")
	}
}

func (w *world) connect(e Edge, step string) {
	if x := w.transforms[e.To]; x != nil {
		x.ports[step] = uint16(len(x.ports))
	}
	w.graph.Edges = append(w.graph.Edges, e)
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
		fmt.Fprintf(&s, "\n%s ×%d–%d order %s call %v queue %v %s processing %v output %v %s retry %+v onError %s time %+v", v.Name, v.MinConcurrency, v.Concurrency,
			v.Order, v.Call, v.Queue, v.QueueFull, v.Processing, v.Output, v.OutputFull, v.Retry, v.OnError, v.EventTime)
		for _, e := range w.graph.Edges {
			if e.From == v.Name {
				fmt.Fprintf(&s, " → %s%v%v", e.To, e.Tags, e.DeadLetters)
			}
		}
	}
	return s.String()
}
