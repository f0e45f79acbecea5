// Package process gives functions state and timers by key: what a plugin of kind
// process is called with, ABI.md §5.2.
//
//	records ─▶ In ─▶ Session ─▶ Guest
//	                    │ Staged: commit, or discard after an error or Failures
//	                    ▼
//	            Memory  [len key] key name ── value, until its TTL has passed
//	            Timers  key, name ── at       one for event time, one for the clock
//	                    │
//	Advance ◀───────────┘ what is due comes back as records of the same call
//
// It has no goroutine, no clock and no I/O.
//
// A value with a TTL is there at least until the watermark has passed the time of the
// record that put it by the TTL. While timers by event time are handled the
// watermark is taken to be where the earliest of them was set, and at the end of the
// stream where it was before: what fires late finds what it would have found in time.
//
// Invariants:
//
//  1. What a call wrote is kept as a whole if it succeeds without Failures, and not
//     at all otherwise.
//  2. A call sees the state of the keys of its records and of no other.
//  3. A call gets one timer of a key at most, so that the next one of that key fires
//     as the call before has left it, moved or deleted. Those of a key fire in the
//     order of their times.
//  4. A restored transform goes on as one that never stopped, but that timers of the
//     same time may fire in another order.
//  5. Once the inputs have ended everything that is set fires, but what sets timers
//     again and again fails in the end.
//
// The first List in a group of keys sorts the names of the group, which are kept in
// order from then on: see state.Store.
package process
