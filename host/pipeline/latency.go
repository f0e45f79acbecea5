package pipeline

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latency counts durations in buckets of 1/16 of a power of two of nanoseconds,
// so a quantile is right to 6 %. It is safe for concurrent use.
type Latency struct{ buckets [60 * 16]atomic.Uint64 }

func (l *Latency) observe(d time.Duration, n int) { l.buckets[bucketOf(d)].Add(uint64(n)) }

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 16 {
		return int(v)
	}
	exp := bits.Len64(v) - 5 // v>>exp is 16…31
	return (exp+1)*16 + int(v>>exp) - 16
}

// floorOf is the smallest duration in a bucket.
func floorOf(bucket int) time.Duration {
	if bucket < 16 {
		return time.Duration(bucket)
	}
	return time.Duration(16+bucket%16) << (bucket/16 - 1)
}

// Quantile returns the upper bound of the bucket in which the q-th part of what
// was observed ends, 0 ≤ q ≤ 1; 0 if nothing was.
func (l *Latency) Quantile(q float64) time.Duration {
	var total, seen uint64
	for i := range l.buckets {
		total += l.buckets[i].Load()
	}
	for i := range l.buckets {
		n := l.buckets[i].Load()
		if seen += n; n > 0 && float64(seen) >= q*float64(total) {
			return floorOf(i + 1)
		}
	}
	return 0
}

// Histogram counts the durations that are at most as long as each bound, in
// seconds and rising, and last all; one that shares a bucket with a bound may
// count for the next. sum, in seconds, takes each for the middle of its bucket,
// so it is right to 3 %.
func (l *Latency) Histogram(bounds []float64) (counts []uint64, sum float64) {
	counts = make([]uint64, len(bounds)+1)
	at := 0
	for i := range l.buckets {
		low, high := floorOf(i).Seconds(), (floorOf(i+1) - 1).Seconds()
		for at < len(bounds) && high > bounds[at] {
			at++
		}
		n := l.buckets[i].Load()
		counts[at] += n
		sum += float64(n) * (low + high) / 2
	}
	for i := range bounds {
		counts[i+1] += counts[i]
	}
	return counts, sum
}
