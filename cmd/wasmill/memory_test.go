package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
)

// TestTheHeapIsBoundByTheBudget and the state, unless GOMEMLIMIT says something else.
func TestTheHeapIsBoundByTheBudget(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	s := &config.Process{Memory: config.Memory{Budget: 1 << 30}}
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(`name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, aggregate: count, window: {fixed: 1m}, state: {maxBytes: 1MiB}}
  - {name: b, udf: {plugin: x}, key: {json: k}, state: {maxBytes: 2MiB}}
  - {name: c, udf: {plugin: x}}
  - {name: d, udf: {plugin: x}, key: {json: k}, state: memory}
  - {name: out, sink: drop}
edges: [{from: in, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: d}, {from: d, to: out}]
`)}}}, control.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	p := &host.Pipeline{Config: c}
	for environment, want := range map[string]int64{"": 1<<30 + 259<<20, "2GiB": math.MaxInt64, "off": math.MaxInt64} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("GOMEMLIMIT", environment)
		boundHeap(s, []*host.Pipeline{p})
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("GOMEMLIMIT=%s: the limit is %d, want %d", environment, got, want)
		}
	}
}
