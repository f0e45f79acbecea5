package wasm

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Config says how a vertex uses a plugin.
type Config struct {
	Vertex    stream.VertexID
	Params    []byte // a JSON object; nil = none
	Grant     []abi.Capability
	Instances int // the most at once, at least 1
	Tags      *stream.TagTable
	Events    stream.Events
}

// Transform calls a plugin for one vertex. It implements stream.Transform.
type Transform struct {
	plugin *Plugin
	vertex *vertex
	pool   *pool
}

// Transform starts a first instance for a vertex and gives it its parameters,
// so that what is wrong with them shows before a record moves.
func (p *Plugin) Transform(ctx context.Context, c Config) (*Transform, error) {
	seed := fnv.New64a()
	seed.Write([]byte(c.Vertex))
	v := &vertex{Config: c, seed: seed.Sum64()}
	for _, want := range p.Wants {
		if !slices.Contains(c.Grant, want) {
			return nil, &stream.Error{
				Code: stream.PluginCapability, Where: fmt.Sprintf("%s, plugin %s", c.Vertex, p.Description.Name),
				Why: fmt.Sprintf("the plugin wants the capability %s, which the vertex does not grant", want),
				Fix: fmt.Sprintf("add it to the vertex if you trust the plugin with it: udf: {grant: [%s]}", want),
			}
		}
	}
	if _, takes := p.Module.Export(abi.ExportConfigure); !takes && c.Params != nil {
		return nil, &stream.Error{
			Code: stream.PluginParams, Where: fmt.Sprintf("%s, plugin %s", c.Vertex, p.Description.Name),
			Why: "the plugin takes no params", Fix: "remove params from the vertex",
		}
	}
	if v.Params == nil {
		v.Params = []byte("{}")
	}
	t := &Transform{plugin: p, vertex: v}
	t.pool = newPool(c.Instances, t.start)
	first, err := t.pool.borrow(ctx)
	if err != nil {
		return nil, err
	}
	t.pool.put(first)
	return t, nil
}

// start makes an instance that is ready for calls.
func (t *Transform) start(ctx context.Context) (*instance, error) {
	i, err := t.plugin.instantiate(ctx, t.vertex)
	if err != nil {
		return nil, err
	}
	// A guest has to describe itself before it is configured, ABI.md §1.
	if _, err = i.describe(); err == nil {
		err = i.configure(t.vertex.Params)
	}
	if err != nil {
		return nil, errors.Join(err, i.close(ctx))
	}
	return i, nil
}

// Call implements stream.Transform.
func (t *Transform) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	i, err := t.pool.borrow(ctx)
	if err != nil {
		return err
	}
	if err := i.call(ctx, in, out); err != nil {
		return errors.Join(err, t.pool.discard(ctx, i))
	}
	t.pool.put(i)
	return nil
}

// Close implements stream.Transform.
func (t *Transform) Close(ctx context.Context) error {
	t.vertex.said.mu.Lock()
	t.vertex.sayDropped(t.plugin.limits.LogLines)
	t.vertex.said.mu.Unlock()
	return t.pool.close(ctx)
}
