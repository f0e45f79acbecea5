package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// walker lists the values of settings, by the types of their structs.
type walker struct {
	places places
	vertex *Vertex // where it is; nil = outside of them
	out    []Value
}

// add notes a value. With an empty text it is one that is not set.
func (w *walker) add(s spot, exact, text string) {
	if text != "" && (s.secret || sensitive("", text)) {
		text = mask
	}
	v := Value{Path: string(s.path), Field: s.field, Text: text, Own: text, exact: exact, at: w.places.value(s.at), said: w.places.says(s.at)}
	if w.vertex != nil {
		v.Vertex = w.vertex.Name
	}
	w.out = append(w.out, v)
}

// scalar notes a value that is shown as a text. A zero that nobody wrote is not set.
func (w *walker) scalar(s spot, v reflect.Value, text string) {
	if v.IsZero() && !w.places.says(s.at) {
		w.add(s, text, "")
		return
	}
	w.add(s, text, text)
}

// group notes a value that stands for those that below notes. Its text is a name, if
// that is not empty, and what of the others is written.
func (w *walker) group(s spot, exact, name string, settings spot, below func()) {
	first := len(w.out)
	w.add(s, exact, "")
	below()
	var said []string
	last := "\x00" // the latest group
	for _, v := range w.out[first+1:] {
		if inside := strings.HasPrefix(v.Path, last+".") || strings.HasPrefix(v.Path, last+"["); inside || !v.said || v.Text == "" {
			continue
		}
		last = v.Path
		said = append(said, strings.TrimPrefix(strings.TrimPrefix(v.Path, string(settings.path)), ".")+": "+v.Text)
	}
	w.out[first].Own = name
	if said != nil || name == "" {
		name = strings.TrimPrefix(name+" {"+strings.Join(said, ", ")+"}", " ")
	}
	w.out[first].Text = name
}

// fields walks the fields of a struct by their keys, but for those that are handled
// elsewhere.
func (w *walker) fields(s spot, v reflect.Value, elsewhere ...string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || slices.Contains(elsewhere, f.Name) {
			continue
		}
		key := f.Tag.Get("koanf")
		if key == "" {
			panic(fmt.Sprintf("BUG: config: %s.%s has no key", v.Type(), f.Name))
		}
		w.value(s.key(key), v.Field(i))
	}
}

func (w *walker) value(s spot, v reflect.Value) {
	switch x := v.Interface().(type) {
	case []Vertex:
		w.vertices(x)
		return
	case []Edge:
		w.edges(x)
		return
	case Component:
		w.component(s, x)
		return
	case Aggregate:
		w.kind(s, x.Kind, v)
		return
	case Join:
		w.kind(s, x.Kind, v)
		return
	case UDF:
		w.fields(s, v)
		return
	case Key:
		w.recordKey(s, x)
		return
	case State:
		w.state(s, x, v)
		return
	case Concurrency:
		if w.vertex == nil || w.vertex.UDF == nil || !w.vertex.State.Memory { // or it follows from partitions
			w.scalar(s, v, writtenConcurrency(x))
		}
		return
	case Checkpoint:
		w.checkpoint(s, x)
		return
	case Interval:
		w.scalar(s, v, writtenInterval(x))
		return
	case SecretRef:
		w.reference(s, x)
		return
	case Token:
		s.secret = false // it says where the token is
		w.fields(s, v)
		return
	case []TrustKey:
		w.trustKeys(s, x)
		return
	case map[string]any:
		s.whole = true
		w.params(s, x)
		return
	case time.Duration:
		w.scalar(s, v, writtenDuration(x))
		return
	}
	if reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		w.scalar(s, v, written(v))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		w.pointer(s, v)
	case reflect.Struct:
		w.fields(s, v)
	case reflect.Map:
		for _, name := range slices.Sorted(maps.Keys(stringKeys(v))) {
			el := s.element(name)
			w.optional(el, v.MapIndex(reflect.ValueOf(name).Convert(v.Type().Key())))
		}
	case reflect.Slice:
		w.scalar(s, v, writtenList(v, slices.Contains(sets, s.field)))
	default:
		s.secret = s.secret || hides(v.Interface())
		w.scalar(s, v, written(v))
	}
}

// sets are the lists in which the order means nothing.
var sets = []string{"vertices[].udf.grant", "vertices[].udf.http.allow", "edges[].when.tags"}

// pointer walks what may be left out. What only has one of several forms notes itself.
func (w *walker) pointer(s spot, v reflect.Value) {
	if v.IsNil() {
		return
	}
	switch v.Interface().(type) {
	case *Component, *UDF, *Aggregate, *Join, *Key, *Checkpoint:
		w.value(s, v.Elem())
	default:
		w.optional(s, v.Elem())
	}
}

// optional walks a value that there need not be.
func (w *walker) optional(s spot, v reflect.Value) {
	if v.Kind() == reflect.Struct {
		w.group(s, "", "", s, func() { w.value(s, v) })
	} else {
		w.value(s, v)
	}
}

func (w *walker) vertices(all []Vertex) {
	for i := range all {
		v := &all[i]
		w.vertex = v
		s := spot{path: path("vertices[" + string(v.Name) + "]"), at: vertexPath(i), field: "vertices[]"}
		w.add(s, v.Role(), writtenVertex(v))
		first := len(w.out)
		w.fields(s, reflect.ValueOf(v).Elem(), "Name")
		w.idle(s, w.out[first:])
	}
	w.vertex = nil
}

// idle takes their own texts from values of a vertex that nobody wrote and that mean
// nothing to it.
func (w *walker) idle(s spot, values []Value) {
	for _, k := range roleKeys() {
		if slices.Contains(k.roles, w.vertex.Role()) && (k.key != "partitions" || w.vertex.State.Memory) {
			continue
		}
		at := string(s.path.key(k.key))
		for i := range values {
			if v := &values[i]; !v.said && (v.Path == at || strings.HasPrefix(v.Path, at+".")) {
				v.Own = ""
			}
		}
	}
}

// edges walks edges. Of several that only differ in their tags all but the first have
// a number, in the order of the tags.
func (w *walker) edges(all []Edge) {
	named := make(map[string][]int)
	var order []string
	for i, e := range all {
		name := string(e.From) + "->" + string(e.To)
		if e.DeadLetters() {
			name += " dead letters"
		}
		if e.Side != "" {
			name += " side " + e.Side
		}
		if named[name] == nil {
			order = append(order, name)
		}
		named[name] = append(named[name], i)
	}
	for _, name := range order {
		same := named[name]
		slices.SortStableFunc(same, func(i, k int) int { return strings.Compare(tagsOf(all[i]), tagsOf(all[k])) })
		for n, i := range same {
			title := name
			if n > 0 {
				title = fmt.Sprintf("%s #%d", name, n+1)
			}
			s := spot{path: path("edges[" + title + "]"), at: path("edges").index(i), field: "edges[]"}
			w.add(s, "", writtenEdge(all[i]))
			w.fields(s, reflect.ValueOf(&all[i]).Elem(), "From", "To", "Side")
		}
	}
}

// component walks the settings of a source or sink.
func (w *walker) component(s spot, c Component) {
	below := s.settings(c.Kind)
	w.group(s, c.Kind, c.Kind, below, func() {
		if v := reflect.ValueOf(c.Settings); v.Kind() == reflect.Pointer && !v.IsNil() {
			w.value(below, v.Elem())
		}
	})
}

// kind walks an aggregate or a join.
func (w *walker) kind(s spot, kind string, v reflect.Value) {
	below := s.settings(kind)
	w.group(s, kind, kind, below, func() { w.fields(below, v, "Kind") })
}

// recordKey notes where a key is. A udf that says nothing of it has none.
func (w *walker) recordKey(s spot, k Key) {
	if w.vertex != nil && w.vertex.UDF != nil && !w.places.says(s.at) {
		w.add(s, "", "")
		return
	}
	text := writtenKey(k)
	w.add(s, text, text)
}

func (w *walker) state(s spot, x State, v reflect.Value) {
	if x.Memory {
		w.add(s, stateMemory, stateMemory)
	} else {
		w.add(s, "", "")
	}
	w.fields(s, v, "Memory")
}

// checkpoint walks a Checkpoint by the keys it is written with.
func (w *walker) checkpoint(s spot, c Checkpoint) {
	keys := reflect.New(reflect.TypeFor[checkpointKeys]()).Elem()
	for i := range keys.NumField() {
		name := keys.Type().Field(i).Name
		from := reflect.ValueOf(c.Live).FieldByName(name)
		if !from.IsValid() {
			from = reflect.ValueOf(c).FieldByName(name)
		}
		keys.Field(i).Set(from)
	}
	w.group(s, "", "", s, func() { w.fields(s, keys) })
}

// reference notes where a secret is. The name of a variable that may be the secret is
// not shown.
func (w *walker) reference(s spot, r SecretRef) {
	s.secret = false
	switch {
	case r.Env != "":
		s.at = s.at.key("env")
		text := "{env: " + word(r.variable(mask)) + "}"
		w.add(s, "{env: "+r.Env+"}", text)
	case r.File != "":
		s.at = s.at.key("file")
		text := "{file: " + word(r.File) + "}"
		w.add(s, text, text)
	default:
		w.add(s, "", "")
	}
}

// trustKeys notes public keys, which are no secrets, as they are written.
func (w *walker) trustKeys(s spot, all []TrustKey) {
	texts := make([]string, len(all))
	for i, k := range all {
		if texts[i] = word(k.key); k.File != "" {
			texts[i] = "{file: " + word(k.File) + "}"
		}
	}
	w.scalar(s, reflect.ValueOf(all), "["+strings.Join(texts, ", ")+"]")
}

// params walks JSON values: maps by key, all others as one.
func (w *walker) params(s spot, m map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		below := s.key(k)
		if inner, ok := m[k].(map[string]any); ok {
			w.group(below, "a map", "", below, func() { w.params(below, inner) }) // which no JSON looks like
			continue
		}
		below.secret = below.secret || hides(m[k])
		text := writtenJSON(m[k])
		w.add(below, text, text)
	}
}

// hides says whether a JSON value has something in it that may be a secret by its name.
func hides(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if sensitive(k, "") || hides(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hides)
	}
	return false
}

func stringKeys(m reflect.Value) map[string]bool {
	keys := make(map[string]bool, m.Len())
	for _, k := range m.MapKeys() {
		keys[k.String()] = true
	}
	return keys
}

// tagsOf is the condition of an edge; the same for the same tags.
func tagsOf(e Edge) string {
	return strings.Join(slices.Sorted(slices.Values(e.Tags())), "\x00")
}
