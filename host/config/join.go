package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Join pairs the records that come from two vertices and have the same key: those
// in the same window, or with Within those that lie no further apart. It is written
// {kind: {left: vertex, right: vertex}}.
type Join struct {
	Kind string

	Left   stream.VertexID `koanf:"left"`
	Right  stream.VertexID `koanf:"right"`
	Within time.Duration   `koanf:"within"` // between the event times of a pair; 0 = the window says
}

// The kinds of joins.
const (
	JoinInner = "inner" // pairs
	JoinLeft  = "left"  // and the left records that found no right one
)

// join fills a Join and checks it. What its vertices are is checked in the graph.
func (b *binder) join(p path, in any, out reflect.Value) {
	j := out.Addr().Interface().(*Join)
	kind, settings, ok := b.kind(p, roleJoin, in)
	if !ok {
		return
	}
	at := p.key(kind)
	if j.Kind, ok = b.known(at, roleJoin, kind, []string{JoinInner, JoinLeft}); !ok {
		return
	}
	if settings != nil {
		b.fields(at, settings, out)
	}
	keys, isMap := settings.(map[string]any)
	if settings != nil && !isMap {
		return
	}
	for _, side := range []struct {
		key string
		id  stream.VertexID
	}{{"left", j.Left}, {"right", j.Right}} {
		if side.id == "" && empty(keys[side.key]) {
			b.missing(at, side.key, "write "+side.key+": and the name of a vertex, from which an edge leads here")
		}
	}
	if keys["within"] != nil {
		b.span(at.key("within"), j.Within)
	}
}

// joining checks what a vertex that joins needs.
func (b *binder) joining(p path, v *Vertex, keys map[string]any) {
	b.remembering(p, v)
	within := v.Join.Within != 0 || b.about(p.key("join").key(v.Join.Kind).key("within"))
	at, w := p.key("window"), v.Window
	switch {
	case w == nil && keys["window"] != nil:
	case w == nil && within:
		v.Window = &Window{Global: true}
	case w == nil:
		if !b.about(p.key("join")) {
			b.missing(p, "window", "write window: {fixed: 1m}, {sliding: {size: 1m, slide: 10s}}, or {global: true} for all of the stream; or within: 10m in the join, for records at most so far apart")
		}
	case w.Session != 0:
		b.fault(at.key("session"), stream.ConfigValue, "a join has no sessions: their ends depend on records yet to come", "write within: 30s in the join, for records at most so far apart, or take fixed or sliding windows")
	case within && !w.Global:
		b.fault(at, stream.ConfigValue, "within already says which records meet", "remove window, or write {global: true, lateness: …} for records that come late, or remove within")
	}
	if w != nil && w.Every != (Every{}) {
		b.fault(at.key("every"), stream.ConfigValue, "the pairs of a join come at once, not every so often", "remove it")
	}
}

// joins reports joins whose sides are not the vertices whose edges lead in.
func (g *graph) joins() {
	for i := range g.vertices {
		v := &g.vertices[i]
		if v.Join == nil || v.Join.Kind == "" || len(v.roles()) != 1 {
			continue
		}
		at := vertexPath(i).key("join").key(v.Join.Kind)
		left, right := g.end(at.key("left"), v.Join.Left), g.end(at.key("right"), v.Join.Right)
		if left >= 0 && left == right {
			g.fault(at.key("right"), stream.GraphShape, fmt.Sprintf("left and right are both %s", g.vertices[left].Name), "name two vertices; records of one meet each other if half of them go through a vertex in between")
			continue
		}
		g.sides(i, at, left, right)
	}
}

// sides reports edges into a join that belong to neither side, and sides without.
func (g *graph) sides(i int, at path, left, right int) {
	name, led := g.vertices[i].Name, make(map[int]bool)
	for k, e := range g.edges {
		if e.to != i || e.from < 0 {
			continue
		}
		led[e.from] = true
		if left >= 0 && right >= 0 && e.from != left && e.from != right {
			g.fault(path("edges").index(k).key("from"), stream.GraphShape,
				fmt.Sprintf("%s leads into the join %s, and is neither its left nor its right", g.vertices[e.from].Name, name),
				fmt.Sprintf("start the edge at %s or %s, or name %s in %s", g.vertices[left].Name, g.vertices[right].Name, g.vertices[e.from].Name, at))
		}
	}
	for _, side := range []struct {
		key string
		i   int
	}{{"left", left}, {"right", right}} {
		if side.i >= 0 && !led[side.i] && len(g.edges) > 0 {
			from := g.vertices[side.i].Name
			g.fault(at.key(side.key), stream.GraphShape, fmt.Sprintf("no edge leads from %s to the join", from), fmt.Sprintf("add - {from: %s, to: %s} to the edges", from, name))
		}
	}
}

// edgeKey reports a key of an edge to a vertex that has none.
func (g *graph) edgeKey(i int, e Edge) {
	at, to := path("edges").index(i).key("key"), g.edges[i].to
	if e.Key == nil || e.Side != "" || to < 0 || len(g.vertices[to].roles()) != 1 {
		return
	}
	v := &g.vertices[to]
	if _, keyed := g.values[vertexPath(to).key("key")]; keyed && v.UDF != nil || v.Aggregate != nil || v.Join != nil {
		return
	}
	fix := "remove it: only aggregates, joins and udfs with state go by keys"
	if v.UDF != nil {
		fix = fmt.Sprintf("add key: to %s if its plugin has state, or remove this", v.Name)
	}
	g.fault(at, stream.GraphShape, fmt.Sprintf("%s, to which the edge leads, has no key to replace", v.Name), fix)
}
