package config_test

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
)

// builder makes schemas from the structs of settings: package jsonschema by their koanf
// tags, and this what they are written as in another way than Go has them.
type builder struct {
	*jsonschema.Reflector
	catalog config.Catalog
	plain   reflect.Type // the next struct, though it is mapped, as its fields have it
}

const (
	home            = "github.com/wasmill/wasmill/host/config"
	namePattern     = "^[a-z][a-z0-9_-]{0,62}$"
	durationPattern = "^[-+]?(0|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"
	sizePattern     = "^\\s*[0-9]+\\s*(B|KB|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?\\s*$"
)

func newBuilder(c config.Catalog) (*builder, error) {
	b := &builder{catalog: c, Reflector: &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, FieldNameTag: "koanf", RequiredFromJSONSchemaTags: true,
		KeyNamer: func(name string) string { return strings.ToLower(name[:1]) + name[1:] },
	}}
	b.Mapper, b.LookupComment = b.mapped, b.comment
	for _, dir := range []string{".", "../connector"} {
		if err := b.AddGoComments(home, dir); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// comment is that of a field, or else of its type.
func (b *builder) comment(t reflect.Type, field string) string {
	at := t.PkgPath() + "." + t.Name()
	if t == config.CheckpointKeys {
		at = home + ".CheckpointSettings"
	}
	text := b.CommentMap[at]
	if field != "" {
		text = b.CommentMap[at+"."+field]
		if f, ok := t.FieldByName(field); ok && text == "" {
			text = b.CommentMap[f.Type.PkgPath()+"."+f.Type.Name()]
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// of is the schema of a type, which is part of another one.
func (b *builder) of(t reflect.Type) *jsonschema.Schema {
	s := b.ReflectFromType(t)
	s.Version = ""
	return s
}

// fields is the schema of a struct by its fields.
func (b *builder) fields(t reflect.Type, required ...string) *jsonschema.Schema {
	b.plain = t
	s := b.of(t)
	s.Required = required
	return s
}

// either is one of several schemas.
func either(of ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{AnyOf: of} }

func text(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern}
}

func word(w string) *jsonschema.Schema { return &jsonschema.Schema{Const: w} }

// words is one of several texts.
func words[T ~string](all []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range all {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

// oneOf asks for one key at least.
func oneOf(s *jsonschema.Schema, keys ...string) *jsonschema.Schema {
	for _, k := range keys {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Required: []string{k}})
	}
	return s
}

// kinds is a map with one key, the kind of something.
func kinds(settings map[string]*jsonschema.Schema) *jsonschema.Schema {
	one := uint64(1)
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema, MinProperties: &one, MaxProperties: &one}
	for _, kind := range slices.Sorted(maps.Keys(settings)) {
		s.Properties.Set(kind, settings[kind])
	}
	return s
}

// mapped is the schema of a type that is not written as Go has it; nil for others.
func (b *builder) mapped(t reflect.Type) *jsonschema.Schema {
	if t == b.plain {
		b.plain = nil
		return nil
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return text(durationPattern)
	case reflect.TypeFor[config.Concurrency]():
		return either(&jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "4096"}, word("auto"), b.fields(t))
	case reflect.TypeFor[config.Interval]():
		adaptive := b.fields(t, "adaptive")
		adaptive.Properties.Delete("fixed")
		return either(text(durationPattern), word("adaptive"), adaptive)
	case reflect.TypeFor[config.Storage]():
		return text("^(file|s3)://.")
	case reflect.TypeFor[config.Checkpoint]():
		return b.fields(config.CheckpointKeys, "storage")
	case reflect.TypeFor[config.State]():
		byKey := b.fields(t)
		byKey.Properties.Delete("memory")
		return either(word("memory"), byKey)
	case reflect.TypeFor[abi.Capability]():
		return words(abi.Capabilities())
	case reflect.TypeFor[config.Key](), reflect.TypeFor[config.EventTime]():
		return oneOf(b.fields(t), "json", "header", "key")
	case reflect.TypeFor[config.Window]():
		return oneOf(b.fields(t), "fixed", "sliding", "session", "global")
	case reflect.TypeFor[config.When]():
		return oneOf(b.fields(t), "tags", "deadLetters")
	case reflect.TypeFor[config.Sliding]():
		return b.fields(t, "size", "slide")
	case reflect.TypeFor[config.UDF]():
		return b.fields(t, "plugin")
	case reflect.TypeFor[config.Edge]():
		return b.fields(t, "from", "to")
	case reflect.TypeFor[config.Aggregate]():
		return b.aggregate(t)
	case reflect.TypeFor[config.Join]():
		of := b.fields(t, "left", "right")
		of.Properties.Delete("kind")
		return kinds(map[string]*jsonschema.Schema{config.JoinInner: of, config.JoinLeft: of})
	case reflect.TypeFor[config.Vertex]():
		return b.vertex(t)
	case reflect.TypeFor[[]config.TrustKey]():
		return either(&jsonschema.Schema{Type: "array", Items: either(text(""), b.fields(reflect.TypeFor[config.TrustKey](), "file"))}, text(""))
	}
	switch v := reflect.New(t).Interface().(type) {
	case config.Choice:
		return words(v.Choices())
	case *time.Time:
		return nil
	case encoding.TextUnmarshaler:
		if t.Kind() == reflect.Int64 { // a size
			return either(&jsonschema.Schema{Type: "integer", Minimum: "0"}, text(sizePattern))
		}
		return text("")
	}
	return nil
}

func (b *builder) aggregate(t reflect.Type) *jsonschema.Schema {
	all := make(map[string]*jsonschema.Schema)
	for _, kind := range config.Aggregates() {
		s := oneOf(b.fields(t), "json", "header", "value")
		s.Properties.Delete("kind")
		if kind != "topK" {
			s.Properties.Delete("k")
		}
		if kind == "count" {
			s = &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema}
		}
		all[kind] = s
	}
	return either(word("count"), kinds(all))
}

// vertex is one of its roles, and has the keys of that.
func (b *builder) vertex(t reflect.Type) *jsonschema.Schema {
	s := b.fields(t, "name")
	s.Properties.Set("source", b.component(b.catalog.Sources))
	s.Properties.Set("sink", b.component(b.catalog.Sinks))
	for _, role := range config.Roles() {
		is := &jsonschema.Schema{Required: []string{role}, Properties: jsonschema.NewProperties()}
		is.Properties.Set(role, &jsonschema.Schema{Not: &jsonschema.Schema{Type: "null"}})
		s.OneOf = append(s.OneOf, is)
		others := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
		keys := config.RoleKeys()
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !slices.Contains(keys[key], role) {
				others.Properties.Set(key, &jsonschema.Schema{Type: "null", Description: fmt.Sprintf("A %s has no %s.", role, key)})
			}
		}
		s.AllOf = append(s.AllOf, &jsonschema.Schema{If: is, Then: others})
	}
	return s
}

// component is the kind of a source or a sink with its settings, or alone if that needs
// none. Which it does is asked of the settings themselves.
func (b *builder) component(catalog map[string]func() any) *jsonschema.Schema {
	var alone []string
	settings := make(map[string]*jsonschema.Schema)
	for _, kind := range slices.Sorted(maps.Keys(catalog)) {
		defaults := catalog[kind]()
		var required []string
		if v, ok := defaults.(config.Validator); ok {
			v.Validate(func(path, _, _ string) { required = append(required, path) })
		}
		if required == nil {
			alone = append(alone, kind)
		}
		settings[kind] = b.fields(reflect.TypeOf(defaults).Elem(), required...)
	}
	return either(words(alone), kinds(settings))
}
