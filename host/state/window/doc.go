// Package window folds keyed records into windows of event time and says when
// they give results. It has no goroutine, no clock and no I/O.
//
//	record, watermark ──Add──▶ Spec: which windows?  ──▶ Aggregator: accumulator + record
//	                             │ none, all are over         │
//	                             ▼                            ▼
//	                            late                 Store  [w key start] accumulator, tail
//	                                                        [s key] sessions
//	                                                        [m start page] keys of a window, apart
//	                                                 Timers [start] or [key start], what ── at
//	watermark ──Advance──▶ timers that are due ──▶ Result: early, on-time, late ──▶ JSON
//
// Windows are half-open, [start, end), in ns since 1970, UTC:
//
//	fixed    one after the other, from multiples of the size, moved by the offset,
//	         which is the same all year: where clocks change, days do not follow
//	sliding  a record is in each of the windows that its time is in
//	session  of one key: from its first record until the gap has passed after its
//	         last. A record exactly a gap after the last one begins another session
//	         (as in Beam; Flink merges sessions that touch)
//	global   all of time; gives its result at the end of the stream
//
// A window fires on time once the watermark is at its end or past it: the
// watermark alone does that, whether a record, an idle source or the end of the
// stream moved it. With lateness it stays for that long, in event time, and gives
// one more result after each batch that brought it records. Then it is forgotten,
// and its records are late. A record that is late for some of its sliding windows
// counts in the others. A late record that makes a session longer can open it again.
//
// Early results come after every so many records, and as the watermark passes
// multiples of a duration, so that a replay gives the same ones; both only for
// windows that changed since their last result, and not beside one on time. Each
// result holds all records so far, and replaces those before of its key and start.
// Sessions that are merged give no result to take an earlier one back.
//
// Guests has the accumulators folded by a guest instead of an Aggregator: many windows
// of a batch at a time, and with the same results.
//
// Invariants:
//
//  1. What an operator knows is in Store and Timers: an operator over copies of
//     them goes on in the same way. What a vertex knows beside, its progress, is in
//     checkpoints, too: a restored one goes on as one that never stopped.
//  2. Each window with records has a timer for its next step, shared by the keys of
//     a group but for sessions: what is in the store leaves it with the watermark.
//  3. Sessions of a key do not overlap, and their ids are distinct.
//  4. A record with an error of its own has changed nothing.
//  5. The result does not depend on the order of records, rounding aside, but for
//     which of them are late.
//  6. A call of Guests that fails has changed nothing.
//  7. Stored bytes that are corrupt give ErrCorrupt, or a wrong result; no panic.
//
// The model is that of Akidau et al., The Dataflow Model, VLDB 2015, with what
// Flink does where that leaves a choice, unless said.
package window
