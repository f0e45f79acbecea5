package generator

import (
	"context"
	"math"
	"time"
)

// maxDebt is how far a paced source may be behind and still catch up. A longer
// delay, such as a pause, is forgotten.
const maxDebt = 10 * time.Second

// pacer says how many records are due. Record k is due k/rate seconds after the
// start, so waits that take too long do not add up.
type pacer struct {
	rate  float64 // per second, above 0
	start time.Time
	given int64 // records since start
}

// wait blocks until a record is due and returns how many are, at most limit.
// The caller gives out all of them.
func (p *pacer) wait(ctx context.Context, limit int64) (int64, error) {
	for {
		now := time.Now()
		if p.start.IsZero() {
			p.start = now
		}
		behind := now.Sub(p.start) - p.dueAfter(p.given)
		if behind > maxDebt {
			p.start, p.given, behind = now, 0, 0
		}
		if behind >= 0 {
			n := p.due(now.Sub(p.start)) - p.given
			n = min(max(n, 1), limit)
			p.given += n
			return n, nil
		}
		timer := time.NewTimer(-behind)
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		case <-timer.C:
		}
	}
}

// dueAfter returns when record k is due, rounded up.
func (p *pacer) dueAfter(k int64) time.Duration {
	d := min(float64(k)*(float64(time.Second)/p.rate), math.MaxInt64/2)
	whole := time.Duration(d)
	if float64(whole) < d {
		whole++
	}
	return whole
}

// due returns how many records are due after a time.
func (p *pacer) due(after time.Duration) int64 {
	return int64(after.Seconds()*p.rate) + 1
}
