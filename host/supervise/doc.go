// Package supervise keeps one worker process running: it starts it again when it has died,
// later each time, until that is of no use.
//
//	Start ──▶ worker ──▶ Exit ──▶ next ─┬▶ again, after a pause
//	  ▲  SIGTERM when ctx ends,         ├▶ ended: what it ended with is what was wanted,
//	  │  Signals are passed on          │  or the same would come again
//	  └────────────── pause ◀───────────┴▶ given up: it died too often
//
// Run starts a goroutine that waits for the worker, and returns after it. The decision is
// next, which is pure.
//
// Invariants:
//  1. There is one worker at a time: the next is started after the last was waited for.
//  2. Run kills no worker. It asks it to end, and waits for as long as that takes.
//  3. After ctx has ended no worker is started.
//  4. On Linux a worker whose supervisor is gone gets SIGTERM.
package supervise
