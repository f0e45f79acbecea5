package s3

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Ahead says how far the clock of the server is ahead of that of this machine, to about a
// second: what it answers says when, whether it lets us in or not. Requests are signed with
// the time, and a server refuses those of 15 minutes before or after its own (Amazon S3, API
// reference, error RequestTimeTooSkewed).
func (s *Store) Ahead(ctx context.Context) (time.Duration, error) {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, scheme+"://"+s.endpoint+"/", nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: s.transport, Timeout: s.timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	sent := time.Now()
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	at, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("the answer does not say when it was made: %w", err)
	}
	between := sent.Add(time.Since(sent) / 2)
	return aheadOf(at, between), nil
}

// aheadOf is at - local, of which the first has whole seconds only: less than one is none.
func aheadOf(at, local time.Time) time.Duration {
	d := at.Sub(local.Truncate(time.Second))
	if d.Abs() <= time.Second {
		return 0
	}
	return d
}
