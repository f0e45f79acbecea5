package pipeline

import (
	"math"
	"time"
)

// limiter finds how many calls at once serve a vertex best, from how long they
// take: while more of them leave the latency as it is they add throughput, and
// once it grows in step they only queue. It is stepped with finished calls and has
// no lock, no clock and no randomness.
//
// The method is the gradient limit of Netflix's concurrency-limits ("Performance
// Under Load", 2018), whose measure of queueing is that of TCP Vegas (Brakmo and
// Peterson, 1995):
//
//	limit ← limit · min(1, baseline / latency) + √limit
//
// so that the limit settles where √limit calls queue. These parts are different,
// because latencies of calls have long tails and change for good:
//
//   - Latency is the geometric mean of a window: one call in a hundred that takes
//     500 times as long moves it by 6 %, and the arithmetic mean sixfold. A window
//     lasts until the standard error is small, and what lies within twice of it is
//     no queueing.
//   - A window counts only calls that began in it, so that it measures this limit
//     and not the one before, and lasts several times as long as a call does in the
//     mean, so that it is not only the short ones that also end in it.
//   - The baseline falls as soon as a window is faster. It rises only by a probe:
//     after some windows that saw queueing one runs with half of the limit, and its
//     latency is the baseline from then on. Probes get rarer while they find what
//     is known.
//   - A window in which calls did not use the limit changes nothing.
//   - The limit grows at full speed, on short windows, until queueing is first seen,
//     and smoothly from then on.
type limiter struct {
	min, max int
	size     float64 // the limit, without a probe; min ≤ size ≤ max
	smooth   float64 // which part of a step is made: 1 at first, then smoothing
	baseline sample
	queueing int // windows that saw queueing, since the last probe
	probeAt  int // how many of these lead to the next one
	probing  bool

	// the window
	since    time.Time // zero before the first call
	finished int       // calls, also those that began before
	total    float64   // ns that they took
	calls    int       // that began in it
	sum      float64   // of the logarithms of their latencies
	sumSq    float64
	peak     int // the most in flight
}

// sample is the latency of a window: the mean of its logarithms, and the square
// of that mean's standard error.
type sample struct{ mean, variance float64 }

const (
	minWindow   = 100 * time.Millisecond
	minCalls    = 16
	maxVariance = 0.1 * 0.1 // of a sample
	tolerance   = 0.1       // of the logarithm of a latency
	smoothing   = 0.2
	minProbeAt  = 4
	maxProbeAt  = 64
)

// newLimiter starts at least, which is at least 1, where the first window tells
// the latency without queueing.
func newLimiter(least, most int) *limiter {
	return &limiter{min: least, max: most, size: float64(least), smooth: 1, baseline: sample{mean: math.Inf(1)}, probeAt: minProbeAt}
}

// limit returns how many calls should run at once.
func (l *limiter) limit() int {
	if l.probing {
		return max(l.min, int(l.size/2))
	}
	return int(l.size)
}

// observe takes a call that has finished at now; inFlight counts it, too.
func (l *limiter) observe(latency time.Duration, inFlight int, now time.Time) {
	limit := l.limit()
	if l.since.IsZero() {
		l.begin(now)
	}
	l.finished++
	l.total += float64(latency)
	if now.Add(-latency).Before(l.since) {
		return
	}
	ln := math.Log(float64(max(latency, 1)))
	l.calls++
	l.sum += ln
	l.sumSq += ln * ln
	l.peak = max(l.peak, inFlight)
	length := float64(now.Sub(l.since))
	if l.calls < max(minCalls, limit) || length < max(float64(minWindow), 4*l.total/float64(l.finished)) {
		return
	}
	n := float64(l.calls)
	mean := l.sum / n
	s := sample{mean, max(0, l.sumSq/n-mean*mean) / n}
	if s.variance <= maxVariance || !l.probing && (l.smooth == 1 || s.mean-l.baseline.mean > 2*l.noise(s)) {
		l.step(s, l.peak*5 >= limit*4)
		l.begin(now)
	}
}

// noise is by how much a window may differ from the baseline by chance.
func (l *limiter) noise(s sample) float64 {
	return tolerance + 2*math.Sqrt(s.variance+l.baseline.variance)
}

// begin opens a window.
func (l *limiter) begin(now time.Time) {
	l.since, l.finished, l.total, l.calls, l.sum, l.sumSq, l.peak = now, 0, 0, 0, 0, 0, 0
}

// step adapts the limit to a window; used says whether calls used the limit.
func (l *limiter) step(s sample, used bool) {
	noise, slower := l.noise(s), s.mean-l.baseline.mean
	switch {
	case l.probing:
		l.probeAt = min(2*l.probeAt, maxProbeAt)
		if math.Abs(slower) > noise {
			l.probeAt = minProbeAt
		}
		l.probing, l.queueing, l.baseline = false, 0, s
		return
	case slower < -noise:
		l.baseline, slower = s, 0
	}
	if !used {
		return
	}
	gradient := 1.0
	if slower > noise {
		gradient = max(0.5, math.Exp(-slower))
		l.queueing++
		l.probing = l.queueing >= l.probeAt || l.smooth == 1 // short windows made a rough baseline
		l.smooth = smoothing
	}
	l.size += l.smooth * (l.size*gradient + math.Sqrt(l.size) - l.size)
	l.size = min(max(l.size, float64(l.min)), float64(l.max))
}
