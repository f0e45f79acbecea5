package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/side"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// SetSide implements stream.Sided.
func (p processed) SetSide(name string, value []byte) { p.guest.SetSide(name, value) }

// SetSide implements stream.Sided.
func (a folded) SetSide(name string, value []byte) { a.guest.SetSide(name, value) }

// edge returns an edge as its config says.
func (b *build) edge(e *config.Edge) pipeline.Edge {
	edge := pipeline.Edge{From: e.From, To: e.To, Tags: e.Tags(), DeadLetters: e.DeadLetters(), Side: e.Side}
	for i := range b.config.Vertices {
		if v := &b.config.Vertices[i]; v.Name == e.To {
			edge.SideBytes = int(v.SideInputs[e.Side].MaxBytes)
		}
	}
	return edge
}

// sides gives the transform of vertex i the side inputs that are files, and returns
// what keeps them fresh.
func (b *build) sides(i int, t stream.Transform) (beside []func(context.Context)) {
	c := &b.config.Vertices[i]
	for _, name := range slices.Sorted(maps.Keys(c.SideInputs)) {
		at := fmt.Sprintf("vertices[%d].sideInputs.%s", i, name)
		to, ok := t.(stream.Sided)
		if !ok {
			b.errs = append(b.errs, fmt.Errorf("%s: what stands in for plugin %s takes no side inputs", b.config.Where(at), c.UDF.Plugin))
			continue
		}
		s := c.SideInputs[name]
		if s.File == "" {
			continue
		}
		var notice func(string)
		if b.Events.SideNotice != nil {
			notice = func(text string) { b.Events.SideNotice(c.Name, name, text) }
		}
		f := side.NewFile(b.Lent.path(s.File), int64(s.MaxBytes), func(value []byte) { to.SetSide(name, value) }, notice)
		if err := f.Read(); err != nil {
			b.errs = append(b.errs, b.unreadable(at, err))
			continue
		}
		beside = append(beside, f.Run)
	}
	return beside
}

// unreadable is the error of a side input that has no first value.
func (b *build) unreadable(at string, err error) error {
	e := &stream.Error{
		Code: stream.ConfigValue, Where: b.config.Where(at + ".file"), Why: "the side input has no first value", Err: err,
		Fix: "put a regular file there that is not larger than maxBytes; once the pipeline runs it may be replaced",
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Code, e.Fix = stream.InputMissing, "create it, or correct the path: a relative one starts at the folder of the pipeline file"
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Fix = stream.InputUnreadable, "let wasmill read it"
	}
	return e
}

// checkSides refuses side inputs for a plugin that reads none.
func (b *build) checkSides(i int, p *wasm.Plugin) error {
	if len(b.config.Vertices[i].SideInputs) == 0 || p.ReadsSides() {
		return nil
	}
	return &stream.Error{
		Code: stream.ConfigValue, Where: b.config.Where(fmt.Sprintf("vertices[%d].sideInputs", i)),
		Why: fmt.Sprintf("plugin %s reads no side inputs: it imports neither side_version nor side_read", p.Description.Name),
		Fix: "remove them, or take a plugin that does",
	}
}

// Hooks returns those of a pipeline that Build made the graph of.
func (b *Builder) Hooks() pipeline.Hooks {
	if b.Events.SideNotice == nil {
		return pipeline.Hooks{}
	}
	return pipeline.Hooks{SideTooLarge: func(v stream.VertexID, name string, bytes int) {
		b.Events.SideNotice(v, name, fmt.Sprintf("a record has %d bytes, more than maxBytes: it and others like it are dropped and counted; the last value stays", bytes))
	}}
}
