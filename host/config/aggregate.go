package config

import (
	"fmt"
	"reflect"

	"github.com/wasmill/wasmill/host/stream"
)

// Aggregate is what a vertex makes of the records of a key in a window: of their
// number, or of the value that one of JSON, Header and Value names. It is written
// {kind: {json: path}}, or count alone.
type Aggregate struct {
	Kind string

	JSON   string `koanf:"json"` // path into a JSON value
	Header string `koanf:"header"`
	Value  bool   `koanf:"value"` // the whole value of the record
	K      int    `koanf:"k"`     // how many topK keeps; 0 for others
}

const (
	aggregateCount = "count" // the one without a value
	aggregateTopK  = "topK"
	maxTopK        = 1000

	// TagLate is the tag of the records that an aggregate or join is given too
	// late. They give no other one.
	TagLate = "late"
)

// aggregates lists the kinds.
func aggregates() []string {
	return []string{aggregateCount, "sum", "avg", "min", "max", aggregateTopK, "distinct"}
}

// aggregate fills an Aggregate and checks it. What a path means is checked where
// it is used.
func (b *binder) aggregate(p path, in any, out reflect.Value) {
	a := out.Addr().Interface().(*Aggregate)
	kind, settings, ok := b.kind(p, roleAggregate, in)
	if !ok {
		return
	}
	at := p.key(kind)
	if a.Kind, ok = b.known(at, roleAggregate, kind, aggregates()); !ok {
		return
	}
	keys, isMap := settings.(map[string]any)
	if a.Kind == aggregateCount {
		if settings != nil && (!isMap || len(keys) > 0) {
			b.fault(at, stream.ConfigType, "count takes nothing: it counts the records", "write aggregate: count")
		}
		return
	}
	if a.Kind == aggregateTopK {
		a.K = 10
	}
	if settings != nil {
		b.fields(at, settings, out)
	}
	if b.about(at) {
		return
	}
	fix := fmt.Sprintf("write %s: {json: path}, {header: name} or {value: true}", a.Kind)
	b.one(at, "where the value is", fix, way{"json", a.JSON != ""}, way{"header", a.Header != ""}, way{"value", a.Value})
	switch {
	case a.Kind == aggregateTopK:
		within(b, at.key("k"), a.K, 1, maxTopK)
	case keys["k"] != nil:
		b.add(b.key(at.key("k")), at.key("k"), stream.ConfigUnknownKey, a.Kind+" has no k", "remove it, or take "+aggregateTopK)
	}
}

// Key says what the key of a record is: one of JSON, Header, and Key for its own.
type Key struct {
	JSON   string `koanf:"json"` // path into a JSON value
	Header string `koanf:"header"`
	Key    bool   `koanf:"key"`
}

// recordKey fills a Key and checks it.
func (b *binder) recordKey(p path, in any, out reflect.Value) {
	k := out.Addr().Interface().(*Key)
	*k = Key{}
	b.fields(p, in, out)
	if _, ok := in.(map[string]any); ok {
		b.one(p, "where the key is", "write one of json: path, header: name and key: true", way{"json", k.JSON != ""}, way{"header", k.Header != ""}, way{"key", k.Key})
	}
}

// way is one of several keys that exclude each other.
type way struct {
	key   string
	taken bool
}

// one reports a map at p in which not exactly one way is taken to say what it has
// to. A bad value counts.
func (b *binder) one(p path, what, fix string, ways ...way) {
	taken := 0
	for _, w := range ways {
		if w.taken || b.about(p.key(w.key)) {
			taken++
		}
	}
	switch {
	case taken == 0:
		b.fault(p, stream.ConfigMissing, "it is not said "+what, fix)
	case taken > 1:
		b.fault(p, stream.ConfigValue, fmt.Sprintf("it is said in %d ways %s", taken, what), fix)
	}
}

// State bounds what a vertex remembers. For a UDF it may also be the word memory.
type State struct {
	Memory bool // the state is the memory of its guests, and what is below means nothing

	MaxBytes Bytes `koanf:"maxBytes"` // of memory for all of it
	Groups   int   `koanf:"groups"`   // of keys; the records of one are handled one call at a time
}

// StateBytes returns the most bytes of state that may be kept for vertex i outside of
// guests, 0 for one that has none.
func (p *Pipeline) StateBytes(i int) Bytes {
	v := &p.Vertices[i]
	if v.Aggregate == nil && v.Join == nil && (v.UDF == nil || v.State.Memory || !p.Says(fmt.Sprintf("vertices[%d].key", i))) {
		return 0
	}
	return v.State.MaxBytes
}

const (
	maxState  = 64 * TiB
	maxGroups = 1 << 16
)

// aggregation checks what a vertex that aggregates needs.
func (b *binder) aggregation(p path, v *Vertex, keys map[string]any) {
	if v.Window == nil && keys["window"] == nil {
		b.missing(p, "window", "write window: {fixed: 1m}, {sliding: {size: 1m, slide: 10s}}, {session: 30s}, or {global: true} for one that lasts until the end of the stream")
	}
	b.remembering(p, v)
}

// keyed checks what a UDF has if its plugin has state. Whether it does, and so may have
// these or needs them, shows when it is loaded.
func (b *binder) keyed(p path, v *Vertex, keys map[string]any) {
	b.remembering(p, v)
	if at := p.key("order"); keys["key"] != nil && keys["order"] != nil && v.Order != OrderKey && !b.about(at) {
		b.fault(at, stream.ConfigValue, fmt.Sprintf("records and results of a key come in their order, and this asks for %s", v.Order), "remove it, or remove key if the plugin has no state")
	}
}

// remembering checks the bounds of what a vertex remembers.
func (b *binder) remembering(p path, v *Vertex) {
	within(b, p.key("state").key("maxBytes"), v.State.MaxBytes, 1, maxState)
	within(b, p.key("state").key("groups"), v.State.Groups, 1, maxGroups)
}
