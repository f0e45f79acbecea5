package wasm

import (
	"testing"
	"time"
)

// TestABreakerOpensForLittleButFailures steps a breaker through calls, one each
// millisecond, and looks at whether it opens.
func TestABreakerOpensForLittleButFailures(t *testing.T) {
	const each = time.Millisecond
	tests := []struct {
		name  string
		limit int
		play  func(call func(records int, failed bool) (opened bool)) bool
		opens bool
	}{
		{"each record traps, alone in its call", 100, func(call func(int, bool) bool) bool {
			return repeat(100, func() bool { return call(1, true) })
		}, true},
		{"one failure less than the limit", 100, func(call func(int, bool) bool) bool {
			return repeat(99, func() bool { return call(1, true) })
		}, false},
		{"each record of a batch traps, with the search for them", 100, func(call func(int, bool) bool) bool {
			return search(1024, func(int) bool { return true }, call)
		}, true},
		{"one poison record in 10,000, with the search for it", 100, func(call func(int, bool) bool) bool {
			for _, batch := range []int{1, 16, 1024, 1 << 16} {
				for first := 0; first < 1<<18; first += batch {
					if search(batch, func(k int) bool { return (first+k)%10_000 == 0 }, call) {
						return true
					}
				}
			}
			return false
		}, false},
		{"one poison record in 10, with the search for them", 100, func(call func(int, bool) bool) bool {
			return repeat(20, func() bool { return search(1024, func(k int) bool { return k%10 == 0 }, call) })
		}, false},
		{"good calls turn bad", 100, func(call func(int, bool) bool) bool {
			repeat(100_000, func() bool { return call(1000, false) })
			return repeat(100, func() bool { return call(1, true) })
		}, true},
		{"few failures in a second", 100, func(call func(int, bool) bool) bool {
			return repeat(10_000, func() bool {
				for range 200 { // calls that end at once take their millisecond, too
					if call(0, false) {
						return true
					}
				}
				return call(1, true)
			})
		}, false},
		{"no limit", 0, func(call func(int, bool) bool) bool {
			return repeat(10_000, func() bool { return call(1, true) })
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := breaker{limit: tt.limit}
			now, through := time.Duration(0), uint64(0)
			opened := tt.play(func(records int, failed bool) bool {
				now += each
				if failed {
					return b.failed(now, through, false) > 0
				}
				through += uint64(records)
				return false
			})
			if opened != tt.opens || (b.state == open) != tt.opens {
				t.Errorf("opened: %v, in state %d", opened, b.state)
			}
		})
	}
}

func repeat(n int, step func() bool) bool {
	for range n {
		if step() {
			return true
		}
	}
	return false
}

// search makes the calls that find the poison records of a batch, and get the
// others through.
func search(n int, poison func(int) bool, call func(int, bool) bool) bool {
	var part func(lo, hi int) bool
	part = func(lo, hi int) bool {
		failed := false
		for k := lo; k < hi; k++ {
			failed = failed || poison(k)
		}
		if call(hi-lo, failed) {
			return true
		}
		mid := lo + (hi-lo)/2
		return failed && hi-lo > 1 && (part(lo, mid) || part(mid, hi))
	}
	return part(0, n)
}

func TestABreakerForgetsWhatIsTenSecondsAgo(t *testing.T) {
	b := breaker{limit: 100}
	for range 99 {
		b.failed(3*time.Second, 0, false)
	}
	if got := b.failed(14*time.Second, 0, false); got != 0 {
		t.Errorf("suspended for %v", got)
	}
	for range 98 {
		b.failed(15*time.Second, 0, false)
	}
	if got := b.failed(23*time.Second, 0, false); got != time.Second {
		t.Errorf("for 100 failures in ten seconds suspended for %v", got)
	}
}

// TestABreakerBacksOff goes through what happens once it is open.
func TestABreakerBacksOff(t *testing.T) {
	b := breaker{limit: 1}
	now := 5 * time.Second
	admit := func(wait time.Duration, probe bool) {
		t.Helper()
		if w, p := b.admit(now); w != wait || p != probe {
			t.Fatalf("at %v: wait %v, probe %v; want %v, %v", now, w, p, wait, probe)
		}
	}
	admit(0, false)
	if got := b.failed(now, 0, false); got != time.Second {
		t.Fatalf("suspended for %v at first", got)
	}
	if got := b.failed(now, 0, false); got != 0 {
		t.Errorf("a call that began before suspends for another %v", got)
	}
	for _, next := range []time.Duration{2, 4, 8, 16, 30, 30} {
		admit(b.backoff, false)
		now += b.backoff
		admit(0, true)
		admit(-1, false) // others wait for the probe
		if got := b.failed(now, 0, true); got != next*time.Second {
			t.Errorf("suspended for %v, want %v", got, next*time.Second)
		}
	}
	now += b.backoff
	admit(0, true)
	b.abandoned()
	admit(0, true) // somebody else tries
	b.passed()
	admit(0, false)
	if got := b.failed(now, 0, false); got != time.Second || b.openings != 2 {
		t.Errorf("after a good call: suspended for %v, %d openings", got, b.openings)
	}
}
