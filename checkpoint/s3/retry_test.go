package s3

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRepeat(t *testing.T) {
	trouble := errors.New("the connection was cut")
	for _, c := range []struct {
		name    string
		err     error
		ctx     time.Duration // the caller's patience
		hang    bool
		want    error
		calls   int
		atLeast time.Duration
		atMost  time.Duration
	}{
		{name: "trouble is met a few times, with growing waits", err: trouble, ctx: time.Hour, want: trouble, calls: 4, atLeast: 700 * time.Millisecond, atMost: 1400 * time.Millisecond},
		{name: "what will not change is not asked again", err: errTooLong, ctx: time.Hour, want: errTooLong, calls: 1},
		{name: "the caller's end is obeyed between requests", err: trouble, ctx: 50 * time.Millisecond, want: context.DeadlineExceeded, calls: 1, atLeast: 50 * time.Millisecond, atMost: 50 * time.Millisecond},
		{name: "the caller's end is obeyed in a request", hang: true, ctx: 5 * time.Second, want: context.DeadlineExceeded, calls: 1, atLeast: 5 * time.Second, atMost: 5 * time.Second},
		{name: "each request has its own time", hang: true, ctx: time.Hour, want: &timeoutError{}, calls: 4, atLeast: 40 * time.Second, atMost: 42 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Store{timeout: 10 * time.Second}
				ctx, cancel := context.WithTimeout(t.Context(), c.ctx)
				defer cancel()
				begin, calls := time.Now(), 0
				err := s.repeat(ctx, func(ctx context.Context) error {
					calls++
					if c.hang {
						<-ctx.Done()
						return ctx.Err()
					}
					return c.err
				})
				took := time.Since(begin)
				var timeout *timeoutError
				if errors.As(c.want, &timeout) != errors.As(err, &timeout) || timeout == nil && !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if calls != c.calls || took < c.atLeast || took > c.atMost {
					t.Errorf("%d calls in %s, want %d in %s to %s", calls, took, c.calls, c.atLeast, c.atMost)
				}
			})
		})
	}
}
