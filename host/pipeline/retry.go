package pipeline

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry says how often a record is tried. Attempts counts all calls, so 1 and
// less is no retry. The wait after the first is Backoff, doubles with each
// further one up to MaxBackoff, and is cut by a random part of up to one half, so
// that what failed together does not come back together.
type Retry struct {
	Attempts            int
	Backoff, MaxBackoff time.Duration
}

// delays returns the waits after the first, second … attempt, uncut; the last
// one is that of all further attempts.
func (r Retry) delays() []time.Duration {
	b := backoff.ExponentialBackOff{
		InitialInterval: min(r.Backoff, r.MaxBackoff), Multiplier: 2, MaxInterval: r.MaxBackoff,
	}
	ds := make([]time.Duration, 0, 8)
	for n := 1; n < r.Attempts; n++ {
		d := b.NextBackOff()
		ds = append(ds, d)
		if d >= r.MaxBackoff || d <= 0 {
			break
		}
	}
	return ds
}

// retries holds what waits for its next attempt, by the time when that is due. It
// is stepped with events and has no lock and no clock.
type retries[T any] struct {
	attempts int
	delays   []time.Duration
	random   func() float64 // in [0, 1)
	waiting  heap[retry[T]] // by due time, ns since first
	first    time.Time      // the now of the first add; keeps the monotonic clock
	held     Limit
}

type retry[T any] struct {
	item    T
	size    Limit
	attempt int
}

func newRetries[T any](r Retry, random func() float64) *retries[T] {
	q := &retries[T]{random: random}
	q.set(r)
	return q
}

// set changes how often and when what is added from now on is tried again.
func (q *retries[T]) set(r Retry) { q.attempts, q.delays = r.Attempts, r.delays() }

// add takes an item of a size whose call number attempt, from 1, has failed. It
// returns false, and does not take it, if that was the last one.
func (q *retries[T]) add(item T, size Limit, attempt int, now time.Time) bool {
	if attempt >= q.attempts {
		return false
	}
	if q.first.IsZero() {
		q.first = now
	}
	wait := q.delays[min(attempt, len(q.delays))-1]
	wait -= time.Duration(q.random() * float64(wait) / 2)
	at := now.Sub(q.first)
	at += min(wait, math.MaxInt64-at)
	q.waiting.push(int64(at), retry[T]{item, size, attempt})
	q.held.Records += size.Records
	q.held.Bytes += size.Bytes
	return true
}

// due takes the first item whose time has come, and the number of the attempt it
// is due for. It returns false when there is none.
func (q *retries[T]) due(now time.Time) (item T, attempt int, ok bool) {
	if len(q.waiting) == 0 || now.Sub(q.first) < time.Duration(q.waiting[0].key) {
		return item, 0, false
	}
	r := q.waiting.pop()
	q.held.Records -= r.size.Records
	q.held.Bytes -= r.size.Bytes
	return r.item, r.attempt + 1, true
}

// next returns when the first item is due, or false when none waits.
func (q *retries[T]) next() (time.Time, bool) {
	if len(q.waiting) == 0 {
		return time.Time{}, false
	}
	return q.first.Add(time.Duration(q.waiting[0].key)), true
}

// len returns how many items wait, size what they hold.
func (q *retries[T]) len() int    { return len(q.waiting) }
func (q *retries[T]) size() Limit { return q.held }
