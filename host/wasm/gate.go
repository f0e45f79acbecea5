package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// gate holds calls back while a breaker says so.
//
// Protocol: each call that enter lets in leaves once, by one of pass, fail and
// abandon, with what enter said of it.
type gate struct {
	epoch time.Time
	shut  atomic.Bool // calls have to ask; a call that just misses it does no harm

	mu      sync.Mutex
	breaker breaker       // guarded by mu
	retired bool          // guarded by mu
	changed chan struct{} // guarded by mu; closed when calls should ask again
}

func newGate(limit int) *gate {
	return &gate{epoch: time.Now(), breaker: breaker{limit: limit}, changed: make(chan struct{})}
}

// errRetired is why a call is not let in any more: it is for the next version.
var errRetired = errors.New("another version of the plugin serves")

// retire lets nobody wait any more.
func (g *gate) retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired = true
	g.shut.Store(true)
	close(g.changed)
	g.changed = make(chan struct{})
}

// enter waits until a call may go. The call is a probe if others wait for it. Once the
// gate is retired it returns errRetired.
func (g *gate) enter(ctx context.Context) (probe bool, err error) {
	for g.shut.Load() {
		g.mu.Lock()
		wait, probe := g.breaker.admit(time.Since(g.epoch))
		changed, retired := g.changed, g.retired
		g.mu.Unlock()
		if retired {
			return false, errRetired
		}
		if wait == 0 {
			return probe, nil
		}
		var over <-chan time.Time
		if wait > 0 {
			over = time.After(wait)
		}
		select {
		case <-over:
		case <-changed:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// pass takes the success of a probe.
func (g *gate) pass() { g.step((*breaker).passed) }

// abandon takes the end of a probe that was cancelled.
func (g *gate) abandon() { g.step((*breaker).abandoned) }

// fail takes the failure of a call, and returns for how long others are
// suspended because of it; 0 = they are not.
func (g *gate) fail(through uint64, probe bool) (suspended time.Duration) {
	g.step(func(b *breaker) { suspended = b.failed(time.Since(g.epoch), through, probe) })
	return suspended
}

// step changes the breaker.
func (g *gate) step(change func(*breaker)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.breaker.state
	change(&g.breaker)
	if g.breaker.state == before {
		return
	}
	g.shut.Store(g.retired || g.breaker.state != closed)
	close(g.changed)
	g.changed = make(chan struct{})
}

// openings returns how often the gate was shut, and whether it is now.
func (g *gate) openings() (n uint64, shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.openings, g.breaker.state != closed
}
