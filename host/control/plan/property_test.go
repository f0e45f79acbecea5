package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/plan"
	"pgregory.net/rapid"
)

// drawn makes the text of a pipeline: a chain of vertices out of a few, with each
// setting at one of few values, so that two have much in common.
func drawn(t *rapid.T) string {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "setting") }
	line := func(key string, values ...string) string {
		if v := pick(append(values, "", "")...); v != "" {
			return "    " + key + ": " + v + "\n"
		}
		return ""
	}
	stage := func() string {
		return line("queue", "{maxRecords: 10}", "{whenFull: dropNewest}") + line("retry", "{attempts: 2}", "{attempts: 1}")
	}
	udf := func(name string) string {
		plugin := "plugin: " + pick("a", "b") + pick("", ", params: {}", ", params: {a: 1}", ", params: {a: {b: 2}}", `, params: {a: "1", secret: x}`, ", params: {a: {}, secret: y}") + pick("", ", limits: {callDeadline: 2s}")
		head := "  - name: " + name + "\n    udf: {" + plugin
		if pick("memory", "", "") != "" {
			return head + pick("", ", grant: [log]") + "}\n    state: memory\n    key: {key: true}\n" + line("partitions", "1", "2", "3") + line("queue", "{maxBytes: 1MiB}")
		}
		v := head + pick("", ", grant: [log]", ", grant: [log, clock]", ", grant: [clock, log]") + "}\n"
		if pick("key", "") != "" {
			v += "    key: " + pick("{json: u}", "{key: true}") + "\n" + line("state", "{groups: 7}", "{maxBytes: 1MiB}")
		}
		return v + line("concurrency", "3", "{min: 3, max: 3}", "auto") + stage() + line("sandbox", "{fuel: 1}")
	}
	window := func() string {
		return "    window: " + pick("{fixed: 1m}", "{fixed: 1m, lateness: 1s}", "{sliding: {size: 2m, slide: 1m}}", "{global: true}", "{session: 1m}") + "\n"
	}
	vertices := []string{
		"  - name: in\n    source: " + pick("stdin", "{file: {path: a}}", "{file: {path: b}}", "{generator: {rate: 1}}", "{generator: {nexmark: {}}}", "{generator: {nexmark: {types: [bid]}}}") + "\n" + line("eventTime", "{json: t}", "{key: true}") + line("idleTimeout", "1s"),
		"  - name: out\n    sink: " + pick("stdout", "drop", "{file: {path: c}}", "{file: {path: c, sync: true}}") + "\n" + stage(),
	}
	chain, udfs := []string{"in"}, []string{}
	for _, name := range []string{"f", "g", "h"} {
		switch pick("udf", "aggregate", "none") {
		case "udf":
			vertices, udfs = append(vertices, udf(name)), append(udfs, name)
		case "aggregate":
			vertices = append(vertices, "  - name: "+name+"\n    aggregate: "+pick("count", "{sum: {json: a}}", "{sum: {header: a}}", "{topK: {json: a}}", "{topK: {json: a, k: 10}}", "{topK: {json: a, k: 4}}")+"\n"+window()+line("key", "{json: u}", "{key: true}")+stage())
		default:
			continue
		}
		chain = append(chain, name)
	}
	chain = rapid.Permutation(chain[1:]).Draw(t, "chain")
	chain = append(append([]string{"in"}, chain...), "out")
	var edges []string
	for i, from := range chain[:len(chain)-1] {
		edges = append(edges, fmt.Sprintf("  - {from: %s, to: %s}\n", from, chain[i+1]))
		if slices.Contains(udfs, from) {
			for _, when := range rapid.SampledFrom([][]string{nil, {"[x]"}, {"[x]", "[y]"}, {"[y, x]"}, {"[x, y]"}}).Draw(t, "conditions") {
				edges = append(edges, fmt.Sprintf("  - {from: %s, to: out, when: {tags: %s}}\n", from, when))
			}
		}
	}
	vertices, edges = rapid.Permutation(vertices).Draw(t, "vertices"), rapid.Permutation(edges).Draw(t, "edges")
	top := func(key string, values ...string) string { return strings.TrimPrefix(line(key, values...), "    ") }
	return "name: " + pick("p", "p", "p", "q") + "\n" + top("description", "text", `""`) + top("phase", "running", "paused") +
		top("checkpoint", "{storage: file://./a}", "{storage: file://./b}", "{storage: file://./a, interval: 1s}", "{storage: file://./a, interval: adaptive}", "{storage: file://./a, interval: {adaptive: {recoveryTime: 1m}}}") +
		"vertices:\n" + strings.Join(vertices, "") + "edges:\n" + strings.Join(edges, "")
}

func parsed(t *rapid.T, text string) *config.Pipeline {
	p, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, catalog)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// plainly is what a pipeline says, in one order and without the places.
func plainly(p *config.Pipeline) map[string]any {
	all := make(map[string]any)
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			all[f.Name] = v.Field(i).Interface()
		}
	}
	vertices := make(map[string]any)
	for i, v := range p.Vertices {
		if v.UDF != nil {
			u := *v.UDF
			u.Grant, u.Params = slices.Sorted(slices.Values(u.Grant)), nil
			v.UDF = &u
			vertices[string(v.Name)+" params"] = string(p.Vertices[i].UDF.ParamsJSON())
			vertices[string(v.Name)+" has a key"] = p.Says(fmt.Sprintf("vertices[%d].key", i))
		}
		vertices[string(v.Name)] = v
	}
	edges := make(map[string]any)
	for _, e := range p.Edges {
		tags := slices.Sorted(slices.Values(e.Tags()))
		e.When = nil
		edges[fmt.Sprintf("%s to %s by %q", e.From, e.To, tags)] = e
	}
	all["Vertices"], all["Edges"] = vertices, edges
	return all
}

// byPath fails if two steps have one path.
func byPath(t *rapid.T, p plan.Plan) map[string]plan.Step {
	all := make(map[string]plan.Step)
	for _, s := range p.Steps {
		if _, twice := all[s.Path]; twice {
			t.Fatalf("%s is there twice in\n%s", s.Path, p)
		}
		all[s.Path] = s
	}
	return all
}

var catalog = control.Catalog()

func TestPlansOfAnyTwoConfigs(t *testing.T) {
	differ := 0
	rapid.Check(t, func(t *rapid.T) {
		one := drawn(t)
		other := one
		if rapid.Bool().Draw(t, "other") {
			other = drawn(t)
		}
		a, b := parsed(t, one), parsed(t, other)
		if p := plan.Of(a, a); len(p.Steps) > 0 || p.Class() != plan.None {
			t.Fatalf("from a config to itself:\n%s", p)
		}
		there, back := plan.Of(a, b), plan.Of(b, a)
		if same := reflect.DeepEqual(plainly(a), plainly(b)); same != (len(there.Steps) == 0) {
			t.Fatalf("they are the same: %v, and the plan is\n%s\nfrom\n%s\nto\n%s", same, there, one, other)
		} else if !same {
			differ++
		}
		steps, reverse := byPath(t, there), byPath(t, back)
		if len(steps) != len(reverse) || there.Class() != back.Class() {
			t.Fatalf("there:\n%sback:\n%s", there, back)
		}
		for path, s := range steps {
			if r := reverse[path]; s.Class != r.Class || s.Old != r.New || s.New != r.Old {
				t.Fatalf("%s: there %+v, back %+v", path, s, r)
			}
			if s.Class < plan.Live {
				t.Fatalf("%s has no class", path)
			}
		}
		if !slices.IsSortedFunc(there.Steps, func(a, b plan.Step) int { return int(b.Class - a.Class) }) {
			t.Fatalf("it is not sorted by class:\n%s", there)
		}
		if text := there.String(); strings.Count(text, "\n") != len(there.Steps)+1 {
			t.Fatalf("not a line for each step:\n%s", text)
		}
		if data, err := there.MarshalJSON(); err != nil || !json.Valid(data) || bytes.Contains(data, []byte(`\u003e`)) {
			t.Fatalf("as JSON: %s, %v", data, err)
		}
	})
	if differ == 0 {
		t.Error("no two were different")
	}
}
