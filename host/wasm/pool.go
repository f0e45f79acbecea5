package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

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
	live    atomic.Int64   // instances; written with mu held
	busy    sync.WaitGroup // replacements, filling, and resizing to less, under way

	mu        sync.Mutex
	max       int         // guarded by mu; how many are allowed
	left      int         // guarded by mu; how many there may still be, as resizing to less is under way
	rests     bool        // guarded by mu; no instance is kept
	free      []*instance // guarded by mu; the last one returned is used first
	fault     error       // guarded by mu; the first of closing what was discarded
	want      int         // guarded by mu; how many are started ahead of calls, once it is warm
	warm      bool        // guarded by mu
	filling   bool        // guarded by mu; a goroutine starts them
	starting  int         // guarded by mu; that are started for calls and ahead of them
	replacing int         // guarded by mu; that are started in place of discarded ones
	unfit     error       // guarded by mu; why the last could not be started, nil = it could
}

// fillAgain is the time after which an instance is tried again that could not be started.
const fillAgain = time.Second

func newPool(ctx context.Context, max int, start func(context.Context) (*instance, error)) *pool {
	p := &pool{start: start, slots: semaphore.NewWeighted(poolCeiling), max: max, left: max, want: max}
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
	p.mu.Lock()
	i := p.last()
	if i == nil {
		p.starting++
	}
	p.mu.Unlock()
	if i != nil {
		return i, nil
	}
	i, err := p.start(ctx)
	p.started(&p.starting, err)
	if err != nil {
		p.slots.Release(1)
		p.missing()
		return nil, err
	}
	return i, nil
}

// started counts an instance that was being started.
func (p *pool) started(among *int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*among--
	if p.unfit = err; err == nil {
		p.live.Add(1)
	}
}

func (p *pool) pop() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last()
}

// last is pop with mu held.
func (p *pool) last() *instance {
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
	p.mu.Lock()
	replace := !p.rests
	p.live.Add(-1)
	if replace {
		p.replacing++
	}
	p.mu.Unlock()
	p.busy.Go(func() {
		defer p.missing()
		defer p.slots.Release(1)
		p.failed(i.close(p.refill))
		if !replace {
			return
		}
		fresh, err := p.start(p.refill)
		p.started(&p.replacing, err)
		if err != nil {
			return
		}
		p.refills.Add(1)
		if !p.push(fresh) {
			p.closed(fresh.close(p.refill))
		}
	})
}

// closed takes the result of closing an instance that lived.
func (p *pool) closed(err error) {
	p.mu.Lock()
	p.live.Add(-1)
	p.mu.Unlock()
	p.failed(err)
}

// failed notes the result of closing an instance.
func (p *pool) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		p.fault = err
	}
}

// ready is how many of the instances that should live do: one that is being replaced counts,
// as a call only waits for it. unfit is why another one could not be started.
func (p *pool) ready() (live, want int, unfit error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	want = p.wants()
	return min(int(p.live.Load())+p.replacing, want), want, p.unfit
}

// all counts those that live and those that will in a moment. It is called with mu held.
func (p *pool) all() int { return int(p.live.Load()) + p.starting + p.replacing }

// wants is how many should live. It is called with mu held.
func (p *pool) wants() int {
	if p.rests {
		return 0
	}
	return min(p.want, p.max)
}

// keep has so many instances started ahead of calls, if it is warm; warm makes it so for
// good. It does not wait for them.
func (p *pool) keep(want int, warm bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want, p.warm = want, p.warm || warm
	p.fillUp()
}

// missing has another one started in place of one that could not be, once its slot is free.
func (p *pool) missing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fillUp()
}

// fillUp begins to fill a warm pool. It is called with mu held.
func (p *pool) fillUp() {
	if !p.warm || p.filling || p.all() >= p.wants() || p.refill.Err() != nil {
		return
	}
	p.filling = true
	p.busy.Go(p.fill)
}

// fill starts instances, one by one, until as many live as should.
func (p *pool) fill() {
	for p.begin() {
		i, err := p.start(p.refill)
		p.started(&p.starting, err)
		if err == nil {
			p.put(i)
			continue
		}
		p.slots.Release(1)
		select {
		case <-time.After(fillAgain):
		case <-p.refill.Done():
		}
	}
}

// begin takes a slot for another instance; false if none is missing, or all slots are taken,
// by those who have one or start one. Then filling is over.
func (p *pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filling = p.all() < p.wants() && p.refill.Err() == nil && p.slots.TryAcquire(1)
	if p.filling {
		p.starting++
	}
	return p.filling
}

// ahead starts instances until n live, or as many as are allowed, and waits for them.
func (p *pool) ahead(ctx context.Context, n int) error {
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
		over := p.all() > p.left
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
	p.mu.Lock()
	p.stop() // no filling begins after that
	p.mu.Unlock()
	p.busy.Wait()
	var errs []error
	for i := p.pop(); i != nil; i = p.pop() {
		p.live.Add(-1)
		errs = append(errs, i.close(ctx))
	}
	return errors.Join(append(errs, p.fault)...)
}
