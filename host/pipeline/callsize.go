package pipeline

import "time"

// callSize adapts the number of records in a call to what a record costs, so
// that slow ones travel alone and fast ones in full frames: records that share a
// call wait for each other.
type callSize struct {
	target    time.Duration // of a call; 0 = as many as there are
	perRecord float64       // ns, mean of the last calls
	known     bool
}

// observe notes a call that was made with n records.
func (s *callSize) observe(took time.Duration, n int) {
	cost := float64(took) / float64(n)
	if !s.known {
		s.perRecord, s.known = cost, true
		return
	}
	s.perRecord += (cost - s.perRecord) / 8
}

// limit returns how many records a call should have, at least 1 and at most most.
func (s *callSize) limit(most int) int {
	switch {
	case s.target <= 0:
		return most
	case !s.known:
		return 1
	case s.perRecord*float64(most) <= float64(s.target):
		return most
	}
	return max(1, int(float64(s.target)/s.perRecord))
}
