package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Tests is what a test file says: what a pipeline is to make of given records.
type Tests struct {
	Pipeline string `koanf:"pipeline"` // the file, from the folder of the tests; empty = theirs without _test
	Tests    []Test `koanf:"tests"`

	file   string
	places places
}

// Test is one test. Without Vertex, From and To it is about the whole pipeline.
type Test struct {
	Name   string          `koanf:"name"`
	Vertex stream.VertexID `koanf:"vertex"` // alone
	From   stream.VertexID `koanf:"from"`   // with all that comes behind it, up to To
	To     stream.VertexID `koanf:"to"`     // with all that leads to it, from From on

	Set    []string `koanf:"set"`    // path=value
	Input  []Input  `koanf:"input"`  // in the order in which it comes
	Until  *Instant `koanf:"until"`  // event time goes on up to here, instead of to its end
	HTTP   []Answer `koanf:"http"`   // of requests of the guests
	Expect Expect   `koanf:"expect"` // what leaves
	Order  Sequence `koanf:"order"`  // of that
	Errors []Failed `koanf:"errors"` // all records that could not be handled
	State  Kept     `koanf:"state"`  // by vertex, when all input is through
}

// Kept is what is expected of state, by vertex: JSON objects that entries of it have in
// them, one each, in any order.
type Kept map[stream.VertexID][]map[string]any

// Sequence says in which order records are expected.
type Sequence string

// The sequences: as they are listed, or any.
const (
	SequenceAsListed Sequence = "listed"
	SequenceAny      Sequence = "any"
)

// Choices implements Choice.
func (Sequence) Choices() []string { return []string{string(SequenceAsListed), string(SequenceAny)} }

// Answer answers the requests of guests that it fits. Of several the first that was not
// given yet is, and the last again and again.
type Answer struct {
	Method  string            `koanf:"method"` // empty = any
	URL     string            `koanf:"url"`
	Status  int               `koanf:"status"`
	Headers map[string]string `koanf:"headers"`
	Body    *string           `koanf:"body"`
	JSON    any               `koanf:"json"` // the body, instead
	Fail    bool              `koanf:"fail"` // there is none, as if the service were down
}

// Failed is a record that is expected to fail. What is not said is not looked at.
type Failed struct {
	Record  int             `koanf:"record"` // of the input, from 1; 0 = not said
	Vertex  stream.VertexID `koanf:"vertex"`
	Code    string          `koanf:"code"`
	Message string          `koanf:"message"` // part of the reason
}

// TestFile says whether a file is one of tests, by its name.
func TestFile(name string) bool {
	return strings.HasSuffix(name, "_test.yaml") || strings.HasSuffix(name, "_test.yml")
}

// LoadTests makes tests of a file. Its error joins every fault. What they say of the
// pipeline is not compared with it.
func LoadTests(f File) (*Tests, error) {
	m := merge(Layers{Files: []File{f}, begin: "start with a line such as tests:"}, nil)
	b := &binder{merged: m}
	b.hooks = map[reflect.Type]hook{
		reflect.TypeFor[Test]():     b.test,
		reflect.TypeFor[Input]():    b.input,
		reflect.TypeFor[Expected](): b.expected,
		reflect.TypeFor[Expect]():   b.expect,
		reflect.TypeFor[Answer]():   b.answer,
		reflect.TypeFor[Failed]():   b.failed,
	}
	t := &Tests{file: f.Name, places: m.places}
	if !m.broken {
		b.bind("", m.tree, reflect.ValueOf(t))
		b.tests(t)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	return t, nil
}

// File is the pipeline file that the tests are about.
func (t *Tests) File() string {
	stem, ext := t.file, filepath.Ext(t.file)
	if t.Pipeline == "" {
		return strings.TrimSuffix(strings.TrimSuffix(stem, ext), "_test") + ext
	}
	return t.Path(t.Pipeline)
}

// Path is a path that the file names, which may be relative to its folder.
func (t *Tests) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(t.file), name)
}

// Where is that of Pipeline.
func (t *Tests) Where(value string) string {
	return t.places.value(path(value)).where(path(value))
}

func (b *binder) tests(t *Tests) {
	if _, isList := b.tree["tests"].([]any); len(t.Tests) == 0 && (isList || empty(b.tree["tests"])) {
		b.missing("", "tests", "list at least one below tests:, as in - {name: …, input: […], expect: […]}")
	}
	first := make(map[string]int)
	for i, one := range t.Tests {
		at := path("tests").index(i).key("name")
		if j, ok := first[one.Name]; ok && one.Name != "" {
			b.fault(at, stream.ConfigValue, fmt.Sprintf("there are two tests named %s", shorten(one.Name)), fmt.Sprintf("rename one; the other is at %s", b.value(path("tests").index(j).key("name"))))
			continue
		}
		first[one.Name] = i
	}
}

// test fills a test and checks what it says together.
func (b *binder) test(p path, in any, out reflect.Value) {
	t := out.Addr().Interface().(*Test)
	*t = Test{Order: SequenceAsListed}
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	if t.Name == "" && empty(keys["name"]) {
		b.missing(p, "name", "say in a few words what it is about")
	}
	if t.Vertex != "" && (t.From != "" || t.To != "") {
		b.fault(p.key("vertex"), stream.ConfigValue, "vertex is short for from and to of one vertex, and one of these is there too", "write either vertex, or from and to")
	}
	says := func(k string) bool { return keys[k] != nil || b.about(p.key(k)) }
	if !slices.ContainsFunc([]string{"expect", "errors", "state"}, says) && t.unsaid() {
		b.missing(p, "expect", "list what is to come out; expect: [] is nothing. Instead, or besides, errors: and state: say what fails and what is kept")
	}
}

// answer fills an Answer and checks it.
func (b *binder) answer(p path, in any, out reflect.Value) {
	a := out.Addr().Interface().(*Answer)
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	if a.URL == "" && empty(keys["url"]) {
		b.missing(p, "url", "write the whole URL that is asked for")
	}
	if a.Body != nil && a.JSON != nil {
		b.fault(p, stream.ConfigValue, "the body is there twice: as body and as json", "remove one")
	}
	for _, k := range []string{"status", "headers", "body", "json"} {
		if a.Fail && keys[k] != nil {
			b.add(b.key(p.key(k)), p.key(k), stream.ConfigValue, "a request that fails has no answer", "remove it, or fail: true")
		}
	}
	b.plainJSON(p.key("json"), a.JSON)
	if a.Status = cmp.Or(a.Status, 200); !b.about(p.key("status")) {
		within(b, p.key("status"), a.Status, 100, 599)
	}
	a.Method = strings.ToUpper(a.Method)
}

// failed fills a Failed and checks it.
func (b *binder) failed(p path, in any, out reflect.Value) {
	f := out.Addr().Interface().(*Failed)
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	switch {
	case !ok:
	case len(keys) == 0:
		b.fault(p, stream.ConfigMissing, "it says nothing about the record", "write at least one of record, vertex, code and message")
	case keys["record"] != nil && !b.about(p.key("record")):
		within(b, p.key("record"), f.Record, 1, maxNodes)
	}
}

// unsaid says whether the test expects nothing, not even under a key that is almost known.
func (t *Test) unsaid() bool { return !t.Expect.Said && t.Errors == nil && t.State == nil }
