package control

import (
	"strings"
	"testing"
)

// TestGuestsThatAggregateNeedWhatTheyNeed has the faults of vertices that show once
// their plugins are loaded.
func TestGuestsThatAggregateNeedWhatTheyNeed(t *testing.T) {
	w := poisoning(t)
	_, _, err := w.build(`name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, udf: {plugin: trapping-aggregate}}
  - {name: b, udf: {plugin: trapping-aggregate}, key: {json: k}, state: {groups: 5}}
  - {name: c, udf: {plugin: trapping-aggregate}, window: {session: 1m}}
  - {name: d, udf: {plugin: trapping-aggregate}, window: {fixed: 1m}, key: {json: .k}}
  - {name: e, udf: {plugin: trapping-aggregate}, key: {key: true}, state: memory}
  - {name: f, udf: {plugin: trapping-aggregate}, window: {fixed: 1m}, key: {key: true}}
  - {name: out, sink: drop}
edges:
  - {from: in, to: a}
  - {from: a, to: b}
  - {from: b, to: c}
  - {from: c, to: d}
  - {from: d, to: e}
  - {from: e, to: f, key: {json: a..b}}
  - {from: f, to: out}
  - {from: f, to: out, when: {tags: [missing]}}
`, "")
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{
		"p.yaml:4:5 (vertices[1]): plugin abitest is of kind aggregate, so it needs window [config-missing]\n  fix: add window: {fixed: 1m}",
		"p.yaml:5:5 (vertices[2]): plugin abitest is of kind aggregate, so it needs window [config-missing]",
		"p.yaml:6:58 (vertices[3].window): session windows grow together, and the plugin does not export wasmill_merge [config-value]",
		"p.yaml:7:83 (vertices[4].key.json): JSON path",
		"p.yaml:8:75 (vertices[5].state): plugin abitest is of kind aggregate, whose state is kept by key outside of its memory [config-value]",
		"p.yaml:17:34 (edges[5].key.json): JSON path",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it lacks %q:\n%v", want, err)
		}
	}
}
