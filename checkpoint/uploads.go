package checkpoint

import (
	"context"
	"sync"
)

// uploads runs requests at once, up to a limit, until one fails.
type uploads struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	slots  chan struct{}
	group  sync.WaitGroup
}

func newUploads(ctx context.Context, limit int) *uploads {
	u := &uploads{slots: make(chan struct{}, limit)}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	return u
}

// start waits for a slot, and returns the error that ended the others, if any.
func (u *uploads) start(request func(ctx context.Context) error) error {
	select {
	case u.slots <- struct{}{}:
	case <-u.ctx.Done():
		return context.Cause(u.ctx)
	}
	u.group.Go(func() {
		defer func() { <-u.slots }()
		if err := request(u.ctx); err != nil {
			u.cancel(err)
		}
	})
	return nil
}

// ended returns the error that ended the requests, if any.
func (u *uploads) ended() error { return context.Cause(u.ctx) }

// wait returns after all requests, with the error of the first that failed.
func (u *uploads) wait() error {
	u.group.Wait()
	err := context.Cause(u.ctx)
	u.cancel(nil)
	return err
}
