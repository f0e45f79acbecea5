package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/state/process"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// processed calls a plugin of kind process, with the state that is kept for it. It
// closes the plugin.
type processed struct {
	*process.Transform
	guest *wasm.Versions
}

// Stats is what its instances do.
func (p processed) Stats() wasm.Stats { return p.guest.Stats() }

// process starts the guests of vertex i, whose plugin is loaded.
func (b *build) process(ctx context.Context, i int, p *wasm.Plugin, c wasm.Config) (stream.Transform, error) {
	key, err := b.key(i)
	if err != nil {
		return nil, err
	}
	t, err := p.Transform(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &b.config.Vertices[i]
	guest := wasm.NewVersions(t)
	return processed{process.NewTransform(process.Config{
		Vertex: v.Name, Groups: v.State.Groups, MaxBytes: int64(v.State.MaxBytes), CallBytes: int(v.UDF.Limits.StateBytes), Key: key,
	}, stateful{guest}), guest}, nil
}

// stateful is a plugin as package process calls it.
type stateful struct{ *wasm.Versions }

// Process implements process.Guest.
func (s stateful) Process(ctx context.Context, session *process.Session, in *stream.Batch, out *stream.Output) error {
	return s.Versions.Process(ctx, session, in, out)
}

// checkKind compares what vertex i says of key, window and state with what its
// plugin, by its kind, needs and has use for.
func (b *build) checkKind(i int, p *wasm.Plugin) error {
	at := fmt.Sprintf("vertices[%d]", i)
	is := fmt.Sprintf("plugin %s is of kind %s", p.Description.Name, p.Description.Kind)
	says := func(key string) bool { return b.config.Says(at + "." + key) }
	var errs []error
	fault := func(code stream.Code, place, why, fix string) {
		errs = append(errs, &stream.Error{Code: code, Where: b.config.Where(place), Why: is + ", " + why, Fix: fix})
	}
	unused := func(key, why, fix string) {
		if says(key) {
			fault(stream.ConfigValue, at+"."+key, why, fix)
		}
	}
	kind, memory := p.Description.Kind, b.config.Vertices[i].State.Memory
	if memory && kind != abi.KindMap {
		fault(stream.ConfigValue, at+".state", "whose state is kept by key outside of its memory", "write state: {maxBytes: …, groups: …}, or remove it")
		return errors.Join(errs...)
	}
	switch kind {
	case abi.KindMap:
		unused("window", "which knows nothing of windows", "remove it, or take a plugin of kind aggregate")
		if !memory {
			unused("key", "which has no state, so that a key means nothing", "remove it, or take a plugin of kind process or aggregate; order: key keeps records with the same key in order")
			unused("state", "which has none", "remove it, or take a plugin of kind process or aggregate; or write state: memory if what it keeps in its variables shall last")
		}
	case abi.KindProcess:
		if !says("key") {
			fault(stream.ConfigMissing, at, "whose state is by key, so it needs key", "add key: {json: path}, {header: name}, or {key: true} for the records' own")
		}
		unused("window", "which is told of records and timers, not of windows", "remove it, or take a plugin of kind aggregate")
	case abi.KindAggregate:
		if !says("window") {
			fault(stream.ConfigMissing, at, "so it needs window", "add window: {fixed: 1m}, {sliding: {size: 1m, slide: 10s}}, {session: 30s}, or {global: true} for one that lasts until the end of the stream")
		}
	}
	return errors.Join(errs...)
}
