package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// graph checks what vertices and edges mean together.
type graph struct {
	*binder
	vertices []Vertex
	edges    []arc
	byName   map[stream.VertexID]int // the first of each name
	names    []string
}

// arc is an edge by the indices of its vertices, -1 for unknown ones.
type arc struct {
	from, to int
	tags     []string
	dead     bool // carries dead letters
	odd      bool // enters a source or leaves a sink
	side     string
}

// checkGraph reports everything that is wrong with the shape of a pipeline.
func checkGraph(b *binder, p *Pipeline) {
	g := &graph{binder: b, vertices: p.Vertices, byName: make(map[stream.VertexID]int)}
	for i, v := range p.Vertices {
		if first, ok := g.byName[v.Name]; ok {
			g.fault(vertexPath(i).key("name"), stream.GraphDuplicate, fmt.Sprintf("there are two vertices named %s", v.Name),
				fmt.Sprintf("rename one; the other is at %s", g.value(vertexPath(first).key("name"))))
		} else if v.Name != "" {
			g.byName[v.Name] = i
			g.names = append(g.names, string(v.Name))
		}
	}
	for i, e := range p.Edges {
		at := path("edges").index(i)
		g.edges = append(g.edges, arc{g.end(at.key("from"), e.From), g.end(at.key("to"), e.To), e.Tags(), e.DeadLetters(), false, e.Side})
		g.checkEdge(i)
		g.edgeKey(i, e)
	}
	g.joins()
	g.sideEdges(p.Edges)
	g.duplicates()
	g.cycles()
	g.reach()
	g.deadLetters()
}

func vertexPath(i int) path { return path("vertices").index(i) }

// end resolves one end of an edge. A name that is nearly one is reported, and
// then taken for it.
func (g *graph) end(p path, id stream.VertexID) int {
	if i, ok := g.byName[id]; ok {
		return i
	}
	if id == "" {
		return -1
	}
	near, ok := Nearest(string(id), g.names)
	g.fault(p, stream.GraphDangling, fmt.Sprintf("there is no vertex named %s", shorten(string(id))), didYouMean(near, ok, g.names))
	if ok {
		return g.byName[stream.VertexID(near)]
	}
	return -1
}

func (g *graph) checkEdge(i int) {
	e, at := &g.edges[i], path("edges").index(i)
	if e.from >= 0 && len(g.vertices[e.from].roles()) == 1 {
		switch v := g.vertices[e.from]; {
		case v.Sink != nil && !e.dead:
			e.odd = true
			g.fault(at.key("from"), stream.GraphShape, fmt.Sprintf("nothing but dead letters leaves %s, which is a sink", v.Name), "start the edge at another vertex, or add when: {deadLetters: true}")
		case v.Source != nil && e.tags != nil:
			g.fault(at.key("when"), stream.GraphShape, fmt.Sprintf("%s is a source, and sources give no tags", v.Name), "remove when, or put a udf in between")
		case v.Aggregate != nil, v.Join != nil:
			for j, tag := range e.tags {
				if tag != "" && tag != TagLate {
					g.fault(at.key("when").key("tags").index(j), stream.ConfigValue, fmt.Sprintf("%s is %s, which does not emit the tag %q", v.Name, article(v.Role()), shorten(tag)),
						"write when: {tags: [late]} for the records that come too late, or remove it for the results")
				}
			}
		}
	}
	if e.to >= 0 && g.vertices[e.to].Source != nil && len(g.vertices[e.to].roles()) == 1 {
		e.odd = true
		g.fault(at.key("to"), stream.GraphShape, fmt.Sprintf("nothing enters %s, which is a source", g.vertices[e.to].Name), "end the edge at another vertex")
	}
}

// duplicates reports edges that carry a record which an earlier one carries to
// the same vertex.
func (g *graph) duplicates() {
	type route struct {
		from, to int
		tag      string
		dead     bool
		side     string
	}
	first := make(map[route]int)
	for i, e := range g.edges {
		if e.from < 0 || e.to < 0 {
			continue
		}
		tags, what := e.tags, "untagged records"
		if tags == nil {
			tags = []string{""}
		}
		for _, tag := range tags {
			r := route{e.from, e.to, tag, e.dead, e.side}
			j, ok := first[r]
			if !ok || j == i {
				first[r] = i
				continue
			}
			if e.dead {
				what = "dead letters"
			} else if tag != "" {
				what = fmt.Sprintf("records tagged %q", shorten(tag))
			}
			g.fault(path("edges").index(i), stream.GraphDuplicateEdge,
				fmt.Sprintf("%s go from %s to %s twice", what, g.vertices[e.from].Name, g.vertices[e.to].Name),
				fmt.Sprintf("remove one; the other is at %s", g.value(path("edges").index(j))))
			break
		}
	}
}

// cycles reports cycles that share no vertex, by depth-first search in the
// order of the file.
func (g *graph) cycles() {
	out := make([][]int, len(g.vertices)) // edges by their start
	for i, e := range g.edges {
		if e.from >= 0 && e.to >= 0 && !e.odd {
			out[e.from] = append(out[e.from], i)
		}
	}
	const unseen, open, done = 0, 1, 2
	state := make([]int, len(g.vertices))
	reported := make([]bool, len(g.vertices))
	var trail []int
	var visit func(v int)
	visit = func(v int) {
		state[v] = open
		trail = append(trail, v)
		for _, i := range out[v] {
			switch to := g.edges[i].to; {
			case state[to] == unseen:
				visit(to)
			case state[to] == open && !reported[to] && !reported[v]:
				cycle := trail[slices.Index(trail, to):]
				for _, c := range cycle {
					reported[c] = true
				}
				g.cycle(i, cycle)
			}
		}
		state[v] = done
		trail = trail[:len(trail)-1]
	}
	for v := range g.vertices {
		if state[v] == unseen {
			visit(v)
		}
	}
}

// cycle reports vertices that are joined to a ring by an edge.
func (g *graph) cycle(edge int, ring []int) {
	names := make([]string, 0, len(ring)+1)
	for _, v := range ring {
		names = append(names, string(g.vertices[v].Name))
	}
	names = append(names, names[0])
	g.fault(path("edges").index(edge), stream.GraphCycle, "records would go round in a circle: "+strings.Join(names, " → "),
		"remove an edge of it; this one closes it")
}

// reach reports vertices that lack edges, and roles that the pipeline lacks.
func (g *graph) reach() {
	in, out := make([]int, len(g.vertices)), make([]int, len(g.vertices))
	for _, e := range g.edges {
		if e.from >= 0 && !e.dead {
			out[e.from]++
		}
		if e.to >= 0 && e.side == "" {
			in[e.to]++
		}
	}
	seen, unclear := make(map[string]bool), false
	for i, v := range g.vertices {
		roles := v.roles()
		unclear = unclear || len(roles) != 1
		for _, r := range roles {
			seen[r] = true
		}
		if len(roles) != 1 || v.Name == "" || g.byName[v.Name] != i || len(g.edges) == 0 {
			continue
		}
		if in[i] == 0 && v.Source == nil {
			g.fault(vertexPath(i), stream.GraphShape, fmt.Sprintf("nothing reaches %s", v.Name), fmt.Sprintf("add an edge {from: …, to: %s}, or remove the vertex", v.Name))
		}
		if out[i] == 0 && v.Sink == nil {
			g.fault(vertexPath(i), stream.GraphShape, fmt.Sprintf("nothing takes what leaves %s", v.Name), fmt.Sprintf("add an edge {from: %s, to: …}; a sink such as drop takes what is not needed", v.Name))
		}
	}
	for _, r := range []string{roleSource, roleSink} {
		if !seen[r] && !unclear {
			g.fault("vertices", stream.GraphShape, "the pipeline has no "+r, "add a vertex with a "+r)
		}
	}
	if _, isList := g.tree["edges"].([]any); len(g.edges) == 0 && len(g.vertices) > 1 && (isList || empty(g.tree["edges"])) {
		g.missing("", "edges", "join the vertices below edges:, as in - {from: a, to: b}")
	}
}

// deadLetters reports dead letters without an edge, and edges without any.
func (g *graph) deadLetters() {
	led := make(map[int]bool)
	for i, e := range g.edges {
		if !e.dead || e.from < 0 {
			continue
		}
		led[e.from] = true
		v, at := &g.vertices[e.from], path("edges").index(i).key("when").key("deadLetters")
		if v.OnError != OnErrorDeadLetter && !g.about(vertexPath(e.from).key("onError")) {
			g.fault(at, stream.GraphShape, fmt.Sprintf("%s makes no dead letters", v.Name), fmt.Sprintf("add onError: %s to %s, or remove the edge", OnErrorDeadLetter, v.Name))
		}
	}
	for i, v := range g.vertices {
		if v.OnError == OnErrorDeadLetter && v.Name != "" && g.byName[v.Name] == i && !led[i] {
			g.fault(vertexPath(i).key("onError"), stream.GraphShape, fmt.Sprintf("no edge takes the dead letters of %s", v.Name),
				fmt.Sprintf("add - {from: %s, to: …, when: {deadLetters: true}} to the edges; any sink can take them", v.Name))
		}
	}
}
