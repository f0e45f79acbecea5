// Package pipeline runs one generation of a graph: sources, transforms and sinks
// joined by bounded edges. It knows no WebAssembly, no object store and no
// YAML, so it is tested with plain Go functions.
//
//	Source ─▶ router ─▶ lane      lane ─▶ inbox of a transform ─▶ router ─▶ lane ─▶ inbox ▸ Write ▸ Flush
//	   ▲                                                                                          │
//	 acker ◀───────────────────────── ledger (pending per batch) ◀────────────────────────────────┘
//
//	              input                 processing                   output
//	lane ─▶ queued ─deal▶ slots ─take▶ call ▸ Transform ─done▶ held for order ▸ ready ─send▶ router
//	                    (by key) ▲       ▲        │
//	      due by time, alarms ───┘       └─ redo ◀┴─ retries (wait)
//
// A lane is an edge inside the process: the bounded queue of one sender in the
// inbox of its receiver. A call takes from a lane what fits its limits, which
// adapt to what a record costs: light load gives single-record latency and heavy
// load full frames. It is in flight, with its least event time, from then until
// its results are accepted downstream. A call that fails is cut into smaller
// ones, down to the records that are tried again or given up.
//
// A lane that feeds a side input is emptied as it fills, by whoever sends: its records
// become values of the transform, and are done. No call begins before each side input
// has a value. Taps see what a router sends, or a sink is to write, and hold up nothing.
//
// A vertex that orders by key deals what comes to slots, ranges of groups of keys with
// one call at a time, of which there are other ones when Adjust says so. What a slot
// has to do by time is a call, too, and what comes of it fails like records do.
//
// With checkpoints a barrier takes copies of what is in flight along, rather than wait
// for it, and may overtake what is queued; that comes first after a restore.
//
// Goroutines: Run starts one per source, one acker per source, Concurrency+1 workers
// per transform, one per sink and those of Vertex.Beside, and returns after all of
// them. Every worker takes from the inbox either a call or the duty to send, which at
// most one has: it sends what is ready, and marks, until there is neither, and may
// wait for the downstream meanwhile; so there is one worker more than permits. On its
// way to a call at most one deals. Whatever makes something takeable wakes one worker,
// and that one the next if there is more, or calls Vertex.Wake if there are no permits.
// Timers wake what waits to be tried again or for the clock; they make sources idle.
//
// Invariants
//
//  1. A batch has one owner. Sending it to a lane gives it away.
//  2. A lane never holds more than its limits, or else a single batch. Processing
//     holds no more records than its limit, or else one; no new call begins while
//     output has reached its limit. What is kept besides is bounded by these.
//  3. Nothing taken after a barrier leaves a vertex before that barrier, and what
//     was taken before it leaves before it, or is in its snapshot.
//  4. A watermark never goes back, and leaves a vertex after everything older that was
//     taken before it and what that left to be done by then. A busy vertex is not idle.
//  5. A source is acknowledged up to the longest prefix of its batches whose
//     records, and all that came of them, were flushed by sinks, filtered out or,
//     counted, dropped; with checkpoints, up to where the last published one has it.
//  6. After Drain no source is read, nor between Pause and Resume, where no watermark
//     rises because of that; what was read reaches its sinks, is flushed and
//     acknowledged, after Drain before Run returns.
//  7. A permit is held while Transform is called, and not while a call waits for
//     its turn, its next attempt or the downstream.
//  8. With OrderKey a key is in one call at a time, also after failures and Adjust.
package pipeline
