package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// SideInput is a value that all instances of a UDF read under a name: the content of a
// file, or the value of the last record of the edges that name it.
type SideInput struct {
	File     string `koanf:"file"`     // empty = edges feed it
	MaxBytes Bytes  `koanf:"maxBytes"` // of a value
}

// sideInput fills a SideInput.
func (b *binder) sideInput(p path, in any, out reflect.Value) {
	s := out.Addr().Interface().(*SideInput)
	*s = SideInput{MaxBytes: MiB}
	b.fields(p, in, out)
	if keys, ok := in.(map[string]any); ok && keys["file"] == "" {
		b.fault(p.key("file"), stream.ConfigValue, "the path is empty", "write the path of a file, or {} for a value from an edge with side")
	}
	within(b, p.key("maxBytes"), s.MaxBytes, 1, maxBytes)
}

// sideInputs checks those of a vertex.
func (b *binder) sideInputs(p path, v *Vertex) {
	at := p.key("sideInputs")
	for _, name := range slices.Sorted(maps.Keys(v.SideInputs)) {
		if v.SideInputs[name] == (SideInput{}) && !b.about(at.key(name)) { // it is null
			v.SideInputs[name] = SideInput{MaxBytes: MiB}
		}
		if good := slug(name); good != name || name == "" {
			fix := "use small letters, digits, - and _, and start with a letter"
			if good != "" {
				fix = "write " + good
			}
			b.add(b.key(at.key(name)), at.key(name), stream.ConfigValue, fmt.Sprintf("%q is not a name of at most %d small letters, digits, - and _ that starts with a letter", shorten(name), maxName), fix)
		}
	}
	if len(v.SideInputs) > 0 && v.State.Memory {
		b.add(b.key(at), at, stream.ConfigValue, "with state: memory calls are made again after one that failed, and side inputs may have other values by then",
			"give them to a udf in a vertex of its own, before this one, which adds to the records what this one needs")
	}
}

// sideEdges reports edges that feed no side input, and side inputs that nothing feeds.
func (g *graph) sideEdges(edges []Edge) {
	fed := make(map[int]map[string]bool)
	for i, e := range edges {
		at, to := path("edges").index(i).key("side"), g.edges[i].to
		if e.Side == "" {
			if _, written := g.values[at]; written && !g.about(at) {
				g.fault(at, stream.ConfigValue, "the name of the side input is empty", "write the name of one, or remove it")
			}
			continue
		}
		g.sideEdge(i, e)
		if to < 0 || len(g.vertices[to].roles()) != 1 || g.vertices[to].Source != nil {
			continue
		}
		v := &g.vertices[to]
		s, ok := v.SideInputs[e.Side]
		switch names := slices.Sorted(maps.Keys(v.SideInputs)); {
		case v.UDF == nil:
			g.fault(at, stream.GraphShape, fmt.Sprintf("%s, to which the edge leads, is %s, and only a udf has side inputs", v.Name, article(v.Role())), "remove it, or lead the edge to a udf")
		case g.about(vertexPath(to).key("sideInputs")):
		case len(names) == 0:
			g.fault(at, stream.GraphDangling, fmt.Sprintf("%s has no side inputs", v.Name), fmt.Sprintf("add sideInputs: {%s: {}} to %s, or remove this", shorten(e.Side), v.Name))
		case !ok:
			g.fault(at, stream.GraphDangling, fmt.Sprintf("%s has no side input named %s", v.Name, shorten(e.Side)), Suggest(e.Side, names))
			if near, ok := Nearest(e.Side, names); ok {
				e.Side = near // and no other fault for that one
			}
		case s.File != "":
			g.fault(at, stream.GraphShape, fmt.Sprintf("the side input %s of %s is a file already", e.Side, v.Name), "remove file there, or the edge")
		}
		if fed[to] == nil {
			fed[to] = make(map[string]bool)
		}
		fed[to][e.Side] = true
	}
	for i := range g.vertices {
		v, at := &g.vertices[i], vertexPath(i).key("sideInputs")
		for _, name := range slices.Sorted(maps.Keys(v.SideInputs)) {
			if s := v.SideInputs[name]; v.UDF != nil && s.File == "" && !fed[i][name] && !g.about(at.key(name)) && !g.about(at.key(name).key("file")) {
				g.fault(at.key(name), stream.ConfigMissing, fmt.Sprintf("nothing feeds the side input %s", name),
					fmt.Sprintf("write %s: {file: path}, or add - {from: …, to: %s, side: %s} to the edges", name, v.Name, name))
			}
		}
	}
}

// sideEdge reports what an edge that feeds a side input cannot have.
func (g *graph) sideEdge(i int, e Edge) {
	at := path("edges").index(i)
	if e.Key != nil {
		g.fault(at.key("key"), stream.GraphShape, "what feeds a side input goes to all instances, so that a key means nothing", "remove it")
	}
	if e.DeadLetters() {
		g.fault(at.key("when").key("deadLetters"), stream.GraphShape, "records that failed are no value for a side input", "lead them to a sink, or remove side")
	}
}
