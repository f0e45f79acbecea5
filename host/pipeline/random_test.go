package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

var seeds = flag.Uint64("seeds", 150, "how many random graphs to run")

// TestRandomGraphsKeepTheInvariants runs graphs of any shape with barriers, a
// drain, an abort or an error at any moment, and compares with a model that
// knows no batches and no goroutines. The bubble turns a lost wake-up into a
// deadlock that is reported. Run one again by its name: -run 'Random.*/seed_17$'.
func TestRandomGraphsKeepTheInvariants(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, rand.New(rand.NewPCG(seed, 1)))
				w.run()
				if t.Failed() {
					t.Log(w)
				}
			})
		})
	}
}

var (
	errBoom = errors.New("boom")
	errStop = errors.New("stopped by the test")
)

// world is a random graph and what is known about it.
type world struct {
	*testing.T
	rng        *rand.Rand
	graph      Graph
	sources    []*uneven
	transforms map[stream.VertexID]*scatter
	sinks      map[stream.VertexID]*witness
	taps       []*tap       // by edge
	model      [][]delivery // by number
	poison     int          // the number that makes poisoned vertices fail; -1 = none
	lossy      bool         // a stage drops what finds no room
	idles      bool         // a source may be idle: others do not wait, and it may be late
	others     []Vertex     // other settings of vertices, to be put in force while they run
	boom       atomic.Bool  // something failed
}

// adjust gives a vertex its other settings, or those that it began with.
func (w *world) adjust(p *Pipeline) {
	v := w.others[w.rng.IntN(len(w.others))]
	if w.rng.IntN(2) == 0 {
		v = w.graph.Vertices[slices.IndexFunc(w.graph.Vertices, func(one Vertex) bool { return one.Name == v.Name })]
	}
	if !p.Adjust(&v) {
		w.Errorf("%s cannot be adjusted", v.Name)
	}
}

// run runs the graph, disturbs it, and checks what came of it.
func (w *world) run() {
	p := mustNew(w, w.graph, Hooks{BarrierPassed: func(v stream.VertexID, b *stream.Barrier) { w.sinks[v].passed(b) }})
	w.tap(p)
	ctx, cancel := context.WithCancelCause(w.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	if w.rng.IntN(20) == 0 {
		p.Drain()
	}
	go func() { done <- p.Run(ctx, nil) }()
	for epoch := stream.Epoch(1); ; {
		select {
		case err := <-done:
			w.check(p, err, context.Cause(ctx))
			return
		case <-time.After(time.Duration(w.rng.IntN(1000)) * time.Microsecond):
		}
		w.checkInboxes(p)
		p.Stats()
		p.Oldest(10)
		switch k := w.rng.IntN(100); {
		case k < 50:
			p.Inject(&stream.Barrier{Epoch: epoch})
			epoch++
		case k < 54:
			p.Drain()
		case k == 54:
			cancel(errStop)
		case k < 75 && len(w.others) > 0:
			w.adjust(p)
		}
	}
}
