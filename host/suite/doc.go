// Package suite runs the tests of a pipeline: the pipeline itself, or a part of it, with
// its plugins and limits, and in memory what would be outside.
//
//	test ─▶ scope: which vertices, what comes in, what leaves      (pure)
//	                        │
//	feed ─▶ [relay ─▶] vertices of the pipeline ─▶ collector       (a pipeline.Pipeline)
//	  ▲                     │                          │
//	stepper: a record, then wait until nothing moves ◀─┘
//	                        │
//	outcome: records, failures, state ─▶ judge: findings, diffs    (pure)
//
// A feed stands for a source, or for a vertex before the part that is tested: then a relay
// behind it gives its records the tags that the vertex would. A collector stands for a
// sink, or for a vertex behind. Nothing else is different, but that one call is made at a
// time, that retries do not wait, that no source becomes idle, and that a record at which
// the pipeline would end (onError: fail) is noted and dropped.
//
// Goroutines: those of the pipeline. The stepper runs in that of the caller.
//
// Invariants
//
//  1. No source and no sink of the pipeline is opened, and no guest reaches the network.
//  2. A record goes in when nothing moves any more of those before: so what comes of it,
//     and in which order, is the same in each run. Results that one record sends to one
//     place by several ways are in the order of the edges of that place.
//  3. Everything that leaves, fails or is kept is in the outcome.
package suite
