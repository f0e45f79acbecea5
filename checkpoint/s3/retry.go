package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"
)

// A call asks this often before it gives up, and waits between, at random up to
// a bound that doubles.
const (
	attempts  = 4
	firstWait = 200 * time.Millisecond
	maxWait   = 2 * time.Second
)

// timeoutError says that a request had no answer in its time.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// repeat makes requests until one has an answer that will not change, or attempts
// have had none.
func (s *Store) repeat(ctx context.Context, request func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, request)
		if err == nil || attempt == attempts || !again(err) {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// once makes a request with its deadline. It returns the error of ctx when that
// has ended, whatever the client makes of it.
func (s *Store) once(ctx context.Context, request func(context.Context) error) error {
	if s.closed.Load() {
		return fs.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := request(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return &timeoutError{s.timeout}
	}
	return err
}

// pause waits before the next attempt.
func pause(ctx context.Context, attempt int) error {
	bound := min(firstWait<<(attempt-1), maxWait)
	timer := time.NewTimer(bound/2 + rand.N(bound/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended reports whether the error is of the caller's context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
