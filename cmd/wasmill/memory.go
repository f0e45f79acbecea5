package main

import (
	"os"
	"runtime/debug"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
)

// heapAllowance is how much larger than memory.budget and the state of vertices
// Go's heap may become before the garbage collector works for it to be smaller. Guests' memory is
// outside of the heap; their stacks are inside, 50 MiB each when they overflow,
// as are the copies from which stacks grow.
const heapAllowance = 256 << 20 // bytes

// boundHeap keeps garbage from adding to what guests need, and gives back what
// loading plugins took. The environment variable GOMEMLIMIT has precedence.
func boundHeap(s *config.Process, pipelines []*host.Pipeline) {
	if limit := int64(host.Budget(s)); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		limit += heapAllowance
		for _, p := range pipelines {
			for i := range p.Config.Vertices {
				limit += int64(p.Config.StateBytes(i))
			}
		}
		debug.SetMemoryLimit(limit)
	}
	debug.FreeOSMemory()
}
