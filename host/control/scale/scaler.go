package scale

import (
	"fmt"
	"math"
	"time"
)

// fullAt is the fullness of the downstream from which on more instances would not help.
const fullAt = 0.9

// Input is what is known of a vertex at a moment.
type Input struct {
	At        Instant
	Pending   Metric[uint64]  // records that wait, or are in calls
	Rate      Metric[float64] // records in a second that it takes
	Each      Metric[float64] // records in a second that one instance does at work
	Full      Metric[float64] // of what may wait downstream, 0 to 1
	Instances int             // that it may have now
	Awake     bool            // it said that there is something to do for it, if only by time
	Suspended string          // why nothing is decided, as the pipeline pauses; empty = it is
	Held      string          // why nothing but bounds and waking is; empty = it is
}

// Scaler decides for one vertex. It is stepped by Tick, about once a second and when
// something comes to a vertex with no instances.
type Scaler struct {
	set     Settings
	last    Metric[Instant] // Tick
	changed Metric[Instant] // the last change, if it is known how long ago
	history history
}

// New returns a Scaler that has seen nothing yet.
func New(s Settings) *Scaler { return &Scaler{set: s} }

// Set puts other settings in force from the next Tick on.
func (s *Scaler) Set(set Settings) { s.set = set }

// Tick decides.
func (s *Scaler) Tick(in Input) Decision {
	s.pass(in.At)
	d := s.decide(&in)
	if d.Instances != in.Instances {
		s.changed = Known(in.At)
	}
	return d
}

// pass takes note that time passes. What was before a gap says nothing about after it.
func (s *Scaler) pass(now Instant) {
	if last, ok := s.last.Value(); ok {
		if _, ok := last.to(now); !ok {
			s.history.forget()
		}
		if changed, ok := s.changed.Value(); ok && now.Monotonic < changed.Monotonic {
			s.changed = Known(now)
		}
	}
	s.last = Known(now)
}

func (s *Scaler) decide(in *Input) Decision {
	keep := func(kind Kind, why string, args ...any) Decision {
		return Decision{Instances: in.Instances, Kind: kind, Reason: fmt.Sprintf(why, args...)}
	}
	if in.Suspended != "" {
		s.history.forget()
		return keep(Suspended, "%s", in.Suspended)
	}
	if n := s.set.Within(in.Instances); n != in.Instances {
		return Decision{Instances: n, Kind: Bounds, Reason: fmt.Sprintf("%d is not within %d to %d", in.Instances, s.set.Min, s.set.Max)}
	}
	pending, known := in.Pending.Value()
	if in.Instances == 0 {
		s.history.forget()
		switch {
		case in.Awake:
			return s.wake("there is something to do, and there was no instance")
		case !known:
			return keep(NotKnown, "it is not known whether something is pending")
		case pending == 0:
			d := keep(Asleep, "nothing is pending")
			d.Wanted = Known(0)
			return d
		}
		return s.wake(fmt.Sprintf("%d pending, and there was no instance", pending))
	}
	if in.Held != "" {
		s.history.forget()
		return keep(Suspended, "%s", in.Held)
	}
	if !known {
		s.history.forget()
		return keep(NotKnown, "it is not known what is pending")
	}
	rate, known := in.Rate.Value()
	switch {
	case !known, !(rate >= 0): // or it is not a number
		s.history.forget()
		return keep(NotKnown, "the rate is not known yet")
	case rate == 0 && pending > 0:
		s.history.add(in.At, int(min(pending, uint64(in.Instances))), s.set.Lookback) // it has no use for more
		return keep(Stuck, "%d pending, and none is taken: more instances would not either", pending)
	}
	wanted := 0
	why := "nothing comes and nothing is pending"
	if rate > 0 {
		each, known := in.Each.Value()
		if !known || !(each > 0) {
			s.history.forget()
			return keep(NotKnown, "it is not known yet what an instance does")
		}
		wanted = s.wanted(float64(pending), rate, each)
		why = fmt.Sprintf("%d pending and %.3g/s taken, %.3g/s by each instance at work: %d needed to be through in %v", pending, rate, each, wanted, s.set.TargetProcessing)
	}
	s.history.add(in.At, wanted, s.set.Lookback)
	d := s.move(in, max(wanted, s.set.Min), why)
	d.Wanted = Known(max(wanted, s.set.Min))
	return d
}

// wake is the decision to have the fewest that do something.
func (s *Scaler) wake(why string) Decision {
	return Decision{Instances: s.set.floor(), Wanted: Known(s.set.floor()), Kind: Woken, Reason: why}
}

// wanted is the formula. More instances than records would have nothing to do; and it is
// computed in floats, which do not overflow.
func (s *Scaler) wanted(pending, rate, each float64) int {
	busy := rate / each
	n := busy + pending/s.set.TargetProcessing.Seconds()/each
	n = math.Ceil(min(n, max(busy, pending)))
	if !(n < float64(s.set.Max)) { // or it is not a number
		return s.set.Max
	}
	return max(1, int(n))
}

// move goes towards what is wanted, as fast as it may.
func (s *Scaler) move(in *Input, wanted int, why string) Decision {
	d := Decision{Instances: in.Instances, Reason: why}
	now := in.Instances
	if wanted == now {
		d.Kind = Steady
		return d
	}
	if wanted > now {
		full, known := in.Full.Value()
		switch {
		case !known, math.IsNaN(full):
			d.Kind, d.Reason = NotKnown, why+", and it is not known whether there is room downstream"
		case full >= fullAt:
			d.Kind, d.Reason = Full, fmt.Sprintf("%s, but the downstream is full to %.0f %%", why, 100*full)
		case s.cooling(in.At, s.set.CooldownUp):
			d.Kind, d.Reason = Cooldown, fmt.Sprintf("%s, but the last change is less than %v ago", why, s.set.CooldownUp)
		default:
			d.Kind, d.Instances = Up, now+min(s.set.StepUp, wanted-now)
		}
		return d
	}
	most, covered := s.history.most(s.set.Lookback)
	least := s.set.Min
	if most > 0 {
		least = max(most, s.set.floor())
	}
	switch {
	case !covered || least >= now:
		d.Kind, d.Reason = Lookback, fmt.Sprintf("%s, but that is not so for %v yet", why, s.set.Lookback)
	case s.cooling(in.At, s.set.CooldownDown):
		d.Kind, d.Reason = Cooldown, fmt.Sprintf("%s, but the last change is less than %v ago", why, s.set.CooldownDown)
	default:
		d.Kind, d.Instances = Down, now-min(s.set.StepDown, now-least)
		if d.Instances == 0 {
			d.Kind = Zero
		}
	}
	return d
}

// cooling says whether the last change is too short ago.
func (s *Scaler) cooling(now Instant, cooldown time.Duration) bool {
	changed, ok := s.changed.Value()
	return ok && now.Monotonic-changed.Monotonic < cooldown
}
