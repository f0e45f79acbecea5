package control

import (
	"context"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/scale"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// scalePace is how often a Scaling decides.
const scalePace = time.Second

// rateWindow is the longest time that the rate of a vertex is the mean of.
const rateWindow = 10 * time.Second

// Scaling gives the vertices of a pipeline that are scaled their instances, through all of
// its generations. It is the only writer of these: what a change of the config says of
// them is bounds.
//
//	Stats ─▶ meters ─▶ scale.Scaler ─▶ instances of the plugin, then limits of the vertex
//	Wake ───────▶ Run ───▲
//
// The numbers are no part of the config, and outlive its changes, but not the process.
type Scaling struct {
	start  time.Time
	events stream.Events
	woken  chan struct{} // of capacity 1: a vertex was woken

	mu       sync.Mutex // guards what is below; held while instances or their bounds are put in force
	builder  *Builder   // of the generation that runs, as all up to p
	config   *config.Pipeline
	graph    pipeline.Graph
	p        *pipeline.Pipeline // nil = none has begun
	early    *config.Pipeline   // of a change before the first one began; nil = there was none
	held     string             // why nothing but waking is decided; empty = it is
	vertices map[stream.VertexID]*scaled

	waking sync.Mutex // guards awake; a leaf, which a worker may take
	awake  map[stream.VertexID]bool
}

// scaled is a vertex that is scaled.
type scaled struct {
	scaler            *scale.Scaler
	taken, done, busy *scale.Meter
	bounds            scale.Settings
	instances         int
	since             time.Time // of instances; zero = of the beginning
	last              scale.Decision
	pending           scale.Metric[uint64]
	rate              scale.Metric[float64]
	decided           map[scale.Kind]uint64
}

// NewScaling returns one of a pipeline that is yet to begin with this config. Decisions
// that change something are told to events.
func NewScaling(c *config.Pipeline, events stream.Events) *Scaling {
	s := &Scaling{start: time.Now(), events: events, woken: make(chan struct{}, 1), vertices: make(map[stream.VertexID]*scaled), awake: make(map[stream.VertexID]bool)}
	s.bound(c)
	return s
}

// bound takes bounds from a config: numbers outside of them are moved to the nearest
// within, and vertices that are new begin with their concurrency. It is called with mu held.
func (s *Scaling) bound(c *config.Pipeline) {
	known := s.vertices
	s.vertices = make(map[stream.VertexID]*scaled)
	for i := range c.Vertices {
		v := &c.Vertices[i]
		if v.Scale == nil {
			continue
		}
		set, one := scale.Settings(*v.Scale), known[v.Name]
		if one == nil {
			one = &scaled{instances: v.Concurrency.Max, scaler: scale.New(set), decided: make(map[scale.Kind]uint64)}
		}
		if one.bounds != set {
			one.bounds = set
			one.scaler.Set(set)
			one.measureAnew()
		}
		if n := set.Within(one.instances); n != one.instances {
			one.instances, one.since = n, time.Now()
		}
		s.vertices[v.Name] = one
	}
}

// measureAnew forgets what was counted before, by another version or generation.
func (v *scaled) measureAnew() {
	v.rate = scale.Unknown[float64]()
	v.taken, v.done, v.busy = scale.NewMeter(min(rateWindow, v.bounds.Lookback)), scale.NewMeter(v.bounds.Lookback), scale.NewMeter(v.bounds.Lookback)
}

// Begin gives a generation that is about to run the instances that there were, or those
// that its config begins with.
func (s *Scaling) Begin(b *Builder, c *config.Pipeline, g pipeline.Graph, p *pipeline.Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.early != nil {
		c, s.early = s.early, nil
	}
	s.builder, s.config, s.graph, s.p = b, c, g, p
	s.bound(c)
	for i := range c.Vertices {
		if one := s.vertices[c.Vertices[i].Name]; one != nil {
			one.measureAnew()
			one.pending = scale.Unknown[uint64]()
			s.put(i, one.instances)
		}
	}
}

// put puts a number of instances in force for vertex i, in the order of Change.Apply. It is
// called with mu held, and returns false if the vertex cannot have so many.
func (s *Scaling) put(i, instances int) bool {
	build := build{Builder: s.builder, config: s.config, tags: s.graph.Tags}
	v, t := build.flow(i), s.graph.Vertices[i].Transform
	v.Headers = build.headers(&s.config.Vertices[i], codeOf(t))
	v.Concurrency = instances
	if !s.p.Adjustable(&v) {
		return false
	}
	adjust(s.p, t, &v)
	return true
}

// Apply puts a change of a generation in force that runs, or is about to, with the
// instances that there are for the vertices that it leaves scaled.
func (s *Scaling) Apply(ch *Change, p *pipeline.Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch.config == nil { // it is not of vertices
		return
	}
	if s.p == nil {
		s.early = ch.config
	}
	s.config = ch.config
	s.bound(ch.config)
	for i := range ch.adjust {
		if one := s.vertices[ch.adjust[i].Name]; one != nil {
			ch.adjust[i].Concurrency = one.instances
		}
	}
	for _, other := range ch.serve {
		if one := s.vertices[other.of]; one != nil {
			one.measureAnew()
		}
	}
	ch.Apply(p)
}

// Hold lets nothing but bounds and waking be decided until the returned function is called.
func (s *Scaling) Hold(why string) (release func()) {
	set := func(why string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = why
	}
	set(why)
	return func() { set("") }
}

// Wake says that there is something to do for a vertex that rests. It does not wait.
func (s *Scaling) Wake(v stream.VertexID) {
	s.waking.Lock()
	s.awake[v] = true
	s.waking.Unlock()
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Run decides about once a second, and when a vertex is woken, until ctx ends. suspended
// says why a phase lets nothing be decided now; empty = it does not.
func (s *Scaling) Run(ctx context.Context, suspended func() string) {
	tick := time.NewTicker(scalePace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.woken:
		}
		for _, c := range s.tick(suspended()) {
			if s.events.Scaled != nil {
				s.events.Scaled(c)
			}
		}
	}
}

// tick measures, decides, and puts in force. The time is that of the counters: a change
// that is put in force may have held it up.
func (s *Scaling) tick(suspended string) (changes []stream.ScaleChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil || len(s.vertices) == 0 {
		return nil
	}
	if phase := s.p.Phase(); phase != pipeline.PhaseRunning {
		suspended = "the pipeline is " + string(phase)
	}
	now, stats := time.Now(), s.p.Stats()
	for i := range s.config.Vertices {
		v := &s.config.Vertices[i]
		one := s.vertices[v.Name]
		if one == nil {
			continue
		}
		in := one.measure(scale.At(s.start, now), &stats[i], suspended+s.held != "")
		in.Full = s.fullness(i, stats)
		in.Suspended, in.Held, in.Awake = suspended, s.held, s.wakes(v.Name, false)
		d := one.scaler.Tick(in)
		if n := d.Instances; n != one.instances {
			if s.put(i, n) {
				changes = append(changes, stream.ScaleChange{Vertex: v.Name, From: one.instances, To: n, Reason: d.Reason})
				one.instances, one.since = n, now
			} else {
				d.Instances, d.Reason = one.instances, d.Reason+", but it cannot have so many"
			}
		}
		if one.instances > 0 {
			s.wakes(v.Name, true)
		}
		one.last = d
		one.decided[d.Kind]++
	}
	return changes
}

// wakes says whether a vertex was woken, and forgets it if that is done.
func (s *Scaling) wakes(v stream.VertexID, done bool) bool {
	s.waking.Lock()
	defer s.waking.Unlock()
	if done {
		delete(s.awake, v)
	}
	return s.awake[v]
}

// measure says what is known of a vertex. While nothing is decided nothing is known of its
// rates, nor is it right after that: it may be another version that is called then.
func (v *scaled) measure(at scale.Instant, s *pipeline.Stats, suspended bool) scale.Input {
	if suspended {
		v.measureAnew()
	} else {
		v.taken.Add(at, scale.Known(s.RecordsIn))
		v.done.Add(at, scale.Known(s.Done))
		v.busy.Add(at, scale.Known(uint64(s.Busy)))
	}
	in := scale.Input{At: at, Instances: v.instances, Rate: v.taken.Rate(at)}
	in.Pending = scale.Known(uint64(max(0, s.Input.Records+s.Processing.Records)))
	if each, ok := v.done.Per(v.busy, at).Value(); ok {
		in.Each = scale.Known(each * float64(time.Second))
	}
	v.pending, v.rate = in.Pending, in.Rate
	return in
}

// fullness is how full the results of vertex i, or the fullest of the queues behind it, are:
// what comes to these from others is not counted. It is called with mu held.
func (s *Scaling) fullness(i int, stats []pipeline.Stats) scale.Metric[float64] {
	full := 0.0
	use := func(u, most pipeline.Limit) {
		if most.Records > 0 {
			full = max(full, float64(u.Records)/float64(most.Records), float64(u.Bytes)/float64(most.Bytes))
		}
	}
	use(pipeline.Limit{Records: stats[i].Output.Records, Bytes: stats[i].Output.Bytes}, stage(s.config.Vertices[i].Output))
	for k := range s.config.Vertices {
		for _, e := range stats[k].Edges {
			if e.From == stats[i].Vertex {
				use(e.Queued, stage(s.config.Vertices[k].Queue))
			}
		}
	}
	return scale.Known(full)
}
