package wasm

import (
	"context"
	"errors"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// errWait ends a call that waited too long in functions of the host.
var errWait = errors.New("waited too long")

// wait calls f, which waits for something outside, while the guest rests: others
// get its turn, and the deadline of the call moves by as much. All waiting of a
// call has a limit of its own. f returns the cause of its context's end when that
// comes. An error that f did not return itself ends the call.
func (i *instance) wait(f func(ctx context.Context) error) error {
	c := &i.clock
	ctx, cancel := context.WithTimeoutCause(c.ctx, i.plugin.limits.WaitDeadline-c.waited, errWait)
	defer cancel()
	before := c.now()
	c.spent += before - c.resumed
	i.leave()
	err := f(ctx)
	took := c.now() - before
	c.waited += took
	c.deadline += took
	if err := i.enter(c.ctx); err != nil {
		return err
	}
	c.resumed = c.now()
	return err
}

// sleep implements sleep.
func (i *instance) sleep(_ api.Memory, stack []uint64) error {
	d := time.Duration(stack[0])
	if d <= 0 || i.vertex.awake {
		return nil
	}
	return i.wait(func(ctx context.Context) error {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}
