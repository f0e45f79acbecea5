package suite

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// stage is a part of a pipeline with what stands for the world around it.
type stage struct {
	pipeline   *pipeline.Pipeline
	graph      pipeline.Graph
	entries    []stream.VertexID
	feeds      map[stream.VertexID]*feed  // by entry
	sources    map[stream.VertexID]*feed  // by the vertex that reads it
	relays     map[stream.VertexID]*relay // by entry that is a vertex before
	collectors map[stream.VertexID]*collector
	opened     chan struct{}
	record     atomic.Int64 // the number of the record that is in; 0 = none

	mu       sync.Mutex
	failures []Failure // guarded by mu
}

// retryWait is what a vertex waits before it tries a record again.
const retryWait = time.Millisecond

// calmed returns a config that differs in what would make runs differ, or wait.
func calmed(c *config.Pipeline) *config.Pipeline {
	calm := *c
	calm.Vertices = slices.Clone(c.Vertices)
	for i := range calm.Vertices {
		v := &calm.Vertices[i]
		if !v.State.Memory {
			v.Concurrency = config.Concurrency{Max: 1}
		}
		v.IdleTimeout = 0
		v.Retry.Backoff, v.Retry.MaxBackoff = retryWait, retryWait
		if v.OnError == config.OnErrorFail {
			v.OnError = config.OnErrorDrop
		}
	}
	return &calm
}

// newStage builds a part of a pipeline. It is to be run once, or discarded.
func newStage(ctx context.Context, b *control.Builder, c *config.Pipeline, s *scope) (*stage, error) {
	own := *b
	own.Only = func(name stream.VertexID) bool { return s.inside[name] }
	graph, err := own.Build(ctx, calmed(c))
	if err != nil {
		return nil, err
	}
	st := &stage{
		feeds: make(map[stream.VertexID]*feed), sources: make(map[stream.VertexID]*feed), relays: make(map[stream.VertexID]*relay), collectors: make(map[stream.VertexID]*collector),
		opened: make(chan struct{}), entries: s.entries,
	}
	for i := range graph.Vertices {
		switch v := &graph.Vertices[i]; {
		case v.Source != nil:
			f := newFeed()
			st.feeds[v.Name], st.sources[v.Name], v.Source = f, f, f
		case v.Sink != nil:
			v.Sink = st.collector(v.Name, nil)
		}
	}
	results := s.results(c)
	graph.Edges = s.edges(graph.Edges, results)
	for _, name := range s.entries {
		if !s.inside[name] {
			st.before(&graph, name)
		}
	}
	for _, name := range s.exits {
		if !s.inside[name] {
			graph.Vertices = append(graph.Vertices, pipeline.Vertex{Name: name, Sink: st.collector(name, nil), Queue: roomy})
		}
	}
	if results != nil {
		graph.Vertices = append(graph.Vertices, pipeline.Vertex{Name: resultsName, Sink: st.collector(resultsName, results), Queue: roomy})
	}
	hooks := own.Hooks()
	hooks.GaveUp = st.gaveUp
	hooks.Opened = func() { close(st.opened) }
	st.graph = graph
	st.pipeline, err = pipeline.New(graph, hooks)
	return st, err
}

// roomy is the queue of a vertex that the pipeline does not have.
var roomy = pipeline.Limit{Records: 8192, Bytes: 4 << 20}

func (st *stage) collector(name stream.VertexID, outlets []outlet) *collector {
	st.collectors[name] = &collector{outlets: outlets, record: &st.record}
	return st.collectors[name]
}

// before adds what stands for a vertex before the part: a feed, and a relay under the
// vertex's name. Its records say nothing of how far time has come.
func (st *stage) before(g *pipeline.Graph, name stream.VertexID) {
	st.feeds[name], st.relays[name] = newFeed(), &relay{}
	entry := name + " (input)"
	st.sources[entry] = st.feeds[name]
	g.Vertices = append(g.Vertices,
		pipeline.Vertex{Name: entry, Source: st.feeds[name], EventTime: &pipeline.EventTime{MaxOutOfOrder: math.MaxInt64}},
		pipeline.Vertex{Name: name, Transform: st.relays[name], Concurrency: 1, Queue: roomy, Output: roomy, Call: pipeline.Limit{Records: 1, Bytes: math.MaxInt}})
	g.Edges = append(g.Edges, pipeline.Edge{From: entry, To: name})
}

// gaveUp notes a record that a vertex could not handle.
func (st *stage) gaveUp(v stream.VertexID, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.failures = append(st.failures, Failure{Record: int(st.record.Load()), Vertex: v, Err: err})
}

// give lets the pipeline take a step and waits until nothing moves. An error is that it
// does not come to that; false, that it has ended.
func (st *stage) give(ended <-chan struct{}, m *move) (ok bool, err error) {
	st.record.Store(int64(m.number))
	for _, name := range m.to {
		f := st.feeds[name]
		if r := st.relays[name]; r != nil {
			tag := st.graph.Tags.Tag([]byte(m.tag))
			if m.dead {
				tag = st.graph.Tags.DeadLetter()
			}
			r.tag.Store(uint32(tag))
		}
		select {
		case f.next <- m.step:
			f.given, f.over = f.given+1, m.end
		case <-ended:
			return false, nil
		}
		if ok, err := st.rest(ended); !ok {
			return false, err
		}
	}
	for _, c := range st.collectors {
		c.settle()
	}
	return true, nil
}

// patience is how long a step may take.
const patience = 2 * time.Minute

// rest waits until nothing moves. It looks again and again, as nothing tells it: at first
// at once, then ever more rarely.
func (st *stage) rest(ended <-chan struct{}) (ok bool, err error) {
	const atOnce, soonest, latest = 64, 10 * time.Microsecond, 5 * time.Millisecond
	for range atOnce {
		if st.moving() == "" {
			return true, nil
		}
		runtime.Gosched()
	}
	again := time.NewTimer(0)
	defer again.Stop()
	began := time.Now()
	for wait := soonest; ; wait = min(2*wait, latest) {
		moves := st.moving()
		switch {
		case moves == "":
			return true, nil
		case time.Since(began) > patience:
			return false, &stream.Error{Code: stream.GuestDeadline, Where: string(moves), Why: fmt.Sprintf("it was busy with a record for more than %v", patience), Fix: "give the test less at once, or see what the plugin waits for"}
		}
		again.Reset(wait)
		select {
		case <-ended:
			return false, nil
		case <-again.C:
		}
	}
}

// moving returns a vertex in which something moves, or empty. Feeds are looked at first,
// so that what they send is seen where it arrives.
func (st *stage) moving() stream.VertexID {
	for name, f := range st.feeds {
		if !f.over && f.done.Load() < f.given {
			return name
		}
	}
	for _, l := range st.pipeline.Left() {
		f := st.sources[l.Vertex]
		switch {
		case f != nil && !f.over, f != nil && !l.Moving, len(l.WaitsFor) > 0:
		case f != nil, !l.Nothing():
			return l.Vertex
		}
	}
	return ""
}
