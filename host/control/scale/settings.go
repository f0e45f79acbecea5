package scale

import "time"

// Settings say within what a vertex is scaled, and how fast.
type Settings struct {
	Min, Max         int           // instances; 0 ≤ Min ≤ Max, 1 ≤ Max
	Lookback         time.Duration // for so long fewer have to do, before there are
	TargetProcessing time.Duration // what waits is to be through within; positive
	CooldownUp       time.Duration // after a change until there may be more
	CooldownDown     time.Duration // after a change until there may be fewer
	StepUp, StepDown int           // most instances of one change; positive
}

// floor is the fewest instances of a vertex that has something to do.
func (s *Settings) floor() int { return max(1, s.Min) }

// Within returns the number of instances within the bounds that is nearest to n.
func (s *Settings) Within(n int) int { return min(max(n, s.Min), s.Max) }
