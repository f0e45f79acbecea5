package config

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Input is a record that a test gives to a pipeline, or several, or only time that goes
// on. Exactly one of Value, JSON, Base64, File and Watermark is set. As a text alone it
// is a Value.
type Input struct {
	Source stream.VertexID `koanf:"source"` // that it comes from; of a part of a pipeline the vertex before it; empty = there is only one
	Tag    string          `koanf:"tag"`    // that the vertex before gave to it

	Value     *string           `koanf:"value"`
	JSON      any               `koanf:"json"`
	Base64    Base64            `koanf:"base64"`
	File      string            `koanf:"file"` // each line is a record
	Key       *string           `koanf:"key"`
	Headers   map[string]string `koanf:"headers"`
	Time      *Instant          `koanf:"time"`
	Watermark *Instant          `koanf:"watermark"` // of Source, or of all
}

// Expect is what is to leave: records in one list, or by the vertex where they go.
type Expect struct {
	Said bool
	All  []Expected
	By   map[stream.VertexID][]Expected // nil = it is one list
}

// Expected is what one record is to be, or with File several. At most one of Value, JSON,
// JSONContains, Contains, Matches, Base64 and File is set; what is not set is not looked
// at. As a text alone it is a Value.
type Expected struct {
	Value        *string           `koanf:"value"`        // equal
	JSON         any               `koanf:"json"`         // equal as JSON: order of keys and white space do not count
	JSONContains any               `koanf:"jsonContains"` // has at least this
	Contains     *string           `koanf:"contains"`     // has this text
	Matches      *Pattern          `koanf:"matches"`
	Base64       Base64            `koanf:"base64"`
	File         string            `koanf:"file"` // each line is a value
	Key          *string           `koanf:"key"`
	Headers      map[string]string `koanf:"headers"` // has at least these
	Time         *Instant          `koanf:"time"`
	Tag          *string           `koanf:"tag"` // empty = it has none
}

// Instant is a time as in RFC 3339.
type Instant struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Instant) UnmarshalText(text []byte) (err error) {
	if t.Time, err = time.Parse(time.RFC3339Nano, string(text)); err != nil || t.Year() < 1700 || t.Year() > 2200 {
		return &stream.Error{Why: fmt.Sprintf("%q is not a time", shorten(string(text))), Fix: "write it as in 2026-05-04T10:00:00Z, from 1700 to 2200"}
	}
	return nil
}

// Base64 is bytes that are written in base64; nil = they are not there.
type Base64 []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Base64) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return &stream.Error{Why: fmt.Sprintf("%q is not base64", shorten(string(text))), Fix: "write it as base64 prints it, or take value for text"}
	}
	*b = append(Base64{}, data...)
	return nil
}

// Pattern is a regular expression, of which a match anywhere counts.
type Pattern struct{ *regexp.Regexp }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	if p.Regexp, err = regexp.Compile(string(text)); err != nil {
		return &stream.Error{Why: strings.TrimPrefix(err.Error(), "error parsing "), Fix: `write one as of Go and RE2, in single quotes: '^\d+$'`}
	}
	return nil
}

// input fills an Input and checks it.
func (b *binder) input(p path, in any, out reflect.Value) {
	i := out.Addr().Interface().(*Input)
	keys, ok := b.valueOr(p, in, out, &i.Value)
	if !ok {
		return
	}
	b.one(p, "what the record is", "write one of value: text, json: …, base64: …, file: path, and watermark: time to let only time go on",
		way{"value", i.Value != nil}, way{"json", i.JSON != nil}, way{"base64", i.Base64 != nil}, way{"file", i.File != ""}, way{"watermark", i.Watermark != nil})
	b.plainJSON(p.key("json"), i.JSON)
	for _, k := range []string{"key", "headers", "time", "tag"} {
		if i.Watermark != nil && keys[k] != nil {
			b.add(b.key(p.key(k)), p.key(k), stream.ConfigValue, "a watermark is no record and has no "+k, "make an element of each")
		}
	}
}

// expected fills an Expected and checks it.
func (b *binder) expected(p path, in any, out reflect.Value) {
	e := out.Addr().Interface().(*Expected)
	keys, ok := b.valueOr(p, in, out, &e.Value)
	if !ok {
		return
	}
	if len(keys) == 0 {
		b.fault(p, stream.ConfigMissing, "it says nothing about the record", "write at least one of value, json, jsonContains, contains, matches, key, headers, time and tag")
		return
	}
	said := 0
	for _, k := range []string{"value", "json", "jsonContains", "contains", "matches", "base64", "file"} {
		if keys[k] != nil {
			said++
		}
	}
	if said > 1 {
		b.fault(p, stream.ConfigValue, fmt.Sprintf("it is said in %d ways what the value is", said), "write one of value, json, jsonContains, contains, matches, base64 and file")
	}
	b.plainJSON(p.key("json"), e.JSON)
	b.plainJSON(p.key("jsonContains"), e.JSONContains)
}

// valueOr fills a struct from a map, or else its value from a text.
func (b *binder) valueOr(p path, in any, out reflect.Value, value **string) (keys map[string]any, isMap bool) {
	switch in := in.(type) {
	case map[string]any:
		b.fields(p, in, out)
		return in, true
	case string:
		*value = &in
	default:
		fix := "write a text, or {json: …}"
		if text := b.value(p).text; text != "" {
			fix = fmt.Sprintf("quote it: %q", text)
		}
		b.mismatch(p, in, "a record", fix)
	}
	return nil, false
}

// plainJSON reports a text that holds JSON, where JSON is to be written as YAML.
func (b *binder) plainJSON(p path, v any) {
	text, ok := v.(string)
	if ok && strings.ContainsAny(text[:min(1, len(text))], "{[") && json.Valid([]byte(text)) {
		b.fault(p, stream.ConfigValue, "it is a text that holds JSON, and not JSON itself", "remove the quotes around it: JSON is YAML")
	}
}

// expect fills an Expect.
func (b *binder) expect(p path, in any, out reflect.Value) {
	e := out.Addr().Interface().(*Expect)
	e.Said = true
	switch in := in.(type) {
	case []any:
		b.bind(p, in, reflect.ValueOf(&e.All))
	case map[string]any:
		for _, k := range []string{"value", "json", "jsonContains", "contains", "matches"} {
			if _, ok := in[k]; ok && len(in) == 1 {
				b.fault(p, stream.ConfigType, "wants a list of records, and this is one record", "put - in front of it")
				return
			}
		}
		e.By = make(map[stream.VertexID][]Expected)
		b.bind(p, in, reflect.ValueOf(&e.By))
	default:
		b.mismatch(p, in, "a list of records", "write one line starting with - per record, or a list for each sink")
	}
}

// Bytes returns the value of an input that is no file and no watermark.
func (i *Input) Bytes() []byte {
	switch {
	case i.Value != nil:
		return []byte(*i.Value)
	case i.Base64 != nil:
		return i.Base64
	}
	return encodeJSON(i.JSON)
}

// Bytes returns the body of an answer.
func (a *Answer) Bytes() []byte {
	switch {
	case a.Body != nil:
		return []byte(*a.Body)
	case a.JSON != nil:
		return encodeJSON(a.JSON)
	}
	return nil
}

// encodeJSON writes a value of the tree, keys sorted.
func encodeJSON(v any) []byte {
	var s strings.Builder
	e := json.NewEncoder(&s)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("BUG: config: a value is no JSON: " + err.Error())
	}
	return []byte(strings.TrimSuffix(s.String(), "\n"))
}
