package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

// TestTheHeapIsBoundByTheBudget unless GOMEMLIMIT says something else.
func TestTheHeapIsBoundByTheBudget(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	s := &config.Process{Memory: config.Memory{Budget: 1 << 30}}
	for environment, want := range map[string]int64{"": 1<<30 + 256<<20, "2GiB": math.MaxInt64, "off": math.MaxInt64} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("GOMEMLIMIT", environment)
		boundHeap(s)
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("GOMEMLIMIT=%s: the limit is %d, want %d", environment, got, want)
		}
	}
}
