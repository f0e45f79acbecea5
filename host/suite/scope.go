package suite

import (
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// scope is the part of a pipeline that a test is about.
type scope struct {
	inside  map[stream.VertexID]bool
	last    stream.VertexID   // whose results are expected as one list; empty = they go by receiver
	entries []stream.VertexID // sources inside, and vertices before: where records come from
	exits   []stream.VertexID // sinks inside, and vertices behind: where records go to
}

// scopeOf returns the part that test i is about. Its error says what does not fit the
// pipeline.
func scopeOf(c *config.Pipeline, tests *config.Tests, i int) (*scope, error) {
	t := &tests.Tests[i]
	at := fmt.Sprintf("tests[%d].", i)
	from, to := t.From, t.To
	if t.Vertex != "" {
		from, to = t.Vertex, t.Vertex
	}
	for _, end := range []struct {
		key  string
		name stream.VertexID
	}{{"vertex", t.Vertex}, {"from", t.From}, {"to", t.To}} {
		if end.name != "" && vertexOf(c, end.name) == nil {
			return nil, unknown(tests, at+end.key, "vertex", end.name, names(c))
		}
	}
	s := &scope{inside: make(map[stream.VertexID]bool)}
	behind, before := reached(c, from, false), reached(c, to, true)
	for _, v := range c.Vertices {
		s.inside[v.Name] = behind[v.Name] && before[v.Name]
	}
	if from != "" && to != "" && !s.inside[to] {
		return nil, &stream.Error{Code: stream.GraphShape, Where: tests.Where(at + "to"), Why: fmt.Sprintf("nothing goes from %s to %s", from, to), Fix: "exchange them, or name others"}
	}
	if v := vertexOf(c, to); v != nil && v.Sink == nil && t.Expect.By == nil {
		s.last = to
	}
	for _, v := range c.Vertices {
		switch {
		case s.inside[v.Name] && v.Source != nil, !s.inside[v.Name] && s.sends(c, v.Name, true):
			s.entries = append(s.entries, v.Name)
		case s.inside[v.Name] && v.Sink != nil, !s.inside[v.Name] && s.sends(c, v.Name, false):
			s.exits = append(s.exits, v.Name)
		}
	}
	return s, nil
}

// sends says whether an edge goes from a vertex outside to one inside, or back. What
// leaves the last vertex is no matter of those behind.
func (s *scope) sends(c *config.Pipeline, outside stream.VertexID, in bool) bool {
	return slices.ContainsFunc(c.Edges, func(e config.Edge) bool {
		if in {
			return e.From == outside && s.inside[e.To]
		}
		return e.To == outside && s.inside[e.From] && (s.last == "" || e.From != s.last)
	})
}

// reached returns what records of a vertex can come to, itself too; back = what they can
// come from. Of no vertex it is all.
func reached(c *config.Pipeline, from stream.VertexID, back bool) map[stream.VertexID]bool {
	all := make(map[stream.VertexID]bool)
	var visit func(stream.VertexID)
	visit = func(v stream.VertexID) {
		if all[v] {
			return
		}
		all[v] = true
		for _, e := range c.Edges {
			switch {
			case !back && e.From == v:
				visit(e.To)
			case back && e.To == v:
				visit(e.From)
			}
		}
	}
	if from != "" {
		visit(from)
		return all
	}
	for _, v := range c.Vertices {
		all[v.Name] = true
	}
	return all
}

// edges returns those of the part: inside, from where records come and to where they go,
// in the order of the pipeline, and behind them those that lead to results.
func (s *scope) edges(all []pipeline.Edge, results []outlet) (kept []pipeline.Edge) {
	for _, e := range all {
		switch {
		case s.inside[e.To]:
			kept = append(kept, e)
		case s.inside[e.From] && (s.last == "" || e.From != s.last):
			e.Side, e.SideBytes = "", 0
			kept = append(kept, e)
		}
	}
	for _, o := range results {
		e := pipeline.Edge{From: s.last, To: resultsName, DeadLetters: o.dead}
		if o.tag != "" {
			e.Tags = []string{o.tag}
		}
		kept = append(kept, e)
	}
	return kept
}

// outlet is what leaves the last vertex with one tag, or none, or as a dead letter.
type outlet struct {
	tag  string
	dead bool
}

// resultsName is the vertex where what leaves the last one is collected. It is no name
// that a vertex can have.
const resultsName = "(results)"

// results lists the outlets of the last vertex: one for each tag that an edge asks for.
func (s *scope) results(c *config.Pipeline) []outlet {
	if s.last == "" {
		return nil
	}
	all := []outlet{{}}
	for _, e := range c.Edges {
		if e.From != s.last {
			continue
		}
		if o := (outlet{dead: true}); e.DeadLetters() && !slices.Contains(all, o) {
			all = append(all, o)
		}
		for _, tag := range e.Tags() {
			if o := (outlet{tag: tag}); !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	}
	return all
}

// tags lists what a vertex before the part gives to records that come in, by which it is
// told where they go: tags, or as the empty one none.
func (s *scope) tags(c *config.Pipeline, before stream.VertexID) (tags []string, dead bool) {
	for _, e := range c.Edges {
		switch {
		case e.From != before || !s.inside[e.To]:
		case e.DeadLetters():
			dead = true
		case e.When == nil && !slices.Contains(tags, ""):
			tags = append(tags, "")
		default:
			for _, tag := range e.Tags() {
				if !slices.Contains(tags, tag) {
					tags = append(tags, tag)
				}
			}
		}
	}
	return tags, dead
}

func vertexOf(c *config.Pipeline, name stream.VertexID) *config.Vertex {
	if i := slices.IndexFunc(c.Vertices, func(v config.Vertex) bool { return v.Name == name }); i >= 0 {
		return &c.Vertices[i]
	}
	return nil
}

func names(c *config.Pipeline) (all []stream.VertexID) {
	for _, v := range c.Vertices {
		all = append(all, v.Name)
	}
	return all
}

// unknown is the error of a name that the pipeline does not have.
func unknown(tests *config.Tests, at, what string, name stream.VertexID, among []stream.VertexID) error {
	var words []string
	for _, n := range among {
		words = append(words, string(n))
	}
	return &stream.Error{Code: stream.GraphDangling, Where: tests.Where(at), Why: fmt.Sprintf("there is no %s named %.40s", what, name), Fix: config.Suggest(string(name), words)}
}
