package scale

import "time"

// Instant is a moment by two clocks, each from a beginning of its own: one that only goes
// forward, and that of the wall, which is set now and then.
type Instant struct{ Monotonic, Wall time.Duration }

// At is a moment after start, as both clocks of package time have it.
func At(start, now time.Time) Instant {
	return Instant{Monotonic: now.Sub(start), Wall: now.Round(0).Sub(start.Round(0))}
}

const (
	// Stale is how far apart measurements may lie. More is a gap.
	Stale = 5 * time.Second

	// Brief is how far apart the samples of a rate have to lie. In less a batch is much, and
	// nothing is little.
	Brief = 500 * time.Millisecond

	// drift is by how much the clocks may differ from one moment to the next: more is a
	// jump, or a machine that slept.
	drift = time.Second
)

// to returns the time from a moment to a later one; ok is false if it cannot be told, or
// is a gap.
func (i Instant) to(later Instant) (d time.Duration, ok bool) {
	d = later.Monotonic - i.Monotonic
	off := later.Wall - i.Wall - d
	return d, d >= 0 && d <= Stale && off <= drift && off >= -drift
}
