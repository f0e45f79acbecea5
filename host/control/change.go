package control

import (
	"context"
	"errors"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// ErrNewGeneration says that a change cannot be made while the graph runs on: a new
// generation of it has to take its place.
var ErrNewGeneration = errors.New("the change takes a new generation of the pipeline")

// Change is another config for vertices of a graph that runs, with all done that can fail:
//
//	Prepare ─▶ plugins loaded, a first instance of each, canary ─▶ Apply: they serve, limits are other ones
//	                                                           └─▶ Discard
//
// Either Apply or Discard is called once.
type Change struct {
	builder *Builder
	config  *config.Pipeline
	graph   pipeline.Graph
	adjust  []pipeline.Vertex
	serve   []service
	Notes   []string          // what is to be told of it
	Plugins map[string]string // that were loaded, by name, the SHA-256 of the file, hex
}

// service is a version of a plugin that is to serve.
type service struct {
	of   stream.VertexID
	in   *wasm.Versions
	next *wasm.Transform
}

// Prepare makes a change of a graph that was built and runs as p: the vertices of flows
// get other limits, those of guests another version of their plugin or other parameters,
// as c says, after it was tried on recent records. ErrNewGeneration is for what cannot be done so; other errors are of c and the
// plugins.
func (b *Builder) Prepare(ctx context.Context, c *config.Pipeline, g pipeline.Graph, p *pipeline.Pipeline, flows, guests []stream.VertexID) (*Change, error) {
	ch := &Change{builder: b, config: c, graph: g}
	build := build{Builder: b, config: c, tags: g.Tags}
	build.checkMemory()
	var refused []error // by the canary
	for i := range c.Vertices {
		v := &c.Vertices[i]
		guest := slices.Contains(guests, v.Name)
		if !guest && !slices.Contains(flows, v.Name) {
			continue
		}
		at := slices.IndexFunc(g.Vertices, func(one pipeline.Vertex) bool { return one.Name == v.Name })
		if at < 0 {
			return nil, errors.Join(ErrNewGeneration, ch.Discard(ctx))
		}
		code := codeOf(g.Vertices[at].Transform)
		if guest {
			s, trial, err := build.service(ctx, i, g.Vertices[at].Transform)
			if stream.CodeOf(err) == stream.PluginCanary {
				refused = append(refused, err)
				continue
			}
			if err != nil {
				build.errs = append(build.errs, err)
				continue
			}
			ch.serve = append(ch.serve, s)
			if text := trial.String(); text != "" {
				ch.Notes = append(ch.Notes, string(v.Name)+": "+text)
			}
			code = s.next.Plugin().Hash
		}
		flow := build.flow(i)
		flow.Headers = build.headers(v, code)
		probe := flow
		if v.Scale != nil {
			probe.Concurrency = v.Scale.Max
		}
		if !p.Adjustable(&probe) {
			build.errs = append(build.errs, ErrNewGeneration)
		}
		ch.adjust = append(ch.adjust, flow)
	}
	if refused != nil {
		return nil, errors.Join(append(refused, ch.Discard(ctx))...) // a new generation would not find that
	}
	if err := errors.Join(build.errs...); err != nil {
		if errors.Is(err, ErrNewGeneration) {
			err = ErrNewGeneration // which finds the others again
		}
		return nil, errors.Join(err, ch.Discard(ctx))
	}
	ch.Plugins = b.Plugins
	return ch, nil
}

// service makes another version of what a transform calls, for vertex i, and tries it.
func (b *build) service(ctx context.Context, i int, t stream.Transform) (s service, trial wasm.Trial, err error) {
	s.of = b.config.Vertices[i].Name
	if s.in = versionsOf(t); s.in == nil {
		return s, trial, ErrNewGeneration
	}
	p, c, err := b.load(ctx, i)
	if err != nil {
		return s, trial, err
	}
	if p.Description.Kind != s.in.Plugin().Description.Kind {
		return s, trial, errors.Join(ErrNewGeneration, p.Close(ctx))
	}
	if s.next, err = p.Transform(ctx, c); err != nil {
		return s, trial, errors.Join(b.atPlugin(i, err), p.Close(ctx))
	}
	if s.in.Merges() && !s.next.Merges() {
		return s, trial, errors.Join(ErrNewGeneration, s.next.Close(ctx), p.Close(ctx))
	}
	if trial, err = s.in.Try(ctx, s.next); err != nil {
		return s, trial, errors.Join(b.atPlugin(i, err), s.next.Close(ctx), p.Close(ctx))
	}
	if err := s.next.Warm(ctx, s.in.Stats().Instances); err != nil {
		return s, trial, errors.Join(b.atPlugin(i, err), s.next.Close(ctx), p.Close(ctx))
	}
	return s, trial, nil
}

// Apply puts the change in force. Records move on meanwhile: calls under way end as they
// began.
func (ch *Change) Apply(p *pipeline.Pipeline) {
	for _, s := range ch.serve {
		s.in.Serve(s.next)
	}
	for i := range ch.adjust {
		adjust(p, ch.transform(ch.adjust[i].Name), &ch.adjust[i])
	}
}

// adjust puts settings of a vertex in force, the instances of its plugin included.
func adjust(p *pipeline.Pipeline, t stream.Transform, v *pipeline.Vertex) {
	if to := versionsOf(t); to != nil {
		resize(to, v)
	}
	p.Adjust(v)
}

// resize gives a vertex as many instances as it makes calls at once.
func resize(v *wasm.Versions, flow *pipeline.Vertex) {
	least := flow.Concurrency
	if flow.MinConcurrency > 0 {
		least = flow.MinConcurrency
	}
	v.ResizeBetween(least, flow.Concurrency)
}

func (ch *Change) transform(name stream.VertexID) stream.Transform {
	for i := range ch.graph.Vertices {
		if ch.graph.Vertices[i].Name == name {
			return ch.graph.Vertices[i].Transform
		}
	}
	return nil
}

// Reshape tells a runner what its vertices are after Apply.
func (ch *Change) Reshape(r *durable.Runner) { r.Reshape(shapes(ch.config, ch.graph)) }

// Discard frees what Prepare made.
func (ch *Change) Discard(ctx context.Context) error {
	var errs []error
	for _, s := range ch.serve {
		errs = append(errs, s.next.Close(ctx), s.next.Plugin().Close(ctx))
	}
	ch.serve = nil
	return errors.Join(errs...)
}
