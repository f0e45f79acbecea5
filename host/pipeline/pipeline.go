package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/wasmill/wasmill/host/stream"
)

// Pipeline is one generation of a graph.
type Pipeline struct {
	graph      Graph
	pool       stream.BatchPool
	acks       ledgers
	sources    []*sourceLoop
	transforms []*transformLoop
	sinks      []*sinkLoop
	vertices   []running // in the order of the graph
	downstream []int     // their indices, each behind all that lead to it
	latency    Latency
	progress   progress
	epochs     epochs
	opened     func() // may be nil
	leaving    context.Context
	leave      context.CancelFunc // ends leaving

	tapping sync.Mutex // held while taps are set

	pausing sync.Mutex
	paused  bool // guarded by pausing
}

// Hooks are what the owner of a pipeline wants to hear of.
type Hooks struct {
	// BarrierPassed is called when everything before a barrier is flushed by a
	// sink. It may come from any goroutine and must not block.
	BarrierPassed func(stream.VertexID, *stream.Barrier)

	// SideTooLarge is called when a record is not taken as the value of a side
	// input, as it has so many bytes. Like BarrierPassed otherwise.
	SideTooLarge func(v stream.VertexID, name string, bytes int)

	// Snapshot is called once for each barrier that leaves a vertex, just before it
	// does. It may come from any goroutine and must not block. If it is set there are
	// checkpoints: barriers do not wait for what can be done again, transactional sinks
	// hide what they write until Commit, sources are acknowledged by Committed, and pass
	// barriers at their end and after Drain until Finish. If not, barriers wait until
	// what came before them is through.
	Snapshot func(stream.VertexID, *stream.Barrier, Snapshot)

	// GaveUp is called for each record that is dropped or becomes a dead letter because
	// its vertex could not handle it, with the error that says why and which it was.
	// Like BarrierPassed otherwise.
	GaveUp func(v stream.VertexID, err error)

	// Opened is called by Run when everything is open and put back, before any record
	// moves. Like BarrierPassed otherwise.
	Opened func()
}

// New builds a pipeline, which owns the sources, transforms and sinks of the
// graph from then on, also if it returns an error. Run or Discard has to be
// called once.
func New(g Graph, hooks Hooks) (*Pipeline, error) {
	p := &Pipeline{graph: g, epochs: epochs{on: hooks.Snapshot != nil, ended: make(chan struct{})}, opened: hooks.Opened}
	p.leaving, p.leave = context.WithCancel(context.Background())
	err := g.check()
	if err == nil && p.epochs.on {
		err = g.checkDurable()
	}
	if err != nil {
		return nil, errors.Join(err, p.close(context.Background()))
	}
	p.downstream = g.downstream()
	for range g.sources() {
		p.acks = append(p.acks, newLedger(&p.latency))
	}
	stats := make(map[stream.VertexID]*counters)
	for _, v := range g.Vertices {
		stats[v.Name] = &counters{}
		stats[v.Name].watermark.Store(int64(stream.NoWatermark))
	}
	inboxes, outlets := p.connect(stats, hooks)
	for i := range g.Vertices {
		name := g.Vertices[i].Name
		p.addVertex(&g.Vertices[i], inboxes[name], outlets, stats[name], hooks)
	}
	return p, nil
}

func (g *Graph) sources() (names []stream.VertexID) {
	for _, v := range g.Vertices {
		if v.Source != nil {
			names = append(names, v.Name)
		}
	}
	return names
}

// connect makes an inbox for each vertex that has inbound edges, and a lane for
// each edge, by index.
func (p *Pipeline) connect(stats map[stream.VertexID]*counters, hooks Hooks) (map[stream.VertexID]*inbox, []stream.Outlet) {
	inboxes := make(map[stream.VertexID]*inbox)
	vertices := make(map[stream.VertexID]*Vertex)
	for i := range p.graph.Vertices {
		v := &p.graph.Vertices[i]
		if vertices[v.Name] = v; v.Source == nil {
			inboxes[v.Name] = newInbox(&p.pool, p.acks, stats[v.Name])
			inboxes[v.Name].keep(v)
		}
	}
	outlets := make([]stream.Outlet, len(p.graph.Edges))
	for i, e := range p.graph.Edges {
		l := inboxes[e.To].addLane(e.From, vertices[e.To].Queue, vertices[e.To].QueueFull)
		if e.Side != "" {
			inboxes[e.To].lead(l, e, vertices[e.To], hooks)
		}
		outlets[i] = l
	}
	return inboxes, outlets
}

// addVertex makes the loop of a vertex.
func (p *Pipeline) addVertex(v *Vertex, in *inbox, outlets []stream.Outlet, stats *counters, hooks Hooks) {
	var edges []Edge
	var mine []stream.Outlet
	for i, e := range p.graph.Edges {
		if e.From == v.Name {
			edges, mine = append(edges, e), append(mine, outlets[i])
		}
	}
	fails := failures{
		vertex: v.Name, policy: new(atomic.Pointer[policy]), dead: p.graph.Tags.DeadLetter(),
		describe: p.describe, stats: stats, gaveUp: hooks.GaveUp,
	}
	fails.policy.Store(policyOf(v))
	seen := running{name: v.Name, role: RoleSource, stats: stats, in: in, transform: v.Transform, policy: fails.policy}
	switch {
	case v.Source != nil:
		id := len(p.sources)
		s := &sourceLoop{
			name: v.Name, id: stream.SourceID(id), source: v.Source, ledger: p.acks[id],
			epochs: &p.epochs, snapshot: hooks.Snapshot, marks: marks{moved: make(chan struct{}, 1)}, downstream: lanesOf(mine),
			out: newRouter(p.graph.Tags, edges, mine, p.acks, &p.pool, stats), stats: stats, pool: &p.pool, failures: fails,
		}
		if v.EventTime != nil {
			s.time = *v.EventTime
		}
		p.sources, seen.source, seen.out = append(p.sources, s), s, s.out
		p.epochs.reading.Add(1)
	case v.Transform != nil:
		seen.role = RoleTransform
		in.serve(v)
		t := &transformLoop{
			name: v.Name, transform: v.Transform, keyed: in.keyed(), ordered: v.Order == OrderInput || in.keys != nil, in: in,
			out: newRouter(p.graph.Tags, edges, mine, p.acks, &p.pool, stats), pool: &p.pool, failures: fails, snapshot: hooks.Snapshot,
		}
		t.left.Store(int32(v.Concurrency + 1))
		t.wake = v.Wake
		p.transforms, seen.out = append(p.transforms, t), t.out
	default:
		seen.role = RoleSink
		s := &sinkLoop{
			name: v.Name, sink: v.Sink, in: in, out: newRouter(p.graph.Tags, edges, mine, p.acks, &p.pool, &counters{}),
			acks: p.acks, stats: stats, pool: &p.pool, passed: hooks.BarrierPassed, failures: fails, snapshot: hooks.Snapshot,
		}
		if p.epochs.on {
			s.prepared, _ = v.Sink.(stream.Transactional)
		}
		p.sinks, seen.sink, seen.out = append(p.sinks, s), s, s.out
	}
	if in != nil {
		in.passing.captures, in.passing.downstream = p.epochs.on, lanesOf(mine)
	}
	p.vertices = append(p.vertices, seen)
}

func lanesOf(outlets []stream.Outlet) []*lane {
	lanes := make([]*lane, len(outlets))
	for i, o := range outlets {
		lanes[i] = o.(*lane)
	}
	return lanes
}

// running is what there is to see of a vertex.
type running struct {
	name      stream.VertexID
	role      Role
	stats     *counters
	in        *inbox           // nil for a source
	source    *sourceLoop      // nil for others
	transform stream.Transform // nil for others
	policy    *atomic.Pointer[policy]
	sink      *sinkLoop // nil for others
	out       *router
}

// isTimer says whether a record is what a Keyed had to do.
func isTimer(r *stream.Record) bool {
	return r.Source == stream.NoSource && (r.Port == stream.EventTimer || r.Port == stream.ClockTimer)
}

// describe names the source record that a record came from.
func (p *Pipeline) describe(r *stream.Record) string {
	switch {
	case isTimer(r):
		return "a timer"
	case r.Source == stream.NoSource:
		return "a result of many records"
	}
	s := p.sources[r.Source]
	text := fmt.Sprintf("record %d of source %s", r.Seq+1, s.name)
	locator, ok := s.source.(stream.Locator)
	if !ok {
		return text
	}
	if after, back, open := s.ledger.position(r.Seq); open {
		text += " (" + locator.Locate(after, back) + ")"
	}
	return text
}

// Run moves records until every source has ended, or was stopped by Drain, and
// all of them are through. When ctx ends it stops at once and returns ctx's
// cause; when a vertex fails, its error. restore is called first, nil for none:
// vertices start with what it says; those that it leaves out, at their beginning.
func (p *Pipeline) Run(ctx context.Context, restore Restore) (err error) {
	defer func() {
		err = errors.Join(err, p.close(context.WithoutCancel(ctx)))
		p.progress.end(err)
	}()
	if err := p.open(ctx, restore); err != nil {
		return err
	}
	p.progress.opened.Store(true)
	if p.opened != nil {
		p.opened()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.leaving, func() { cancel(errLeft) })()
	g, inner := errgroup.WithContext(ctx)
	defer context.AfterFunc(inner, func() { p.abort(context.Cause(inner)) })()
	p.start(inner, g)
	err = g.Wait()
	if err != nil && ctx.Err() != nil && context.Cause(inner) == context.Cause(ctx) {
		err = context.Cause(ctx) // it ended first: no vertex is to blame
	}
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
}

var errLeft = errors.New("the pipeline was left")

// Leave lets Run return at once, as if it had come to its end: what is still in the
// pipeline is in the last checkpoint.
func (p *Pipeline) Leave() { p.leave() }

// open opens what the graph owns and puts back what its vertices held.
func (p *Pipeline) open(ctx context.Context, restore Restore) error {
	var from map[stream.VertexID]Restored
	if restore != nil {
		var err error
		if from, err = restore(ctx); err != nil {
			return err
		}
	}
	for _, s := range p.sinks {
		err := s.sink.Open(ctx)
		if err == nil && s.prepared != nil {
			err = s.prepared.Recover(ctx, from[s.name].Commits)
		}
		if err != nil {
			return named(s.name, err)
		}
		s.stats.opened.Store(true)
	}
	for _, s := range p.sources {
		if err := s.source.Open(ctx, from[s.name].Position); err != nil {
			return named(s.name, err)
		}
		s.stats.opened.Store(true)
	}
	if err := p.restore(from); err != nil {
		return err
	}
	for _, s := range p.sources {
		r, ok := from[s.name]
		if err := s.resume(ctx, r, ok); err != nil {
			return named(s.name, err)
		}
	}
	return nil
}

// start starts all goroutines of the pipeline in g.
func (p *Pipeline) start(ctx context.Context, g *errgroup.Group) {
	var moving sync.WaitGroup // loops that move records
	run := func(name stream.VertexID, loop func(context.Context) error) {
		moving.Add(1)
		g.Go(func() error {
			defer moving.Done()
			return named(name, loop(ctx))
		})
	}
	for _, s := range p.sinks {
		run(s.name, s.run)
	}
	for _, t := range p.transforms {
		t.hire = func() { run(t.name, t.run) }
		for range t.left.Load() {
			t.hire()
		}
	}
	for _, s := range p.sources {
		run(s.name, s.run)
	}
	p.startBeside(ctx, g, &moving)
	drained := make(chan struct{})
	g.Go(func() error {
		moving.Wait()
		close(drained)
		return nil
	})
	for _, s := range p.sources {
		g.Go(func() error { return named(s.name, s.acknowledge(ctx, drained)) })
	}
}

// named adds the vertex to an error that does not say where it happened.
func named(name stream.VertexID, err error) error {
	var e *stream.Error
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &e):
		return fmt.Errorf("vertex %s: %w", name, err)
	case strings.HasPrefix(e.Where, string(name)+", "):
		return err
	}
	placed := *e
	placed.Where = strings.TrimSuffix(string(name)+", "+e.Where, ", ")
	return &placed
}

func (p *Pipeline) abort(err error) {
	for _, t := range p.transforms {
		t.in.abort(err)
	}
	for _, s := range p.sinks {
		s.in.abort(err)
	}
}

// close closes everything that the graph owns.
func (p *Pipeline) close(ctx context.Context) error {
	var errs []error
	for _, v := range p.graph.Vertices {
		switch {
		case v.Source != nil:
			errs = append(errs, named(v.Name, v.Source.Close()))
		case v.Transform != nil:
			errs = append(errs, named(v.Name, v.Transform.Close(ctx)))
		case v.Sink != nil:
			errs = append(errs, named(v.Name, v.Sink.Close()))
		}
	}
	return errors.Join(errs...)
}

// Discard closes a pipeline instead of running it.
func (p *Pipeline) Discard(ctx context.Context) error { return p.close(ctx) }

// Drain stops the sources; Run returns when all that was read is through. It
// may be called at any time and more than once.
func (p *Pipeline) Drain() {
	p.progress.draining.Store(true)
	p.pausing.Lock()
	p.rouse()
	p.pausing.Unlock()
	for _, s := range p.sources {
		s.stop()
	}
}

// Stats returns what every vertex has done, in the order of the graph.
func (p *Pipeline) Stats() []Stats {
	stats := make([]Stats, len(p.vertices))
	for i, v := range p.vertices {
		stats[i] = v.stats.read(v.name, v.role)
		stats[i].Opened = v.stats.opened.Load() || p.progress.opened.Load()
		if v.in != nil {
			v.in.read(&stats[i])
		}
	}
	return stats
}

// Oldest returns the n calls that are in flight for the longest time.
func (p *Pipeline) Oldest(n int) []Flight {
	var all []Flight
	for _, v := range p.vertices {
		if v.in != nil {
			all = v.in.oldest(all, n, v.name, p.describe)
		}
	}
	slices.SortFunc(all, func(a, b Flight) int { return cmp.Compare(b.Age, a.Age) })
	return all[:min(n, len(all))]
}

// Latency is the time from the read of a batch at a source until all of it is
// settled.
func (p *Pipeline) Latency() *Latency { return &p.latency }
