package scale

import "time"

// Meter makes a rate of a counter that is read now and then. Samples with a gap between
// them, on both sides of a jump of a clock, or of a counter that went back as it was begun
// anew, have no rate: what was before is forgotten.
type Meter struct {
	window  time.Duration
	samples []sample // no gap in between; one at most is older than the window
}

type sample struct {
	at    Instant
	count uint64
}

// NewMeter returns one that has its rates over this time at most.
func NewMeter(window time.Duration) *Meter { return &Meter{window: window} }

// Reset forgets all, as for another counter.
func (m *Meter) Reset() { m.samples = m.samples[:0] }

// Add tells what the counter was; one that is not known was not read, and says nothing.
func (m *Meter) Add(at Instant, counter Metric[uint64]) {
	count, ok := counter.Value()
	if !ok {
		return
	}
	if n := len(m.samples); n > 0 {
		last := m.samples[n-1]
		passed, ok := last.at.to(at)
		switch {
		case !ok || count < last.count:
			m.Reset()
		case passed == 0:
			m.samples = m.samples[:n-1]
		}
	}
	m.samples = append(m.samples, sample{at, count})
	old := 0
	for old+1 < len(m.samples) && at.Monotonic-m.samples[old+1].at.Monotonic >= m.window {
		old++
	}
	m.samples = append(m.samples[:0], m.samples[old:]...)
}

// Rate returns by how much the counter rises in a second, if there are samples that are not
// Brief and the last is of this moment: what came after it is not known.
func (m *Meter) Rate(now Instant) Metric[float64] {
	n := len(m.samples)
	if n < 2 {
		return Unknown[float64]()
	}
	first, last := m.samples[0], m.samples[n-1]
	span := last.at.Monotonic - first.at.Monotonic
	if last.at != now || span < Brief {
		return Unknown[float64]()
	}
	return Known(float64(last.count-first.count) / span.Seconds())
}

// Per returns by how much the counter rises while another one, read at the same moments,
// rises by 1; not known if that stands still.
func (m *Meter) Per(other *Meter, now Instant) Metric[float64] {
	rise, ok := m.Rate(now).Value()
	by, known := other.Rate(now).Value()
	if !ok || !known || by == 0 || len(m.samples) != len(other.samples) {
		return Unknown[float64]()
	}
	return Known(rise / by)
}
