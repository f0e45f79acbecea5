package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Catalog maps the kinds of sources and sinks to functions that return a
// pointer to a new struct of settings, filled with its defaults. Its fields
// have koanf tags; they may be texts, Choices, numbers, truth values, Bytes,
// durations, types that implement encoding.TextUnmarshaler, any, and structs,
// pointers to structs, slices and maps with text keys of all of these. Slices
// and maps in a file replace the defaults, structs are merged.
type Catalog struct {
	Sources, Sinks map[string]func() any
}

// Validator is implemented by settings that check their values.
type Validator interface {
	// Validate calls report for everything that is wrong with a value. path is
	// relative to the settings, such as "rate", "nexmark.types" or "types[1]",
	// or "" for all of them.
	Validate(report func(path, why, fix string))
}

// Component is the source or the sink of a vertex: its kind, and its settings
// as the catalog made them. It is written {kind: settings}, or kind alone.
type Component struct {
	Kind     string
	Settings any
}

// component returns a hook that reads components of the catalog.
func (b *binder) component(c Catalog) hook {
	kinds := map[string]map[string]func() any{roleSource: c.Sources, roleSink: c.Sinks}
	return func(p path, in any, out reflect.Value) {
		role := p.last()
		kind, settings, ok := b.kind(p, role, in)
		if !ok {
			return
		}
		at := p.key(kind)
		if kind, ok = b.known(at, role, kind, slices.Sorted(maps.Keys(kinds[role]))); !ok {
			return
		}
		s := kinds[role][kind]()
		b.bind(at, settings, reflect.ValueOf(s))
		if v, ok := s.(Validator); ok {
			v.Validate(func(rel, why, fix string) { b.invalid(at, rel, why, fix) })
		}
		out.Set(reflect.ValueOf(Component{Kind: kind, Settings: s}))
	}
}

// known returns a kind, or if it is not among those known reports it and returns
// the one that it almost is.
func (b *binder) known(p path, role, kind string, known []string) (string, bool) {
	if slices.Contains(known, kind) {
		return kind, true
	}
	b.add(b.key(p), p, stream.ConfigValue, fmt.Sprintf("there is no %s of kind %q", role, shorten(kind)), Suggest(kind, known))
	return Nearest(kind, known)
}

// kind takes the kind and the raw settings out of a component at p.
func (b *binder) kind(p path, role string, in any) (kind string, settings any, ok bool) {
	switch in := in.(type) {
	case string:
		return in, nil, true
	case map[string]any:
		if len(in) == 1 {
			for kind, settings = range in {
			}
			return kind, settings, true
		}
		b.fault(p, stream.ConfigValue, fmt.Sprintf("%s has one kind, this has %d", article(role), len(in)),
			"indent the settings below the kind, as in {kind: {setting: value}}")
	default:
		b.mismatch(p, in, "the kind of "+article(role), "write "+role+": {kind: {setting: value}}")
	}
	return "", nil, false
}

// invalid reports what a Validator found, unless it saw the default of a value
// that is bad. What the tree does not have is missing, and reported where it
// should have been.
func (b *binder) invalid(settings path, rel, why, fix string) {
	p, code := settings, stream.ConfigValue
	if rel != "" {
		p += path("." + rel)
		if _, ok := b.values[p]; !ok {
			code = stream.ConfigMissing
		}
	}
	if !b.about(p) {
		b.fault(p, code, why, fix)
	}
}
