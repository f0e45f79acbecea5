// Package phase pauses and resumes a pipeline: what it is desired to do is one word,
// and how it gets there is a machine that is stepped with events.
//
//	          PauseSources            nothing is left         stored, or no checkpoints
//	running ───────────────▶ pausing ───────────────▶ checkpointing ───────────────▶ paused, drained
//	   ▲                        └── pauseGrace ──▶ paused, not drained ◀── pauseGrace ──┘   │
//	   │                                             │ goes on draining ──────▶ drained     │
//	   └── sources are read ── resuming ◀────────────┴── ResumeSources ─────────────────────┘
//
// The Driver does what the machine says to one run of a pipeline. Run is one goroutine
// and ends with the run; Set and Status may be called by anyone.
//
// Invariants:
//
//  1. What is desired is followed at once, from every state, and by every step after it.
//  2. Sources are told nothing twice, and the last that they were told is what is desired.
//  3. A pause is drained only if nothing was left after the sources had stood still and,
//     with checkpoints, one that began after that is complete. It stays drained until
//     sources are told to go on, also if the clock makes windows give results.
//  4. No more than one checkpoint is asked for in a pause. Checkpoints asked for in
//     another one count for nothing.
//  5. No later than pauseGrace, as it is then, and a tick after the sources were told to
//     stand still the state is paused.
package phase
