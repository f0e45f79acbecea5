package wasm

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

// Config says how a vertex uses a plugin.
type Config struct {
	Vertex    stream.VertexID
	Params    []byte // a JSON object; nil = none
	Grant     []abi.Capability
	Instances int          // the most at once, at least 1
	HTTP      fetch.Policy // of its requests; the zero value denies all
	Canary    bool         // Versions keep recent records, on which Try tries others
	Tags      *stream.TagTable
	Events    stream.Events
}

// Transform calls a plugin for one vertex. It implements stream.Transform.
type Transform struct {
	employer
	pool *pool
}

// employer is what calls a plugin for one vertex, whichever instances it calls.
type employer struct {
	plugin   *Plugin
	vertex   *vertex
	gate     *gate
	counters counters
}

// Transform starts a first instance for a vertex and gives it its parameters,
// so that what is wrong with them shows before a record moves.
func (p *Plugin) Transform(ctx context.Context, c Config) (*Transform, error) {
	v, err := p.employ(c)
	if err != nil {
		return nil, err
	}
	t := &Transform{employer: employer{plugin: p, vertex: v, gate: newGate(p.limits.Discards)}}
	t.pool = newPool(ctx, c.Instances, t.start)
	first, err := t.pool.borrow(ctx)
	if err != nil {
		return nil, err
	}
	t.pool.put(first)
	return t, nil
}

// Warm starts instances until n live, or as many as there may be, so that no call waits for
// one. It comes before the first call.
func (t *Transform) Warm(ctx context.Context, n int) error { return t.pool.ahead(ctx, n) }

// employ makes what the instances of a vertex share, unless the vertex lacks what
// the plugin needs.
func (p *Plugin) employ(c Config) (*vertex, error) {
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
	c.HTTP.Conns = c.Instances
	c.HTTP.Denied = func(target, why string) { v.denied(target, why, p.limits.LogLines) }
	v.http = fetch.New(c.HTTP)
	return v, nil
}

// Plugin is the one that it calls.
func (t *employer) Plugin() *Plugin { return t.plugin }

// start makes an instance that is ready for calls.
func (t *employer) start(ctx context.Context) (*instance, error) {
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

// Call implements stream.Transform. While the plugin does little but fail, calls
// wait.
func (t *Transform) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	return t.guarded(ctx, nil, in, out)
}

// guarded makes a call when the gate lets it, and tells the gate what came of it.
func (t *Transform) guarded(ctx context.Context, s Session, in *stream.Batch, out *stream.Output) error {
	probe, err := t.gate.enter(ctx)
	if err != nil {
		return err
	}
	records := in.Len()
	err = t.call(ctx, s, in, out)
	t.settle(ctx, records, probe, err)
	return err
}

// settle tells the gate what came of a call that it let in.
func (t *employer) settle(ctx context.Context, records int, probe bool, err error) {
	switch {
	case err == nil:
		t.counters.through.Add(uint64(records))
		if probe {
			t.gate.pass()
			t.resumed()
		}
	case ctx.Err() == nil:
		if wait := t.gate.fail(t.counters.through.Load(), probe); wait > 0 {
			t.suspended(err, wait)
		}
	case probe:
		t.gate.abandon()
	}
}

// call makes one call, whatever came of earlier ones.
func (t *Transform) call(ctx context.Context, s Session, in *stream.Batch, out *stream.Output) error {
	t.counters.calls.Add(1)
	i, err := t.pool.borrow(ctx)
	if err != nil {
		return err
	}
	if err := i.call(ctx, s, in, out); err != nil {
		t.discarded(ctx, err)
		t.pool.discard(i)
		return err
	}
	t.pool.put(i)
	return nil
}

// discarded counts an instance that a call's error cost.
func (t *employer) discarded(ctx context.Context, err error) {
	code := stream.CodeOf(err)
	if ctx.Err() != nil {
		code = stream.Internal
	}
	t.counters.discarded(code)
}

func (t *employer) suspended(err error, wait time.Duration) {
	if t.vertex.Events.PluginSuspended == nil {
		return
	}
	why := err.Error()
	if e := (*stream.Error)(nil); errors.As(err, &e) {
		why = (&stream.Error{Code: e.Code, Why: e.Why, Err: e.Err}).Error()
	}
	t.vertex.Events.PluginSuspended(t.vertex.Vertex, t.plugin.Description.Name, why, wait)
}

func (t *employer) resumed() {
	if t.vertex.Events.PluginResumed != nil {
		t.vertex.Events.PluginResumed(t.vertex.Vertex, t.plugin.Description.Name)
	}
}

// Close implements stream.Transform.
func (t *Transform) Close(ctx context.Context) error {
	defer t.dismiss()
	return t.pool.close(ctx)
}

// dismiss ends what the instances shared.
func (t *employer) dismiss() {
	t.vertex.said.mu.Lock()
	t.vertex.sayDropped(t.plugin.limits.LogLines)
	t.vertex.said.mu.Unlock()
	t.vertex.http.Close()
}
