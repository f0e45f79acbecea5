package wasm

import (
	"context"
	"errors"
	"sync"
)

// pool is the bounded set of instances of one transform.
//
// Protocol: each instance that borrow returns goes back by exactly one call of
// put, or of discard after an error. Close after the last one is back.
type pool struct {
	start func(context.Context) (*instance, error)
	slots chan struct{} // holds a token for each instance that is borrowed

	mu   sync.Mutex
	free []*instance // guarded by mu; the last one returned is used first
}

func newPool(max int, start func(context.Context) (*instance, error)) *pool {
	return &pool{start: start, slots: make(chan struct{}, max)}
}

// borrow returns an idle instance or starts one. It blocks while as many as
// allowed are in use.
func (p *pool) borrow(ctx context.Context) (*instance, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if i := p.pop(); i != nil {
		return i, nil
	}
	i, err := p.start(ctx)
	if err != nil {
		<-p.slots
	}
	return i, err
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
	p.mu.Lock()
	p.free = append(p.free, i)
	p.mu.Unlock()
	<-p.slots
}

// discard closes an instance whose call failed; its memory is in an unknown
// state.
func (p *pool) discard(ctx context.Context, i *instance) error {
	defer func() { <-p.slots }()
	return i.close(ctx)
}

// close closes all instances.
func (p *pool) close(ctx context.Context) error {
	var errs []error
	for i := p.pop(); i != nil; i = p.pop() {
		errs = append(errs, i.close(ctx))
	}
	return errors.Join(errs...)
}
