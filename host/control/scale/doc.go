// Package scale decides how many instances a vertex has. It is pure: it is told what was
// measured, and when, and reads no clock.
//
//	counters ─▶ Meter ─▶ Metric ─┐
//	pending, fullness ─▶ Metric ─┴─▶ Scaler.Tick ─▶ Decision: instances, and why
//
// A Metric is known or not. The number of one that is not known cannot be had, so that no
// rate that was never measured is taken for 0: after a restart, for one.
//
// One formula is for every vertex: as many instances as it takes to keep up with what
// comes, and to be through with what waits within Settings.TargetProcessing:
//
//	(rate + pending / target) / what one instance does in a second at work
//
// More are had at once, by steps and with a pause after each; fewer, when the whole
// lookback needed no more. So a change of direction takes a lookback at least one way.
//
// Invariants
//
//  1. What is not known changes nothing, but for bounds.
//  2. Zero only if pending and rate were known to be zero for the whole lookback, without a
//     gap. A clock that jumped, a counter that went back, and a suspension are gaps.
//  3. Nothing is decided while a vertex is suspended: a phase wins over bounds.
//  4. Otherwise the instances are within the bounds at once, and between changes that the
//     formula makes lie the cooldowns, at most one step each.
//  5. A vertex with no instances is woken as soon as something is pending.
//  6. There are not more instances while the downstream is full, or may be.
package scale
