package wasm

import (
	"context"
	"runtime"
)

// turns bound how many guests run at once: a guest holds a token of each channel
// while it runs. None = no bound.
type turns []chan struct{}

// Bound sets how many guests run at once, 0 = as many as are asked for. Unmetered
// ones cannot be interrupted, so that they leave one of Go's processors to others
// in any case, if there are two. Call it before the first Load.
func (e *Engine) Bound(running int) {
	e.metered, e.unmetered = nil, turns{make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
	if running > 0 {
		all := make(chan struct{}, running)
		e.metered = turns{all}
		e.unmetered = append(e.unmetered, all)
	}
}

// take waits for a turn.
func (t turns) take(ctx context.Context) error {
	for k, c := range t {
		select {
		case c <- struct{}{}:
		case <-ctx.Done():
			t[:k].give()
			return context.Cause(ctx)
		}
	}
	return nil
}

// give ends a turn.
func (t turns) give() {
	for _, c := range t {
		<-c
	}
}

// enter precedes a run of the guest: it waits for a turn, and leaves word of
// which plugin runs, should that end the process. Waiting takes nothing off the
// deadline of the clock.
func (i *instance) enter(ctx context.Context) error {
	if len(i.turns) > 0 {
		before := i.clock.now()
		if err := i.turns.take(ctx); err != nil {
			return err
		}
		i.clock.deadline += i.clock.now() - before
	}
	*i.breath = 1
	return nil
}

// leave follows a run of the guest, if it did run.
func (i *instance) leave() {
	if *i.breath == 0 {
		return
	}
	*i.breath = 0
	i.turns.give()
}
