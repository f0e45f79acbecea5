package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Pipeline is what a pipeline file says: a DAG from sources to sinks.
type Pipeline struct {
	Name        string   `koanf:"name"`
	Description string   `koanf:"description"`
	Vertices    []Vertex `koanf:"vertices"`
	Edges       []Edge   `koanf:"edges"`

	Checkpoint *Checkpoint `koanf:"checkpoint"` // nil = there are none

	// May change while the pipeline runs, and take effect at once.
	Phase      Phase         `koanf:"phase"`      // what it is to do
	PauseGrace time.Duration `koanf:"pauseGrace"` // after this a pause is one, also if what was read is not through

	places places
}

// Edge carries records from one vertex to another: the untagged ones, or with
// a condition those it names.
type Edge struct {
	From stream.VertexID `koanf:"from"`
	To   stream.VertexID `koanf:"to"`
	Key  *Key            `koanf:"key"` // of the records that come by it, instead of that of To; nil = that
	When *When           `koanf:"when"`
	Side string          `koanf:"side"` // the side input of To that its records feed; empty = they are To's records
}

// When is the condition of an edge: either records with one of the tags, at
// least one and all different, or those that the vertex could not handle.
type When struct {
	Tags        []string `koanf:"tags"`
	DeadLetters bool     `koanf:"deadLetters"`
}

// Tags returns the tags of the edge's condition, none without a condition.
func (e Edge) Tags() []string {
	if e.When == nil {
		return nil
	}
	return e.When.Tags
}

// DeadLetters says whether the edge carries the dead letters of its start.
func (e Edge) DeadLetters() bool { return e.When != nil && e.When.DeadLetters }

// LoadPipeline makes a pipeline. The environment is not looked at. Its error
// joins every fault.
func LoadPipeline(l Layers, c Catalog) (*Pipeline, error) {
	m := merge(l, nil)
	b := &binder{merged: m}
	b.hooks = map[reflect.Type]hook{
		reflect.TypeFor[Component]():      b.component(c),
		reflect.TypeFor[Vertex]():         b.vertex,
		reflect.TypeFor[UDF]():            b.udf,
		reflect.TypeFor[Edge]():           b.edge,
		reflect.TypeFor[Concurrency]():    b.concurrency,
		reflect.TypeFor[Scale]():          b.scale,
		reflect.TypeFor[EventTime]():      b.eventTime,
		reflect.TypeFor[Aggregate]():      b.aggregate,
		reflect.TypeFor[Join]():           b.join,
		reflect.TypeFor[Key]():            b.recordKey,
		reflect.TypeFor[State]():          b.state,
		reflect.TypeFor[Window]():         b.window,
		reflect.TypeFor[Sliding]():        b.sliding,
		reflect.TypeFor[SideInput]():      b.sideInput,
		reflect.TypeFor[Checkpoint]():     b.checkpoint,
		reflect.TypeFor[Interval]():       b.interval,
		reflect.TypeFor[Adaptive]():       b.adaptive,
		reflect.TypeFor[abi.Capability](): b.capability,
	}
	p := &Pipeline{Phase: PhaseRunning, PauseGrace: defaultPauseGrace, places: m.places}
	if !m.broken {
		b.bind("", m.tree, reflect.ValueOf(p))
		b.pipeline(p)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Where names the place of a value such as "vertices[1].udf.plugin", for
// messages about what is only found later.
func (p *Pipeline) Where(value string) string {
	return p.places.value(path(value)).where(path(value))
}

// Says reports whether some layer has a value such as "vertices[1].key", rather than
// none or a default alone.
func (p *Pipeline) Says(value string) bool { return p.places.says(path(value)) }

func (b *binder) pipeline(p *Pipeline) {
	b.name("", p.Name, b.tree)
	b.phase(p)
	switch _, isList := b.tree["vertices"].([]any); {
	case len(p.Vertices) > 0:
		checkGraph(b, p)
	case isList || empty(b.tree["vertices"]):
		b.missing("", "vertices", "list at least a source and a sink below vertices:")
	}
}

// edge fills an edge and checks its condition.
func (b *binder) edge(p path, in any, out reflect.Value) {
	b.fields(p, in, out)
	e := out.Interface().(Edge)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	for _, end := range []struct {
		key string
		id  stream.VertexID
	}{{"from", e.From}, {"to", e.To}} {
		if end.id == "" && empty(keys[end.key]) {
			b.missing(p, end.key, "write "+end.key+": and the name of a vertex")
		}
	}
	if e.When == nil {
		return
	}
	at := p.key("when").key("tags")
	switch {
	case e.When.DeadLetters && e.When.Tags != nil:
		b.fault(p.key("when"), stream.ConfigValue, "dead letters have no tags", "write when: {deadLetters: true}, and another edge for the tags")
	case len(e.When.Tags) == 0 && !e.When.DeadLetters && !b.about(p.key("when").key("deadLetters")):
		b.fault(at, stream.ConfigMissing, "the condition names no tag", "write when: {tags: [name]} or {deadLetters: true}, or remove it for untagged records")
	}
	seen := make(map[string]bool)
	for i, tag := range e.When.Tags {
		switch {
		case tag == "":
			b.fault(at.index(i), stream.ConfigValue, "a tag has a name", "remove the empty tag; edges without a condition take untagged records")
		case len(tag) > maxTag:
			b.fault(at.index(i), stream.ConfigValue, fmt.Sprintf("a tag has at most %d bytes", maxTag), "use a shorter one")
		case seen[tag]:
			b.fault(at.index(i), stream.ConfigValue, fmt.Sprintf("the tag %q is there twice", tag), "remove one")
		}
		seen[tag] = true
	}
}

const maxTag = 255 // bytes; ABI.md §4
