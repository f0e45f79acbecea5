package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

// Builder makes graphs from configs. Its fields are set once.
type Builder struct {
	Engine     *wasm.Engine
	PluginsDir string
	Canary     bool         // another version of a plugin is tried before it serves
	Budget     config.Bytes // of all guests of a pipeline together; 0 = no limit
	Lent       Lent
	Events     stream.Events
	Native     map[string]func() stream.Transform // by plugin name: used instead of the plugin
	Wake       func(stream.VertexID)              // is called when there is something to do for a vertex without instances; nil = it rests
	Process    string                             // in the claims of checkpoints; empty = a random one for each pipeline

	Only   func(stream.VertexID) bool // vertices that are made, with all edges; nil = all
	Answer Answerer                   // of the requests of guests, instead of the network; nil = the network

	Plugins map[string]string // set by Build: of the plugins that it has loaded, by name, the SHA-256 of the file, hex
}

// Build makes what a config describes. Its error joins everything that is
// wrong. The graph belongs to the caller; closing its pipeline closes the
// plugins. Vertices that are scaled may make as many calls as they ever may, until
// Scaling.Begin says how many they begin with.
func (b *Builder) Build(ctx context.Context, c *config.Pipeline) (g pipeline.Graph, err error) {
	var names []string
	for _, e := range c.Edges {
		names = append(names, e.Tags()...)
	}
	g.Tags = stream.NewTagTable(names...)
	build := build{Builder: b, config: c, tags: g.Tags}
	for i := range c.Edges {
		g.Edges = append(g.Edges, build.edge(&c.Edges[i]))
	}
	build.checkFiles()
	build.checkMemory()
	for i := range c.Vertices {
		if b.Only == nil || b.Only(c.Vertices[i].Name) {
			g.Vertices = append(g.Vertices, build.vertex(ctx, i))
		}
	}
	if err := errors.Join(build.errs...); err != nil {
		return pipeline.Graph{}, errors.Join(err, closeTransforms(ctx, g))
	}
	return g, nil
}

func closeTransforms(ctx context.Context, g pipeline.Graph) error {
	var errs []error
	for _, v := range g.Vertices {
		if v.Transform != nil {
			errs = append(errs, v.Transform.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// build is one run of Build.
type build struct {
	*Builder
	config *config.Pipeline
	tags   *stream.TagTable
	errs   []error
}

func (b *build) vertex(ctx context.Context, i int) pipeline.Vertex {
	c := &b.config.Vertices[i]
	v := b.flow(i)
	if c.Scale != nil {
		v.Concurrency = c.Scale.Max // for which keys are dealt out
	}
	if b.Wake != nil {
		v.Wake = func() { b.Wake(c.Name) }
	}
	lent := b.Lent
	if b.Events.SourceNotice != nil {
		lent.Notice = func(text string) { b.Events.SourceNotice(c.Name, text) }
	}
	switch {
	case c.Source != nil:
		v.Source = sources()[c.Source.Kind].open(c.Source.Settings, &lent)
	case c.Sink != nil:
		v.Sink = sinks()[c.Sink.Kind].open(c.Sink.Settings, &lent)
	case c.Aggregate != nil:
		if t, err := b.aggregate(i); err != nil {
			b.errs = append(b.errs, err)
		} else {
			v.Transform = t
		}
	case c.Join != nil:
		if t, err := b.join(i); err != nil {
			b.errs = append(b.errs, err)
		} else {
			v.Transform = t
		}
	default:
		transform, err := b.transform(ctx, i)
		if err != nil {
			b.errs = append(b.errs, err)
			break
		}
		v.Transform = transform
		v.Beside = b.sides(i, transform)
	}
	v.Headers = b.headers(c, codeOf(v.Transform))
	return v
}

// transform loads the plugin of a vertex and starts its instances.
func (b *build) transform(ctx context.Context, i int) (stream.Transform, error) {
	if native, ok := b.Native[b.config.Vertices[i].UDF.Plugin]; ok {
		return native(), nil
	}
	p, c, err := b.load(ctx, i)
	if err != nil {
		return nil, err
	}
	t, err := b.instances(ctx, i, p, c)
	if err != nil {
		return nil, errors.Join(b.atPlugin(i, err), p.Close(ctx))
	}
	if v := versionsOf(t); v != nil {
		flow := b.flow(i)
		resize(v, &flow)
	}
	return t, nil
}

// atPlugin puts the place where vertex i names its plugin before that of an error.
func (b *build) atPlugin(i int, err error) error {
	return b.place(fmt.Sprintf("vertices[%d].udf.plugin", i), err)
}

// load loads the plugin of a vertex, which suits it, and says how it is to be used.
func (b *build) load(ctx context.Context, i int) (*wasm.Plugin, wasm.Config, error) {
	c := &b.config.Vertices[i]
	policy, err := b.policy(i)
	b.errs = append(b.errs, err)
	if c.Sandbox.Metering == config.Off && b.Events.Unmetered != nil {
		b.Events.Unmetered(c.Name, c.UDF.Plugin)
	}
	path, err := wasm.File(b.PluginsDir, c.UDF.Plugin)
	if err != nil {
		return nil, wasm.Config{}, b.atPlugin(i, err)
	}
	p, err := b.Engine.Load(ctx, path, wasm.Limits{
		PluginBytes:     int64(c.UDF.Limits.PluginBytes),
		Memory:          int64(c.UDF.Limits.Memory),
		OutputPerRecord: c.UDF.Limits.OutputPerRecord,
		RecordBytes:     int(c.UDF.Limits.RecordBytes),
		OutputBytes:     int(c.UDF.Limits.OutputBytes),
		TableElements:   uint64(c.UDF.Limits.TableElements),
		Stack:           int64(c.UDF.Limits.Stack),
		CallDeadline:    c.UDF.Limits.CallDeadline,
		RecordDeadline:  c.UDF.Limits.RecordDeadline,
		WaitDeadline:    c.UDF.Limits.WaitDeadline,
		Fuel:            c.Sandbox.Fuel,
		HostCalls:       c.UDF.Limits.HostCalls,
		LogLines:        c.UDF.Limits.LogLines,
		Discards:        c.UDF.Limits.Discards,
		LogBytes:        int(c.UDF.Limits.LogBytes),
		Unmetered:       c.Sandbox.Metering == config.Off,
	})
	if err != nil {
		return nil, wasm.Config{}, b.atPlugin(i, b.guess(c.UDF.Plugin, err))
	}
	if err := errors.Join(b.checkKind(i, p), b.checkSides(i, p)); err != nil {
		return nil, wasm.Config{}, errors.Join(b.atPlugin(i, err), p.Close(ctx))
	}
	if err := b.checkTags(c, p); err != nil {
		b.errs = append(b.errs, b.atPlugin(i, err))
	}
	if was, ok := b.Plugins[c.UDF.Plugin]; ok && was != p.Hash { // for a vertex before
		return nil, wasm.Config{}, errors.Join(b.atPlugin(i, wasm.Changed(path)), p.Close(ctx))
	}
	if b.Plugins == nil {
		b.Plugins = make(map[string]string)
	}
	b.Plugins[c.UDF.Plugin] = p.Hash
	return p, wasm.Config{
		Vertex: c.Name, Params: params(c.UDF), Grant: c.UDF.Grant, Instances: guestsOf(c), Tags: b.tags, Events: b.Events, HTTP: policy, Canary: b.Canary,
	}, nil
}

// instances starts those of vertex i, whose plugin is loaded.
func (b *build) instances(ctx context.Context, i int, p *wasm.Plugin, c wasm.Config) (stream.Transform, error) {
	switch {
	case b.config.Vertices[i].State.Memory:
		return b.partitions(ctx, i, p, c)
	case p.Description.Kind == abi.KindProcess:
		return b.process(ctx, i, p, c)
	case p.Description.Kind == abi.KindAggregate:
		return b.guestAggregate(ctx, i, p, c)
	}
	t, err := p.Transform(ctx, c)
	if err != nil {
		return nil, err
	}
	return wasm.NewVersions(t), nil
}

// policy reads what the guest of a vertex may ask for.
func (b *build) policy(i int) (p fetch.Policy, err error) {
	h := b.config.Vertices[i].UDF.HTTP
	p = fetch.Policy{MaxBytes: int64(h.MaxResponseBytes), Timeout: h.Timeout, Answer: b.answer(i)}
	for k, text := range h.Allow {
		rule, bad := fetch.ParseRule(text)
		if bad != nil {
			err = errors.Join(err, &stream.Error{
				Code:  stream.ConfigValue,
				Where: b.config.Where(fmt.Sprintf("vertices[%d].udf.http.allow[%d]", i, k)),
				Why:   fmt.Sprintf("%.100q is not a host to allow: %v", text, bad),
				Fix:   "write a host (api.example.org), one with a port (api.example.org:8443), all below one (*.example.org), or an address with its port (10.0.0.7:8080)",
			})
		}
		p.Allow = append(p.Allow, rule)
	}
	return p, err
}

// guess says which plugin may have been meant by one that is not there.
func (b *build) guess(name string, err error) error {
	var e *stream.Error
	if !errors.As(err, &e) || e.Code != stream.PluginNotFound {
		return err
	}
	names, _ := wasm.Names(b.PluginsDir)
	near := config.Suggest(name, names)
	if len(names) == 0 || !strings.HasPrefix(near, "did you mean") {
		return err
	}
	guessed := *e
	guessed.Fix = near
	return &guessed
}

// checkTags finds tags of edges that the plugin says it does not emit.
func (b *build) checkTags(c *config.Vertex, p *wasm.Plugin) error {
	if p.Description.Tags == nil {
		return nil
	}
	var errs []error
	for i, e := range b.config.Edges {
		if e.From != c.Name {
			continue
		}
		for j, tag := range e.Tags() {
			if tag == config.TagLate && p.Description.Kind == abi.KindAggregate {
				continue // it is the host's
			}
			if !slices.Contains(p.Description.Tags, tag) {
				errs = append(errs, &stream.Error{
					Code:  stream.ConfigValue,
					Where: b.config.Where(fmt.Sprintf("edges[%d].when.tags[%d]", i, j)),
					Why:   fmt.Sprintf("plugin %s does not emit the tag %q", p.Description.Name, tag),
					Fix:   config.Suggest(tag, p.Description.Tags),
				})
			}
		}
	}
	return errors.Join(errs...)
}

// place puts the place in the config before that of an error's parts.
func (b *build) place(value string, err error) error {
	var errs []error
	for _, e := range config.Faults(err) {
		at := *e
		if at.Where = b.config.Where(value) + ": " + e.Where; e.Code == stream.ConfigValue || e.Code == stream.ConfigMissing {
			at = *e // it has a better one
		}
		errs = append(errs, &at)
	}
	if errs == nil {
		return err
	}
	return errors.Join(errs...)
}

// params returns the params of a UDF as JSON; nil if it has none.
func params(u *config.UDF) []byte {
	if len(u.Params) == 0 {
		return nil
	}
	return u.ParamsJSON()
}
