package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestHistogramIsRightToABucket(t *testing.T) {
	var l Latency
	bounds := []float64{1e-6, 1e-3, 0.25, 10}
	r := rand.New(rand.NewPCG(1, 2))
	least, most := make([]uint64, len(bounds)), make([]uint64, len(bounds))
	total, sum := uint64(0), 0.0
	for range 20_000 {
		d := time.Duration(math.Exp(r.Float64() * math.Log(60e9)))
		l.observe(d, 3)
		total, sum = total+3, sum+3*d.Seconds()
		for i, bound := range bounds {
			if d.Seconds() <= bound {
				most[i] += 3
			}
			if d.Seconds() <= bound*15/16 {
				least[i] += 3
			}
		}
	}
	counts, got := l.Histogram(bounds)
	for i := range bounds {
		if counts[i] < least[i] || counts[i] > most[i] {
			t.Errorf("at most %v s: %d, not %d to %d", bounds[i], counts[i], least[i], most[i])
		}
	}
	if counts[len(bounds)] != total || math.Abs(got-sum) > 0.03*sum {
		t.Errorf("%d last %v s, want %d and %v", counts[len(bounds)], got, total, sum)
	}
	l.observe(math.MaxInt64, 1)
	l.observe(0, 1)
	if counts, sum := l.Histogram(nil); counts[0] != total+2 || sum < 9e9 {
		t.Errorf("with the extremes: %d, %v", counts[0], sum)
	}
}
