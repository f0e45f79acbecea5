package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// simulation is a closed system in simulated time: as many calls run as the
// limit allows, and each progresses at a rate that depends on how many there are.
type simulation struct {
	work func(r *rand.Rand, at time.Duration) time.Duration // of one call, alone
	rate func(inFlight int) float64                         // at most 1
	load int                                                // the most calls that are there at once; 0 = any
	seed uint64
}

// outcome is what one run of a simulation came to, by second.
type outcome struct {
	done  []float64 // calls that finished
	limit [][]int   // the limit, every 10 ms
}

// run takes a limit for the time and a callback for finished calls.
func (s simulation) run(length time.Duration, limit func() int, observe func(time.Duration, int, time.Time)) outcome {
	type running struct{ began time.Duration }
	var calls heap[running] // by the progress at which they finish, in ns
	o := outcome{done: make([]float64, int(length.Seconds())), limit: make([][]int, int(length.Seconds()))}
	r, start := rand.New(rand.NewPCG(s.seed, 1)), time.Unix(1000, 0)
	now, progress, sampled := 0.0, 0.0, 0.0
	for {
		most := limit()
		if s.load > 0 {
			most = min(most, s.load)
		}
		for len(calls) < most {
			w := s.work(r, time.Duration(now))
			calls.push(int64(progress)+int64(w), running{time.Duration(now)})
		}
		n := len(calls)
		finish := float64(calls[0].key)
		now += max(finish-progress, 0) / s.rate(n)
		progress = max(progress, finish)
		if now >= float64(length) {
			return o
		}
		for ; sampled < now; sampled += 10e6 {
			o.limit[int(sampled/1e9)] = append(o.limit[int(sampled/1e9)], limit())
		}
		c := calls.pop()
		o.done[int(now/1e9)]++
		observe(time.Duration(now)-c.began, n, start.Add(time.Duration(now)))
	}
}

// fixed runs with a limit that stays.
func (s simulation) fixed(limit int, length time.Duration) outcome {
	return s.run(length, func() int { return limit }, func(time.Duration, int, time.Time) {})
}

// throughput is in calls per second, from one second to another.
func (o outcome) throughput(from, to int) float64 {
	sum := 0.0
	for _, n := range o.done[from:to] {
		sum += n
	}
	return sum / float64(to-from)
}

// limits returns the mean and the coefficient of variation of the limit.
func (o outcome) limits(from, to int) (mean, variation float64) {
	n, sum, sq := 0.0, 0.0, 0.0
	for _, second := range o.limit[from:to] {
		for _, l := range second {
			n, sum, sq = n+1, sum+float64(l), sq+float64(l)*float64(l)
		}
	}
	mean = sum / n
	return mean, math.Sqrt(max(0, sq/n-mean*mean)) / mean
}

func skewed(fast, slow time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, _ time.Duration) time.Duration {
		if r.IntN(100) == 0 {
			return slow
		}
		return time.Duration(float64(fast) * (0.9 + 0.2*r.Float64()))
	}
}

func exponential(mean time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, _ time.Duration) time.Duration {
		return time.Duration(r.ExpFloat64() * float64(mean))
	}
}

func halves(fast, slow time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, _ time.Duration) time.Duration {
		if r.IntN(2) == 0 {
			return slow
		}
		return fast
	}
}

// shift makes work longer by a factor from one time on.
func shift(at time.Duration, factor float64, work func(*rand.Rand, time.Duration) time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, now time.Duration) time.Duration {
		w := float64(work(r, now))
		if now >= at {
			w *= factor
		}
		return time.Duration(w)
	}
}

func alone(int) float64      { return 1 }
func cores(n int) float64    { return min(1, 2/float64(n)) }
func explodes(n int) float64 { return 1 / (1 + math.Pow(max(0, float64(n-20))/2, 2)) }

const ms = time.Millisecond

func TestLimiterFindsTheLimit(t *testing.T) {
	tests := []struct {
		name            string
		sim             simulation
		settled, length int     // s
		least           float64 // throughput then, as a part of the best fixed limit
		low, high       float64 // of the limit then
		best            []int   // fixed limits to compare with
	}{
		{"A: waits, long tail", simulation{work: skewed(ms, 500*ms), rate: alone}, 20, 60, 0.9, 58, 64, []int{64}},
		{"B: computes on two cores", simulation{work: skewed(ms, 20*ms), rate: cores}, 20, 60, 0.95, 2, 8, []int{2, 4, 64}},
		{"B, exponential", simulation{work: exponential(ms), rate: cores}, 20, 60, 0.95, 2, 8, []int{2, 4, 64}},
		{"C: explodes beyond 20", simulation{work: exponential(10 * ms), rate: explodes}, 20, 60, 0.5, 10, 30, []int{16, 20, 22, 24}},
		{"half of the calls wait", simulation{work: halves(ms, 500*ms), rate: alone}, 200, 300, 0.9, 56, 64, []int{64}},
		{"waits a second", simulation{work: exponential(time.Second), rate: alone}, 200, 300, 0.8, 50, 64, []int{64}},
		{"A, 10 times slower after 20 s", simulation{work: shift(20*time.Second, 10, skewed(ms, 50*ms)), rate: alone}, 40, 60, 0.9, 58, 64, []int{64}},
		{"A, 10 times faster after 20 s", simulation{work: shift(20*time.Second, 0.1, skewed(10*ms, 500*ms)), rate: alone}, 40, 60, 0.9, 58, 64, []int{64}},
		{"B, 10 times slower after 20 s", simulation{work: shift(20*time.Second, 10, exponential(ms)), rate: cores}, 100, 200, 0.95, 2, 8, []int{2, 4}},
		{"B, 10 times faster after 20 s", simulation{work: shift(20*time.Second, 0.1, exponential(10*ms)), rate: cores}, 60, 120, 0.95, 2, 8, []int{2, 4}},
		{"C, 10 times slower after 20 s", simulation{work: shift(20*time.Second, 10, exponential(10*ms)), rate: explodes}, 100, 200, 0.5, 10, 30, []int{16, 20, 22, 24}},
		{"C, 10 times faster after 20 s", simulation{work: shift(20*time.Second, 0.1, exponential(100*ms)), rate: explodes}, 60, 120, 0.5, 10, 30, []int{16, 20, 22, 24}},
	}
	t.Logf("%-30s %9s %8s %8s %7s %6s %6s", "1 ≤ limit ≤ 64", "calls/s", "of best", "fixed 8", "limit", "cv", "at 5 s")
	for _, tt := range tests {
		length := time.Duration(tt.length) * time.Second
		best := 0.0
		for _, n := range tt.best {
			best = max(best, tt.sim.fixed(n, length).throughput(tt.settled, tt.length))
		}
		fixed8 := tt.sim.fixed(8, length).throughput(0, tt.length)
		for seed := range uint64(3) {
			tt.sim.seed = seed
			l := newLimiter(1, 64)
			o := tt.sim.run(length, l.limit, l.observe)
			eight := o.throughput(0, tt.length) / fixed8
			got := o.throughput(tt.settled, tt.length)
			mean, _ := o.limits(tt.settled, tt.length)
			_, variation := o.limits(max(tt.length/2, tt.settled), tt.length)
			early, _ := o.limits(4, 5)
			t.Logf("%-30s %9.1f %7.1f%% %7.1f× %7.1f %5.1f%% %6.1f", tt.name, got, 100*got/best, eight, mean, 100*variation, early)
			if got < tt.least*best {
				t.Errorf("%s: %.0f calls/s, the best fixed limit makes %.0f", tt.name, got, best)
			}
			if mean < tt.low || mean > tt.high {
				t.Errorf("%s: settles at %.1f instead of %v to %v", tt.name, mean, tt.low, tt.high)
			}
			if variation > 0.15 {
				t.Errorf("%s: varies by %.0f %%", tt.name, 100*variation)
			}
			if tt.low > 8 && eight < 1 {
				t.Errorf("%s: %.2f of what 8 makes over all", tt.name, eight)
			}
		}
	}
}

func TestLimiterDoesNotGrowUnderLightLoad(t *testing.T) {
	for _, load := range []int{1, 4, 11} {
		l := newLimiter(16, 64)
		s := simulation{work: skewed(ms, 500*ms), rate: alone, load: load}
		o := s.run(60*time.Second, l.limit, l.observe)
		if mean, variation := o.limits(0, 60); mean != 16 || variation != 0 {
			t.Errorf("with %d in flight the limit is %.1f, want 16 as at first", load, mean)
		}
	}
}

func TestLimiterKeepsToItsBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, bounds := range [][2]int{{1, 1}, {5, 5}, {3, 9}} {
		l := newLimiter(bounds[0], bounds[1])
		now := time.Unix(1000, 0)
		for range 100_000 {
			now = now.Add(time.Duration(r.IntN(int(20 * ms))))
			l.observe(time.Duration(r.ExpFloat64()*float64(r.IntN(int(50*ms)))), l.limit(), now)
			if n := l.limit(); n < bounds[0] || n > bounds[1] {
				t.Fatalf("limit %d is not in %v", n, bounds)
			}
		}
	}
}

func TestLimiterTakesAnyLatency(t *testing.T) {
	l := newLimiter(1, 64)
	now := time.Unix(1000, 0)
	for i := range 10_000 {
		now = now.Add(10 * ms)
		l.observe([]time.Duration{0, -1, math.MaxInt64, math.MinInt64, 1}[i%5], l.limit(), now)
	}
	if math.IsNaN(l.size) {
		t.Error("the limit is not a number")
	}
}

// BenchmarkLimiter is one finished call.
func BenchmarkLimiter(b *testing.B) {
	l, now := newLimiter(1, 64), time.Unix(1000, 0)
	b.ReportAllocs()
	for i := range b.N {
		now = now.Add(10 * time.Microsecond)
		l.observe(time.Duration(1000+i&1023)*time.Microsecond, l.limit(), now)
	}
}
