package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
)

// tree is a schema as JSON has it.
type tree = map[string]any

// shown has each kind of vertex, with nothing set that has a default.
const shown = `
name: shown
checkpoint: {storage: file://./cp}
vertices:
  - {name: file, source: {file: {path: p}}, eventTime: {json: t}}
  - {name: stdin, source: stdin}
  - {name: generator, source: {generator: {nexmark: {}}}}
  - {name: udf, udf: {plugin: p}, scale: {max: 2}, sideInputs: {x: {file: f}}}
  - {name: memory, udf: {plugin: p}, state: memory}
  - {name: top, aggregate: {topK: {json: a}}, window: {sliding: {size: 2s, slide: 1s}}}
  - {name: out, sink: {file: {path: "o{part}"}}}
  - {name: stdout, sink: stdout}
  - {name: drop, sink: drop}
edges:
  - {from: file, to: udf}
  - {from: stdin, to: udf}
  - {from: generator, to: udf}
  - {from: udf, to: memory}
  - {from: memory, to: top}
  - {from: top, to: out}
  - {from: top, to: stdout}
  - {from: top, to: drop}
`

// machine are the defaults that are not the same on all machines.
var machine = []string{"cache.dir", "vertices[].concurrency"}

// pipelineTree is the schema of a pipeline whose sources and sinks are those of a catalog.
func pipelineTree(t *testing.T, c config.Catalog) tree {
	b, err := newBuilder(c)
	if err != nil {
		t.Fatal(err)
	}
	s := treeOf(t, b.fields(reflect.TypeFor[config.Pipeline](), "name", "vertices"))
	s["title"] = "a pipeline of wasmill"
	for _, path := range []string{"name", "vertices[].name"} {
		find(s, path)["pattern"] = namePattern
	}
	return s
}

func processTree(t *testing.T) tree {
	b, err := newBuilder(config.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	s := treeOf(t, b.fields(reflect.TypeFor[config.Process]()))
	s["title"] = "the settings of a wasmill process"
	return s
}

func treeOf(t *testing.T, schema any) tree {
	t.Helper()
	data, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s tree
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	letNull(s)
	return s
}

// letNull makes each value of a map one that may be null, which is as if it was not there.
func letNull(s tree) {
	for _, below := range s {
		switch below := below.(type) {
		case tree:
			letNull(below)
		case []any:
			for _, el := range below {
				if el, ok := el.(tree); ok {
					letNull(el)
				}
			}
		}
	}
	properties, _ := s["properties"].(tree)
	for _, p := range properties {
		orNull(p)
	}
	if s["type"] == "object" {
		orNull(s["additionalProperties"])
	}
}

func orNull(schema any) {
	s, ok := schema.(tree)
	if !ok {
		return
	}
	if enum, ok := s["enum"].([]any); ok {
		s["enum"] = append(enum, nil)
	}
	if kind, ok := s["type"].(string); ok && kind != "null" {
		s["type"] = []any{kind, "null"}
	} else if all, ok := s["anyOf"].([]any); ok {
		s["anyOf"] = append(all, tree{"type": "null"})
	}
}

// find returns the schema of a value, or of a field; nil if there is none.
func find(s tree, at string) tree {
	for _, step := range strings.Split(at, ".") {
		name, element := step, false
		if i := strings.IndexByte(step, '['); i >= 0 {
			name, element = step[:i], true
		}
		s = below(s, name)
		if s != nil && element {
			if items, ok := s["items"].(tree); ok {
				s = items
			} else {
				s = below(s, "")
			}
		}
	}
	return s
}

// below returns the schema of a key, also of one that people choose.
func below(s tree, key string) tree {
	if s["type"] == nil && s["anyOf"] == nil {
		return nil
	}
	if every, ok := s["additionalProperties"].(tree); ok {
		return every
	}
	if properties, ok := s["properties"].(tree); ok {
		if p, ok := properties[key].(tree); ok {
			return p
		}
	}
	all, _ := s["anyOf"].([]any)
	for _, one := range all {
		if one, ok := one.(tree); ok {
			if p := below(one, key); p != nil {
				return p
			}
		}
	}
	return nil
}

// addDefaults puts into a schema what values have that nobody wrote.
func addDefaults(t *testing.T, s tree, values []config.Value) {
	t.Helper()
	added := 0
	for _, v := range values {
		field := brackets.ReplaceAllString(v.Path, "[]")
		if v.Own == "" || v.Origin() != config.Default || slices.Contains(machine, field) {
			continue
		}
		p := find(s, field)
		if p == nil {
			t.Errorf("the schema lacks %s", v.Path)
			continue
		}
		var value any
		if err := yaml.Unmarshal([]byte(v.Own), &value); err != nil {
			t.Fatal(err)
		}
		if _, isText := value.(string); !isText && reflect.DeepEqual(p["type"], []any{"string", "null"}) {
			value = v.Own // 0644
		}
		p["default"] = value
		added++
		if err := compiled(t, p).Validate(value); err != nil {
			t.Errorf("the default of %s is %v: %v", v.Path, value, err)
		}
	}
	if added < 10 {
		t.Errorf("only %d defaults were added", added)
	}
}

// compiled makes a validator of a schema.
func compiled(t *testing.T, s tree) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestTheSchemasAreThoseOfTheStructs compares the files with what the structs, their
// comments and their defaults give.
func TestTheSchemasAreThoseOfTheStructs(t *testing.T) {
	p, err := config.LoadPipeline(config.Layers{Files: files(shown)}, control.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	ofPipeline, ofProcess := pipelineTree(t, control.Catalog()), processTree(t)
	addDefaults(t, ofPipeline, p.Values())
	addDefaults(t, ofProcess, process(t, config.Layers{}).Values())
	for _, s := range []struct {
		file, got string
		want      tree
	}{{"schema/pipeline.json", config.PipelineSchema(), ofPipeline}, {"schema/process.json", config.ProcessSchema(), ofProcess}} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(s.want); err != nil {
			t.Fatal(err)
		}
		if *rewrite {
			if err := os.WriteFile(s.file, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if s.got != want.String() {
			t.Errorf("%s is not what the structs of settings, their comments and their defaults give: run go generate ./host/config, and look at what it changes", s.file)
		}
	}
}

// TestEveryFieldIsInTheSchema holds that what is read can be written with the schema.
func TestEveryFieldIsInTheSchema(t *testing.T) {
	s := pipelineTree(t, control.Catalog())
	for _, field := range config.Fields() {
		if find(s, field) == nil {
			t.Errorf("the schema of a pipeline lacks %s: if it is written in a way of its own, add that to mapped", field)
		}
	}
	s = processTree(t)
	for _, path := range config.ProcessPaths() {
		if find(s, path) == nil {
			t.Errorf("the schema of the process lacks %s", path)
		}
	}
	if got, _ := find(s, "log.level")["description"].(string); !strings.Contains(got, "logged") {
		t.Errorf("log.level is described as %q", got)
	}
}
