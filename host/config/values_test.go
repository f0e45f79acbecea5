package config_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

// everything has each key of a pipeline at least once.
const everything = `
name: everything
description: all there is
phase: paused
pauseGrace: 5s
checkpoint:
  {storage: file://./cp, interval: {adaptive: {min: 1s, max: 1m, recoveryTime: 2m}}, retain: 4, retainFor: 1h, timeout: 1m, minPause: 1s, alignTimeout: 2s, tolerableFailures: 5}
vertices:
  - name: in
    source: {generate: {rate: 7, count: 3, seed: 1, loop: true, size: 1KiB, every: 1s, shape: flat, types: [a, b], labels: {x: y, password: hidden-label}, template: {a: [1, {token: hidden-any}]}, nexmark: {types: [bid]}}}
    eventTime: {json: at, format: unix, maxOutOfOrder: 1s}
    idleTimeout: 3s
  - {name: keys, source: {generate: {rate: 1}}, eventTime: {header: at}}
  - {name: more, source: {generate: {rate: 1}}, eventTime: {key: true}}
  - name: map
    udf: {plugin: m, params: {a: 1, b: {c: [1, 2], d: {}}, apiToken: hidden-param, dsn: "db://u:hidden-dsn@h"}, grant: [http, log], http: {allow: [a.example, b.example], maxResponseBytes: 1KiB, timeout: 1s}, limits: {recordDeadline: 1s}}
    sandbox: {metering: "on", fuel: 9}
    concurrency: {min: 1, max: 3}
    order: input
    batch: {maxTime: 2ms}
    queue: {whenFull: dropNewest}
    output: {maxRecords: 10, whenFull: dropOldest}
    processing: {maxRecords: 10}
    retry: {attempts: 2, backoff: 1s, maxBackoff: 2s}
    onError: deadLetter
    sideInputs: {rates: {file: r.json, maxBytes: 1KiB}, rules: {}}
  - {name: process, udf: {plugin: p}, key: {header: h}, state: {maxBytes: 1MiB, groups: 7}}
  - {name: memory, udf: {plugin: q}, key: {json: k}, state: memory, partitions: 3}
  - {name: fixed, aggregate: {sum: {json: a}}, scale: {min: 0, max: 9, lookback: 1m, targetProcessing: 1s, cooldownUp: 2s, cooldownDown: 3s, stepUp: 4, stepDown: 5}, key: {json: u}, window: {fixed: 1m, offset: 1s, lateness: 2s, every: {records: 3, time: 1s}}}
  - {name: sliding, aggregate: {topK: {header: a, k: 3}}, window: {sliding: {size: 2s, slide: 1s, maxPerRecord: 5}}}
  - {name: session, aggregate: {distinct: {value: true}}, window: {session: 1s}}
  - {name: join, join: {left: {left: process, right: memory, within: 1s}}, window: {global: true}}
  - {name: out, sink: drop}
  - {name: bad, sink: drop}
edges:
  - {from: in, to: map}
  - {from: keys, to: map, side: rules}
  - {from: more, to: process}
  - {from: map, to: process, key: {json: z}, when: {tags: [b, a]}}
  - {from: map, to: process, when: {tags: [c]}}
  - {from: map, to: bad, when: {deadLetters: true}}
  - {from: map, to: memory}
  - {from: map, to: fixed}
  - {from: map, to: sliding}
  - {from: map, to: session}
  - {from: process, to: join}
  - {from: memory, to: join}
  - {from: fixed, to: out}
  - {from: sliding, to: out}
  - {from: session, to: out}
  - {from: join, to: out}
`

func loadText(t *testing.T, text string, set ...string) *config.Pipeline {
	t.Helper()
	p, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}, Set: set}, catalog())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// byPath fails for paths that are there twice.
func byPath(t *testing.T, p *config.Pipeline) map[string]config.Value {
	t.Helper()
	all := make(map[string]config.Value)
	for _, v := range p.Values() {
		if _, twice := all[v.Path]; twice {
			t.Errorf("%s is there twice", v.Path)
		}
		all[v.Path] = v
	}
	return all
}

// same says whether two lists of values are, whatever their order.
func same(a, b map[string]config.Value) bool {
	if len(a) != len(b) {
		return false
	}
	for path, v := range a {
		if w, ok := b[path]; !ok || !v.Same(w) {
			return false
		}
	}
	return true
}

// TestEachKeyThatIsReadIsAField goes through the types by itself.
func TestEachKeyThatIsReadIsAField(t *testing.T) {
	elsewhere := []string{ // part of what names a value, or of its text
		"vertices[].name", "edges[].from", "edges[].to", "edges[].side",
		"vertices[].concurrency.min", "vertices[].concurrency.max",
		"vertices[].key.json", "vertices[].key.header", "vertices[].key.key", "edges[].key.json", "edges[].key.header", "edges[].key.key",
		"vertices[].aggregate.json", "vertices[].aggregate.header", "vertices[].aggregate.value", "vertices[].aggregate.k",
		"vertices[].join.left", "vertices[].join.right", "vertices[].join.within",
	}
	fields := config.Fields()
	var walk func(at string, r reflect.Type)
	walk = func(at string, r reflect.Type) {
		for r.Kind() == reflect.Pointer {
			r = r.Elem()
		}
		switch {
		case r == reflect.TypeFor[config.Component](), r == reflect.TypeFor[config.Checkpoint]():
		case r.Kind() == reflect.Slice && r.Elem().Kind() == reflect.Struct, r.Kind() == reflect.Map && r.Elem().Kind() == reflect.Struct:
			walk(at+"[]", r.Elem())
			return
		case r.Kind() == reflect.Struct:
			for i := range r.NumField() {
				if key := r.Field(i).Tag.Get("koanf"); key != "" {
					walk(strings.TrimPrefix(at+"."+key, "."), r.Field(i).Type)
				}
			}
			return
		}
		if !slices.Contains(fields, at) && !slices.Contains(elsewhere, at) {
			t.Errorf("%s is not among the fields", at)
		}
	}
	walk("", reflect.TypeFor[config.Pipeline]())
	for i := range reflect.TypeFor[config.CheckpointSettings]().NumField() {
		name := reflect.TypeFor[config.CheckpointSettings]().Field(i).Name
		if at := "checkpoint." + strings.ToLower(name[:1]) + name[1:]; !slices.Contains(fields, at) {
			t.Errorf("%s is not among the fields", at)
		}
	}
	if len(fields) < 80 {
		t.Errorf("there are only %d fields", len(fields))
	}
}

func TestEachValueHasAFieldAndAPathOfItsOwn(t *testing.T) {
	fields, seen := config.Fields(), make(map[string]bool)
	for _, v := range byPath(t, loadText(t, everything)) {
		if !slices.Contains(fields, v.Field) {
			t.Errorf("%s is of the field %s, which is not listed", v.Path, v.Field)
		}
		seen[v.Field] = true
	}
	for _, f := range fields {
		if !seen[f] {
			t.Errorf("no value is of the field %s", f)
		}
	}
}

// TestEachValueCounts changes every scalar of a config, one after the other.
func TestEachValueCounts(t *testing.T) {
	p := loadText(t, everything)
	was, changed := byPath(t, p), 0
	check := func(at string, v reflect.Value) {
		changed++
		if same(was, byPath(t, p)) {
			t.Errorf("%s is %v now, and nobody sees it", at, v)
		}
	}
	var walk func(at string, v reflect.Value)
	walk = func(at string, v reflect.Value) {
		if strings.HasSuffix(at, ".Live.Interval.Fixed") || strings.HasSuffix(at, ".Storage.Prefix") { // mean nothing beside Adaptive, and without a bucket
			return
		}
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() && v.Elem().Kind() != reflect.Map {
				walk(at, v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if name := v.Type().Field(i).Name; v.Type().Field(i).IsExported() && !idle(p, at, name) {
					walk(at+"."+name, v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", at, i), v.Index(i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				old := v.MapIndex(k)
				v.SetMapIndex(k, reflect.Value{})
				check(at+"."+k.String(), v)
				v.SetMapIndex(k, old)
			}
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int16, reflect.Int64, reflect.Uint32, reflect.Float64:
			old := reflect.New(v.Type()).Elem()
			old.Set(v)
			switch {
			case v.Kind() == reflect.String:
				v.SetString(v.String() + "x")
			case v.Kind() == reflect.Bool:
				v.SetBool(!v.Bool())
			case v.CanInt():
				v.SetInt(v.Int() + 1)
			case v.CanUint():
				v.SetUint(v.Uint() + 1)
			default:
				v.SetFloat(v.Float() + 0.5)
			}
			check(at, v)
			v.Set(old)
		default:
			t.Errorf("%s is a %v", at, v.Kind())
		}
	}
	walk("", reflect.ValueOf(p).Elem())
	if changed < 300 {
		t.Errorf("only %d values were changed", changed)
	}
}

// idle says whether a field of a vertex means nothing as the vertex is.
func idle(p *config.Pipeline, at, name string) bool {
	var i int
	if n, _ := fmt.Sscanf(at, ".Vertices[%d]", &i); n == 0 || strings.Count(at, ".") > 1 {
		return false
	}
	v := &p.Vertices[i]
	switch name {
	case "Key":
		return v.UDF != nil && !p.Says(fmt.Sprintf("vertices[%d].key", i))
	case "Concurrency":
		return v.State.Memory
	}
	return false
}

// TestWhatMeansTheSameIsTheSame compares texts that differ only in their form.
func TestWhatMeansTheSameIsTheSame(t *testing.T) {
	was := byPath(t, loadText(t, everything))
	for _, r := range [][2]string{
		{"tags: [b, a]", "tags: [a, b]"},
		{"allow: [a.example, b.example]", "allow: [b.example, a.example]"},
		{"grant: [http, log]", "grant: [log, http]"},
		{"maxOutOfOrder: 1s", "maxOutOfOrder: 1000ms"},
		{"size: 1KiB", "size: 1024"},
		{"maxRecords: 10, whenFull: dropOldest", "whenFull: dropOldest, maxRecords: 10, maxBytes: 4MiB"},
		{"params: {a: 1,", "params: {a: 1.0,"},
		{"  - {from: map, to: bad, when: {deadLetters: true}}\n  - {from: map, to: memory}\n", "  - {from: map, to: memory}\n  - {from: map, to: bad, when: {deadLetters: true}}\n"},
		{"  - {name: out, sink: drop}\n  - {name: bad, sink: drop}\n", "  - {name: bad, sink: {drop: {}}}\n  - {name: out, sink: drop}\n"},
	} {
		text := strings.Replace(everything, r[0], r[1], 1)
		if text == everything {
			t.Fatalf("there is no %s", r[0])
		}
		if !same(was, byPath(t, loadText(t, text))) {
			t.Errorf("%s is not the same as %s", r[1], r[0])
		}
	}
}

func TestValuesMaskSecretsAndAreOneLine(t *testing.T) {
	text := strings.Replace(everything, "all there is", `"a\nb\e31m\u202e"`, 1)
	text = strings.Replace(text, "params: {a: 1,", `params: {a: 1, "x y.z": "\u202e",`, 1)
	for path, v := range byPath(t, loadText(t, text)) {
		if strings.Contains(v.Text, "hidden") {
			t.Errorf("%s shows %s", path, v.Text)
		}
		if strings.ContainsAny(path+v.Text, "\n\x1b\u202e") {
			t.Errorf("%q has %q", path, v.Text)
		}
	}
	// what is hidden is compared all the same
	for _, hidden := range []string{"hidden-param", "hidden-label", "hidden-any", "hidden-dsn"} {
		if same(byPath(t, loadText(t, everything)), byPath(t, loadText(t, strings.Replace(everything, hidden, "other", 1)))) {
			t.Errorf("nobody sees that %s is another", hidden)
		}
	}
}

func TestValuesOfGoodConfigsHavePathsOfTheirOwn(t *testing.T) {
	paths, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := config.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := config.LoadPipeline(config.Layers{Files: []config.File{f}}, catalog()); err == nil { // a process file is none
			byPath(t, p)
		}
	}
}
