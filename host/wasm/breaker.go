package wasm

import "time"

// The window of a breaker has a part per second. Suspensions get longer while
// nothing but failures is seen.
const (
	windowParts = 10
	minBackoff  = time.Second
	maxBackoff  = 30 * time.Second
)

// breaker decides when calls of a transform wait, because it does little but
// discard instances. It is stepped with what happens, and has no clock: times are
// monotonic, since any moment. The zero value never opens.
//
// It opens when limit calls of the last ten seconds or more have failed, and not
// as many records got through since the first of them. Records and not calls, as
// the search for one poison record in a batch makes more bad calls than good ones.
//
//	closed ──failures──▶ open ──backoff is over──▶ probing ──good──▶ closed
//	                      ▲  longer backoff            │
//	                      └──────────bad───────────────┘
type breaker struct {
	limit    int // failed calls in a window that open it; 0 = never
	window   [windowParts]windowPart
	state    breakerState
	until    time.Duration // when a call may try again; only if open
	backoff  time.Duration // the last one; 0 after a good call
	openings uint64        // from closed
}

// windowPart is what happened in one second.
type windowPart struct {
	second  int64
	failed  int
	through uint64 // records through before the first failure
}

// breakerState says what calls do. It is changed by the methods of breaker only.
type breakerState int

const (
	closed  breakerState = iota // they go
	open                        // they wait for a time
	probing                     // they wait for the one that tries
)

// admit answers a call that wants to go at a time: it waits, and asks again, or
// it goes if wait is 0, perhaps as the probe. A wait below 0 has no end of its own.
func (b *breaker) admit(now time.Duration) (wait time.Duration, probe bool) {
	switch {
	case b.state == closed:
		return 0, false
	case b.state == probing:
		return -1, false
	case now < b.until:
		return b.until - now, false
	}
	b.state = probing
	return 0, true
}

// failed takes the failure of a call, after so many records of the transform
// got through in all. It returns for how long calls are suspended if they are
// from now on, or 0. Calls that began before the breaker opened change nothing.
func (b *breaker) failed(now time.Duration, through uint64, probe bool) (suspended time.Duration) {
	if !probe && (b.state != closed || !b.full(now, through)) {
		return 0
	}
	if !probe {
		b.openings++
	}
	b.backoff = min(max(2*b.backoff, minBackoff), maxBackoff)
	b.state, b.until = open, now+b.backoff
	return b.backoff
}

// full counts a failure, and says whether there were too many.
func (b *breaker) full(now time.Duration, through uint64) bool {
	if b.limit == 0 {
		return false
	}
	second := int64(now / time.Second)
	p := &b.window[second%windowParts]
	if p.failed == 0 || p.second != second {
		*p = windowPart{second: second, through: through}
	}
	p.failed++
	failed, before := 0, through
	for _, p := range b.window {
		if p.failed > 0 && second-p.second < windowParts {
			failed += p.failed
			before = min(before, p.through)
		}
	}
	return failed >= b.limit && uint64(failed) > through-before
}

// passed takes the success of the probe.
func (b *breaker) passed() {
	b.state, b.backoff, b.window = closed, 0, [windowParts]windowPart{}
}

// abandoned takes the end of a probe that says nothing: another call may try.
func (b *breaker) abandoned() { b.state = open }
