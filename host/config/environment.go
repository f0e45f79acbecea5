package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

const (
	envPrefix = "WASMILL_"
	envConfig = "WASMILL_CONFIG" // names the process file, so it is not in it
	envHome   = "WASMILL_HOME"   // names the folder of instances, which hold settings
)

// field is one leaf of a struct of settings.
type field struct{ keys []string }

// variable is the environment variable of a field: WASMILL_PLUGINS_DIR.
func (f field) variable() string { return envPrefix + strings.ToUpper(strings.Join(f.keys, "_")) }

// processFields lists the leaves of Process.
func processFields() []field { return fieldsOf(reflect.TypeFor[Process]()) }

// fieldsOf lists the leaves of a struct type in the order of its fields.
func fieldsOf(t reflect.Type, above ...string) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		keys := append(above[:len(above):len(above)], f.Tag.Get("koanf"))
		if f.Type.Kind() == reflect.Struct {
			all = append(all, fieldsOf(f.Type, keys...)...)
		} else {
			all = append(all, field{keys})
		}
	}
	return all
}

// environment merges the variables of fields. An empty one counts as not set.
func (m *merged) environment(env []string, fields []field) {
	known, names := make(map[string]field), make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.variable()
		known[names[i]] = f
	}
	tree := make(map[string]any)
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if value == "" || name == envConfig || name == envHome || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		m.layer++
		at := place{layer: m.layer, name: "environment " + name, text: value, loose: true}
		f, ok := known[name]
		if !ok {
			m.add(at, "", stream.ConfigUnknownKey, fmt.Sprintf("no setting belongs to %s", name), Suggest(name, below(name, names)))
			continue
		}
		for _, k := range f.keys {
			at.root = at.root.key(k)
		}
		m.keys[at.root], m.values[at.root] = at, at
		tree[strings.Join(f.keys, separator)] = value
	}
	m.load(tree, separator)
}

// below returns the variables of what is inside of a setting, or all if that is none.
func below(name string, all []string) []string {
	var inside []string
	for _, n := range all {
		if strings.HasPrefix(n, name+"_") {
			inside = append(inside, n)
		}
	}
	if inside == nil {
		return all
	}
	return inside
}
