package state

// maxDeltas is how many times in a row only what changed is given.
const maxDeltas = 10

// Chain is how much the parts of a range have that are in checkpoints: the last full
// one and those that build on it. The zero value is none.
type Chain struct {
	full   int  // bytes of the last full one
	deltas int  // bytes of those after it
	n      int  // of those after it
	begun  bool // there is a full one, of just this range
}

// Worn says that the range should give all of it.
func (c *Chain) Worn() bool { return !c.begun || c.deltas > c.full || c.n >= maxDeltas }

// Add notes what one Freeze gave and a checkpoint has: n bytes.
func (c *Chain) Add(full bool, n int) {
	switch {
	case full:
		*c = Chain{full: n, begun: true}
	case n > 0:
		c.deltas += n
		c.n++
	}
}
