package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Value is one value of a pipeline, or of the process. Some stand for all that are below them, such as
// a vertex, or the settings of a source of some kind.
type Value struct {
	// Path names it, with vertices and edges by name and not by index:
	// vertices[count].udf.params.factor, edges[in->count].key. No two values of a
	// pipeline have the same. Those below it begin with it, and come after it.
	Path string
	// Field is what it is a value of: vertices[].udf.params. The settings of a source or
	// sink are one field, and so are the params of a plugin.
	Field string
	// Vertex is the vertex that it belongs to; empty = none.
	Vertex stream.VertexID
	// Text shows it in one line of printable characters as it would be written, with a
	// mask for what may be a secret; empty = nobody has set it, and it has no default.
	Text string
	// Own is Text without what is below it: empty for one that is nothing but that, and
	// for a default that means nothing to its vertex.
	Own string

	exact string // Text without the mask; of one that stands for others what they depend on
	at    place
	said  bool // in some layer
}

// Same says whether two values of one path are the same, apart from those below.
func (v Value) Same(other Value) bool { return v.exact == other.exact }

// Default is the origin of a value that no layer has.
const Default = "default"

// Origin says where the value comes from: file:line:column, environment NAME, --set
// path=value, or Default.
func (v Value) Origin() string {
	if !v.said {
		return Default
	}
	return v.at.String()
}

// Before says whether a value of the same pipeline is written later, in another layer or in the
// same one. What nobody wrote is where its vertex is.
func (v Value) Before(other Value) bool {
	a, b := v.at, other.at
	return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col)) < 0
}

// Values lists all values of the pipeline, with those that have their default. The
// order of vertices and edges is that of the pipeline. Sets, such as the tags of an
// edge, are the same in any order.
func (p *Pipeline) Values() []Value {
	w := walker{places: p.places}
	w.fields(spot{}, reflect.ValueOf(p).Elem())
	return w.out
}

// Values lists all settings of the process, in the order of its fields. A secret is
// shown as the reference to it.
func (p *Process) Values() []Value {
	w := walker{places: p.places}
	w.fields(spot{}, reflect.ValueOf(p).Elem())
	return w.out
}

// Fields lists the fields that values can have, each once.
func Fields() []string {
	p := &Pipeline{}
	fill(reflect.ValueOf(p).Elem())
	var all []string
	for _, v := range p.Values() {
		if !slices.Contains(all, v.Field) {
			all = append(all, v.Field)
		}
	}
	return all
}

// fill makes all that may be nil, and one element of each list and map.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		el := reflect.New(v.Type().Elem()).Elem()
		fill(el)
		v.SetMapIndex(reflect.ValueOf("x"), el)
	}
}

// spot is where a walker is.
type spot struct {
	path   path // of Value.Path
	at     path // in the tree
	field  string
	whole  bool // all below is the same field
	secret bool // what is here may be one, by the name of something above
}

func (s spot) key(k string) spot {
	below := spot{path: s.path.key(k), at: s.at.key(k), field: strings.TrimPrefix(s.field+"."+k, "."), whole: s.whole, secret: s.secret || sensitive(k, "")}
	if s.whole {
		below.field = s.field
	}
	return below
}

// element is one of a map whose keys are names that people choose.
func (s spot) element(name string) spot {
	if s.whole {
		return s.key(name)
	}
	return spot{path: s.path.key(name), at: s.at.key(name), field: s.field + "[]", secret: s.secret}
}

// settings is where the values of something of a kind are.
func (s spot) settings(kind string) spot {
	s.whole = true
	return s.key(kind)
}
