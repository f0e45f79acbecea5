package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Plan is what leads from one config of a pipeline to another.
type Plan struct {
	Steps []Step // by class, the highest first, and then as the new config has them
}

// Step is one value that differs. What is below it is not listed: of a vertex that is
// new, or of a source of another kind, there is one step.
type Step struct {
	Path  string // see config.Value
	Class Class
	Old   string // short, in one line, secrets masked; empty = it was not set
	New   string // as Old; empty = it is not set any more

	Vertex stream.VertexID // that it is of; empty = none
}

// Of compares two configs.
func Of(old, new *config.Pipeline) Plan {
	d := diff{was: index(old), is: index(new), memory: memories(old, new)}
	for _, v := range new.Values() {
		d.step(v.Path)
	}
	for _, v := range old.Values() {
		if _, ok := d.is[v.Path]; !ok {
			d.step(v.Path)
		}
	}
	slices.SortStableFunc(d.found, d.compare)
	return Plan{d.found}
}

// Class is the highest of the steps; None without any.
func (p Plan) Class() Class {
	c := None
	for _, s := range p.Steps {
		c = max(c, s.Class)
	}
	return c
}

// Vertices lists those that are swapped in place, in the order of the steps. A plan of
// a higher class has them too, and does not swap them one by one.
func (p Plan) Vertices() []stream.VertexID {
	var all []stream.VertexID
	for _, s := range p.Steps {
		if s.Class == Vertex && !slices.Contains(all, s.Vertex) {
			all = append(all, s.Vertex)
		}
	}
	return all
}

// diff collects the steps.
type diff struct {
	was, is map[string]config.Value
	memory  map[stream.VertexID]bool
	found   []Step
	whole   []string // paths of steps
}

func index(p *config.Pipeline) map[string]config.Value {
	all := make(map[string]config.Value)
	for _, v := range p.Values() {
		all[v.Path] = v
	}
	return all
}

// memories returns the vertices whose state is the memory of their guests, before or after.
func memories(all ...*config.Pipeline) map[stream.VertexID]bool {
	m := make(map[stream.VertexID]bool)
	for _, p := range all {
		for i := range p.Vertices {
			if v := &p.Vertices[i]; v.State.Memory {
				m[v.Name] = true
			}
		}
	}
	return m
}

// step adds one if the values at a path differ, and no step stands for them.
func (d *diff) step(path string) {
	old, was := d.was[path]
	new, is := d.is[path]
	if was && is && old.Same(new) || slices.ContainsFunc(d.whole, func(w string) bool { return below(path, w) }) {
		return
	}
	v := new
	if !is {
		v = old
	}
	s := Step{Path: path, Class: classOf(v.Field), Vertex: v.Vertex}
	if s.Class == Vertex && d.memory[s.Vertex] {
		s.Class = Graph // swapped in place, it would forget
	}
	s.Old, s.New = shorten(old.Text, new.Text)
	d.found = append(d.found, s)
	d.whole = append(d.whole, path)
}

// below says whether a path leads to something in what another one leads to.
func below(path, whole string) bool {
	rest, ok := strings.CutPrefix(path, whole)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// compare orders steps. What is gone is where it was missing: at what held it, or at the
// end if that is gone too.
func (d *diff) compare(a, b Step) int {
	if a.Class != b.Class {
		return cmp.Compare(b.Class, a.Class)
	}
	x, inX := d.place(a.Path)
	y, inY := d.place(b.Path)
	switch {
	case inX != inY && inX:
		return -1
	case inX != inY:
		return 1
	case x.Before(y):
		return -1
	case y.Before(x):
		return 1
	}
	return 0
}

// place returns the value of the new config that is at a path, or that holds it.
func (d *diff) place(path string) (config.Value, bool) {
	for path != "" {
		if v, ok := d.is[path]; ok {
			return v, true
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return config.Value{}, false
}
