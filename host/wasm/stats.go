package wasm

import (
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// Stats are counters of a transform since it began.
type Stats struct {
	Calls     uint64
	Discards  map[stream.Code]uint64 // instances given up after a call, by its error; Internal = the call was cancelled
	Yields    uint64                 // how often guests let others run
	Refills   uint64                 // instances started in place of discarded ones
	Openings  uint64                 // how often the breaker opened
	Suspended bool                   // calls wait, as the breaker is open
	Dropped   uint64                 // lines that guests logged above the limit
	Instances int                    // that live now
}

// discardReasons are the codes that discards are counted by.
var discardReasons = [...]stream.Code{
	stream.GuestTrap, stream.GuestDeadline, stream.GuestWait, stream.GuestFuel, stream.GuestLimit,
	stream.GuestMemory, stream.GuestStack, stream.GuestOutput, stream.Internal,
}

// counters are what a transform counts itself.
type counters struct {
	calls    atomic.Uint64
	through  atomic.Uint64 // records of calls that went well
	discards [len(discardReasons)]atomic.Uint64
}

// discarded counts an instance that a code cost.
func (c *counters) discarded(code stream.Code) {
	for k, reason := range discardReasons {
		if reason == code || k == len(discardReasons)-1 {
			c.discards[k].Add(1)
			return
		}
	}
}

// Stats returns the counters. They are read one after the other, while calls go
// on.
func (t *Transform) Stats() Stats {
	s := t.stats()
	s.Refills, s.Instances = t.pool.refills.Load(), int(t.pool.live.Load())
	return s
}

// stats returns the counters that do not concern instances.
func (t *employer) stats() Stats {
	s := Stats{
		Calls: t.counters.calls.Load(), Yields: t.vertex.yields.Load(),
		Dropped:  t.vertex.said.total.Load(),
		Discards: make(map[stream.Code]uint64, len(discardReasons)),
	}
	for k, reason := range discardReasons {
		s.Discards[reason] = t.counters.discards[k].Load()
	}
	s.Openings, s.Suspended = t.gate.openings()
	return s
}
