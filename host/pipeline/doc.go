// Package pipeline runs one generation of a graph: sources, transforms and sinks
// joined by bounded edges. It knows no WebAssembly, no object store and no
// YAML, so it is tested with plain Go functions.
//
//	          source loop            transform: N workers             sink loop
//	Source ─▶ [ router ] ─▶ lane ─▶ [ inbox ▸ Call ▸ router ] ─▶ lane ─▶ [ inbox ▸ Write ▸ Flush ]
//	   ▲                                                                      │
//	 acker ◀───────────────────── ledger (pending per batch) ◀────────────────┘
//
// A lane is an edge inside the process: the bounded queue of one sender in the
// inbox of its receiver. Workers take calls from the inbox; what is queued is
// merged up to the limits of a call, so that light load gives single-record
// latency and heavy load gives full frames.
//
// Goroutines: Run starts one per source, one acker per source, Concurrency per
// transform and one per sink, and returns after all of them.
//
// Invariants
//
//  1. A batch has one owner. Sending it to a lane gives it away.
//  2. A lane never holds more than its limits, or else a single batch.
//  3. Nothing taken after a barrier leaves a vertex before that barrier, and
//     nothing taken before it after it.
//  4. A watermark leaves a vertex after everything that was taken before it.
//  5. A source is acknowledged up to the longest prefix of its batches whose
//     records, and all that came of them, were flushed by sinks or filtered out.
//  6. After Drain no source is read; what was read reaches its sinks, is
//     flushed and acknowledged before Run returns.
package pipeline
