package durable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// Finding is what a restore makes of something that is not as the checkpoint has it.
type Finding struct {
	Vertex  stream.VertexID `json:"vertex"`
	What    string          `json:"what"`
	Dropped bool            `json:"dropped,omitempty"` // it is lost; otherwise it fits all the same
}

// fit is what of a checkpoint goes to a vertex.
type fit struct {
	meta     meta
	position bool // where its source stood
	state    bool // its tables
	commit   bool // what its sink has prepared
	ports    []int
}

// port says by which edge a record in flight comes now, given by which it came.
func (f *fit) port(from uint16) (uint16, bool) {
	switch {
	case from > stream.MaxPort:
		return from, f.state // of a transform with keys
	case int(from) < len(f.ports) && f.ports[from] >= 0:
		return uint16(f.ports[from]), true
	}
	return 0, false
}

// compare says what of a checkpoint goes to which vertex, and what does not fit.
// committed: its sinks have shown what they had prepared.
func compare(m *checkpoint.Manifest, committed bool, shapes map[stream.VertexID]Shape) (map[stream.VertexID]*fit, []Finding, error) {
	fits := make(map[stream.VertexID]*fit)
	var found []Finding
	for i := range m.Vertices {
		v := &m.Vertices[i]
		was, err := decodeMeta(v.Vertex, v.Meta)
		if err != nil {
			return nil, nil, err
		}
		c := comparison{vertex: v, was: was, committed: committed}
		c.run(shapes)
		found = append(found, c.found...)
		fits[v.Vertex] = &c.fit
	}
	for name := range shapes {
		if fits[name] == nil {
			found = append(found, Finding{name, "it is not in the checkpoint and starts with nothing", false})
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return strings.Compare(string(a.Vertex), string(b.Vertex)) })
	return fits, found, nil
}

// Fits says what of a checkpoint does not fit the pipeline as it is; what it does not
// name does. committed: its sinks have. Anyone may call it at any time.
func (r *Runner) Fits(m *checkpoint.Manifest, committed bool) ([]Finding, error) {
	r.mu.Lock()
	shapes := r.shapes
	r.mu.Unlock()
	_, found, err := compare(m, committed, shapes)
	return found, err
}

// Held says how many entries of state a checkpoint has of a vertex in all parts, of
// which later ones may replace earlier ones, with so many bytes, and how many records
// in flight.
func Held(v *checkpoint.VertexState) (entries int, bytes int64, inFlight int) {
	for _, p := range v.Parts {
		if p.Table == inputsTable {
			inFlight += p.Entries
		} else {
			entries, bytes = entries+p.Entries, bytes+p.Bytes
		}
	}
	return entries, bytes, inFlight
}

// comparison is compare for one vertex of a checkpoint.
type comparison struct {
	vertex    *checkpoint.VertexState
	committed bool
	was       meta
	fit       fit
	found     []Finding
}

func (c *comparison) run(shapes map[stream.VertexID]Shape) {
	was := c.was
	c.fit.meta = was
	is, there := shapes[c.vertex.Vertex]
	switch {
	case !there:
		c.lose("there is no such vertex any more", c.position(), c.state(), c.inFlight(), c.output())
		return
	case is.Role != was.Role:
		c.lose("it was "+thing(was.Role, was.Kind)+" and is "+thing(is.Role, is.Kind), c.position(), c.state(), c.inFlight(), c.output())
		return
	case is.Kind != was.Kind:
		c.lose("it was "+thing(was.Role, was.Kind)+" and is "+thing(is.Role, is.Kind), c.position(), c.output())
	default:
		c.fit.position, c.fit.commit = true, true
	}
	switch {
	case is.State != was.State:
		c.lose("its state was of "+or(was.State, "nothing")+" and would be of "+or(is.State, "nothing"), c.state())
	case was.Bound && is.Code != was.Code:
		c.lose("its state is the memory of another version of its plugin", c.state())
	default:
		c.fit.state = true
		if is.Code != was.Code && is.Kind == was.Kind {
			c.note(false, "its plugin "+is.Kind+" is another version")
		}
	}
	if is.Concurrency != was.Concurrency {
		c.note(false, fmt.Sprintf("its concurrency was %d and is %d", was.Concurrency, is.Concurrency))
	}
	c.edges(is.From)
}

func (c *comparison) note(dropped bool, what string) {
	c.found = append(c.found, Finding{c.vertex.Vertex, what, dropped})
}

// lose notes what of the vertex is lost for a reason; empty texts are nothing.
func (c *comparison) lose(why string, what ...string) {
	what = slices.DeleteFunc(what, func(text string) bool { return text == "" })
	if len(what) > 0 {
		why += ", which drops " + strings.Join(what, ", ")
	}
	c.note(len(what) > 0, why)
}

func (c *comparison) position() string {
	if len(c.was.Position) == 0 {
		return ""
	}
	return "where its source stood"
}

func (c *comparison) state() string {
	entries, bytes, _ := Held(c.vertex)
	if entries == 0 {
		return ""
	}
	return fmt.Sprintf("%d entries of state (%d bytes)", entries, bytes)
}

func (c *comparison) inFlight() string {
	if c.was.InFlight == 0 {
		return ""
	}
	return fmt.Sprintf("%d records in flight", c.was.InFlight)
}

func (c *comparison) output() string {
	if len(c.vertex.Commit) == 0 || c.committed {
		return ""
	}
	return "output that is not committed yet"
}

// edges finds by which port what came from a vertex comes now. The n-th edge from a
// vertex stays the n-th.
func (c *comparison) edges(is []stream.VertexID) {
	taken := make([]bool, len(is))
	for _, from := range c.was.From {
		port := -1
		for i, other := range is {
			if other == from && !taken[i] {
				port, taken[i] = i, true
				break
			}
		}
		if port < 0 && c.was.InFlight > 0 {
			c.note(true, fmt.Sprintf("there is no edge from %s any more, which drops what came by it of %d records in flight", from, c.was.InFlight))
		}
		c.fit.ports = append(c.fit.ports, port)
	}
}

func thing(role, kind string) string { return strings.TrimSpace(role + " " + kind) }

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// refuse is the error of a restore that would drop something; nil if none does.
func refuse(pipeline string, e stream.Epoch, found []Finding) error {
	var lost []string
	for _, f := range found {
		if f.Dropped {
			lost = append(lost, fmt.Sprintf("%s: %s", f.Vertex, f.What))
		}
	}
	if lost == nil {
		return nil
	}
	return &stream.Error{
		Code: stream.CheckpointUnfit, Where: pipeline,
		Why: fmt.Sprintf("not all of checkpoint %d fits the pipeline: %s", e, strings.Join(lost, "; ")),
		Fix: "bring back what it was taken with, allow for the loss with --allow-dropped-state, or begin anew with --fresh",
	}
}
