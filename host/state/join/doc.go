// Package join pairs the records of two sides that have the same key. It has no
// goroutine, no clock and no I/O.
//
//	record ──In──▶ measure: which panes, how many pairs? ──▶ reserve ──▶ pane of key and window
//	                 │ none, all are over    │ too many                   │ left:  1 2 3 …
//	                 ▼                       ▼                            │ right: 1 2 …
//	                late            smaller calls, please                 ▼
//	watermark ──Advance──▶ panes that are over ──▶ alone      each with those of the other side: pairs
//
// A pair is emitted by the call of the record that came last, whose Source and Seq it
// has, with the later event time of both. With Outer a left record without a right one
// is emitted when its pane is over: with its own event time, which may be behind the
// watermark by then, and NoSource. A result is JSON:
//
//	{"key":"a","left":{"n":1},"right":"text","start":"2026-01-02T15:00:00Z","end":"2026-01-02T15:01:00Z"}
//
// Values that are JSON stand in it as they are, without space and line ends; others as
// a string; those that are not UTF-8 in base64, as leftBase64. The missing right one is
// null, and so are start and end of the global window.
//
// Records are joined in each window that both are in (fixed, sliding, global), or with
// Within if no more than that lies between them. Then panes are as long as Within, or
// with Outer as a part of it, and a record also meets the panes beside its own. A record
// is late if all of its windows ended so long ago that the lateness is over too; with
// Within, if the watermark is further past it than the lateness.
//
// Sessions are refused: a record between two of them makes one of them, so pairs would
// come to be that neither of their records made.
//
// Invariants:
//
//  1. The results do not depend on the order of records and watermarks, but for which
//     records are late.
//  2. What a join knows is in Store and Timers, but for the watermark that its groups
//     have reached. All of it is in checkpoints: a restored one goes on as one that
//     never stopped.
//  3. A call that is refused has changed nothing: all room is reserved, and all pairs
//     are counted, before the first change.
//  4. A record costs the same, whatever else its pane holds, and what its pairs cost.
//  5. A call of several records gives at most 65,536 pairs of 64 MiB, or it is refused
//     and comes again in parts; one record alone at most 1,048,576 of 1 GiB, or it fails.
//     Advance ends panes of many records in several calls.
//  6. Stored bytes that are corrupt give ErrCorrupt, or a wrong result; no panic.
package join
