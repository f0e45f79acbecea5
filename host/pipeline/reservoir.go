package pipeline

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// reservoir picks some of the records that pass, each with the same chance, and looks at
// those only that it picks: algorithm L of K.-H. Li, Reservoir-Sampling Algorithms of
// Time Complexity O(n(1+log(N/n))), 1994, https://doi.org/10.1145/198429.198435
type reservoir struct {
	size   int // records, at least 1
	rand   *rand.Rand
	picked []Seen
	passed uint64  // since take
	next   uint64  // which one is picked next, once there are size of them
	weight float64 // W of the paper
}

// pass counts a record that passes. It returns where to put it, nil if it is not picked.
func (s *reservoir) pass() *Seen {
	n := s.passed
	s.passed++
	switch {
	case len(s.picked) < s.size:
		s.picked = append(s.picked, Seen{number: n})
		if len(s.picked) == s.size {
			s.weight, s.next = 1, n
			s.skip()
		}
		return &s.picked[len(s.picked)-1]
	case n < s.next:
		return nil
	}
	s.skip()
	slot := &s.picked[s.rand.IntN(s.size)]
	slot.number = n
	return slot
}

// skip chooses the next record that is picked.
func (s *reservoir) skip() {
	const far = 1 << 40
	chance := func() float64 { return math.Log(1 - s.rand.Float64()) } // of (0, 1]
	s.weight *= math.Exp(chance() / float64(s.size))
	s.next += uint64(min(far, chance()/math.Log1p(-s.weight))) + 1
}

// take returns what was picked, in the order in which it passed, and how many were not,
// and begins anew.
func (s *reservoir) take() (picked []Seen, left uint64) {
	picked, left = s.picked, s.passed-uint64(len(s.picked))
	slices.SortFunc(picked, func(a, b Seen) int { return cmp.Compare(a.number, b.number) })
	s.picked, s.passed = nil, 0
	return picked, left
}
