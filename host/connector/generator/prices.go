package generator

const (
	decades = 6
	perStep = 1.0366329284376979972907 // 10^(1/steps)
	steps   = 64                       // in a decade
)

// prices holds 100·10^(i/steps). It stands in for a power function, whose last
// bits differ between machines, and is faster.
type prices [decades*steps + 1]float64

func newPrices() prices {
	var p prices
	decade := 100.0
	for i := range p {
		if i%steps == 0 {
			p[i] = decade
			decade *= 10
		} else {
			p[i] = p[i-1] * perStep
		}
	}
	return p
}

// pick returns a price from 100 to 100,000,000, each order of magnitude as
// likely: 100·10^(6u) for a random u, rounded.
func (p *prices) pick(r *random) int64 {
	u := float64(r.float() * (decades * steps)) // conversions forbid fused operations
	i := int(u)
	rise := float64((p[i+1] - p[i]) * (u - float64(i)))
	return int64(p[i] + rise + 0.5)
}
