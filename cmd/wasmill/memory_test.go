package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
)

// TestTheHeapIsBoundByTheBudget and the state, unless GOMEMLIMIT says something else.
func TestTheHeapIsBoundByTheBudget(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	s := &config.Process{Memory: config.Memory{Budget: 1 << 30}}
	state := config.State{MaxBytes: 1 << 20}
	p := &host.Pipeline{Config: &config.Pipeline{Vertices: []config.Vertex{{Aggregate: &config.Aggregate{}, State: state}, {Sink: &config.Component{}, State: state}}}}
	for environment, want := range map[string]int64{"": 1<<30 + 257<<20, "2GiB": math.MaxInt64, "off": math.MaxInt64} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("GOMEMLIMIT", environment)
		boundHeap(s, []*host.Pipeline{p})
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("GOMEMLIMIT=%s: the limit is %d, want %d", environment, got, want)
		}
	}
}
