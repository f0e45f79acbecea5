package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// poolCeiling is more than any pool may have.
const poolCeiling = 1 << 20

// pool is the bounded set of instances of one transform.
//
// Protocol: each instance that borrow returns goes back by exactly one call of
// put, or of discard after an error. Close after the last one is back.
type pool struct {
	start func(context.Context) (*instance, error)
	slots *semaphore.Weighted // one for each instance that is borrowed or being replaced, and one for each that is not allowed

	refill  context.Context // of instances that replace others; ends with the pool
	stop    context.CancelFunc
	refills atomic.Uint64
	live    atomic.Int64   // instances
	busy    sync.WaitGroup // replacements, and resizing to less, under way

	mu    sync.Mutex
	max   int         // guarded by mu; how many are allowed
	left  int         // guarded by mu; how many there may still be, as resizing to less is under way
	rests bool        // guarded by mu; no instance is kept
	free  []*instance // guarded by mu; the last one returned is used first
	fault error       // guarded by mu; the first of closing what was discarded
}

func newPool(ctx context.Context, max int, start func(context.Context) (*instance, error)) *pool {
	p := &pool{start: start, slots: semaphore.NewWeighted(poolCeiling), max: max, left: max}
	p.slots.TryAcquire(int64(poolCeiling - max))
	p.refill, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

// borrow returns an idle instance or starts one. It blocks while as many as
// allowed are in use.
func (p *pool) borrow(ctx context.Context) (*instance, error) {
	if p.slots.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	if i := p.pop(); i != nil {
		return i, nil
	}
	i, err := p.start(ctx)
	if err != nil {
		p.slots.Release(1)
		return nil, err
	}
	p.live.Add(1)
	return i, nil
}

func (p *pool) pop() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.free)
	if n == 0 {
		return nil
	}
	i := p.free[n-1]
	p.free[n-1] = nil
	p.free = p.free[:n-1]
	return i
}

// put gives an instance back that is fit for another call.
func (p *pool) put(i *instance) {
	if p.push(i) {
		p.slots.Release(1)
		return
	}
	p.busy.Go(func() {
		defer p.slots.Release(1)
		p.closed(i.close(p.refill))
	})
}

// push keeps an instance, unless the pool rests.
func (p *pool) push(i *instance) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.rests {
		p.free = append(p.free, i)
	}
	return !p.rests
}

// rest lets the pool keep no instance, so that it takes no memory, or keep them again.
func (p *pool) rest(on bool) {
	p.mu.Lock()
	p.rests = on
	p.mu.Unlock()
	if !on {
		return
	}
	p.busy.Go(func() {
		for i := p.pop(); i != nil; i = p.pop() {
			p.closed(i.close(p.refill))
		}
	})
}

// discard takes back an instance whose call failed; its memory is in an unknown
// state. A goroutine closes it and starts another in its place, for which the
// slot stays taken. What goes wrong with that is found by who borrows next and
// has to start one.
func (p *pool) discard(i *instance) {
	p.busy.Go(func() {
		defer p.slots.Release(1)
		p.closed(i.close(p.refill))
		p.mu.Lock()
		rests := p.rests
		p.mu.Unlock()
		if rests {
			return
		}
		fresh, err := p.start(p.refill)
		if err != nil {
			return
		}
		p.live.Add(1)
		p.refills.Add(1)
		if !p.push(fresh) {
			p.closed(fresh.close(p.refill))
		}
	})
}

// closed takes the result of closing an instance.
func (p *pool) closed(err error) {
	p.live.Add(-1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		p.fault = err
	}
}

// warm starts instances until n live, or as many as are allowed.
func (p *pool) warm(ctx context.Context, n int) error {
	p.mu.Lock()
	n = min(n, p.max)
	p.mu.Unlock()
	var all []*instance
	defer func() {
		for _, i := range all {
			p.put(i)
		}
	}()
	for range n {
		i, err := p.borrow(ctx)
		if err != nil {
			return err
		}
		all = append(all, i)
	}
	return nil
}

// resize allows more or fewer instances. It does not wait: those that are too many are
// closed as they come back.
func (p *pool) resize(max int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := max - p.max
	p.max = max
	if more >= 0 {
		p.left += more
		p.slots.Release(int64(more))
		return
	}
	p.busy.Go(func() { p.shrink(-more) })
}

// shrink takes slots away, one by one so that those who borrow do not wait for all, and
// closes the instances for which there is none any more.
func (p *pool) shrink(slots int) {
	for range slots {
		if p.slots.Acquire(p.refill, 1) != nil {
			return // the pool is being closed
		}
		p.mu.Lock()
		p.left--
		over := int(p.live.Load()) > p.left
		p.mu.Unlock()
		if !over {
			continue
		}
		if i := p.pop(); i != nil {
			p.closed(i.close(p.refill))
		}
	}
}

// close ends replacements and closes all instances.
func (p *pool) close(ctx context.Context) error {
	p.stop()
	p.busy.Wait()
	var errs []error
	for i := p.pop(); i != nil; i = p.pop() {
		p.live.Add(-1)
		errs = append(errs, i.close(ctx))
	}
	return errors.Join(append(errs, p.fault)...)
}
