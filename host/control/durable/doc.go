// Package durable runs a pipeline with checkpoints: it restores it, decides with a
// checkpoint.Coordinator when to take the next one, stores what the vertices give, and
// tells sources and sinks when it is there to stay.
//
//	           ┌─────────────── loop: one goroutine ───────────────┐
//	Configure ▶│ events ─▶ Coordinator ─▶ actions                   │
//	Checkpoint ┤                                                    │
//	           └──▲──────────────────────────┬─────────────────────┘
//	              │                          ├ Trigger      ▶ Pipeline.Inject
//	   Pipeline ──┤ snapshots                ├ Publish      ▶ Writer.Write
//	   Writer   ──┤ published, failed        ├ CommitSinks  ▶ Pipeline.Commit, Committed
//	   sinks    ──┤ committed, failed        ├ Retain       ▶ Collector.Run
//	   the end  ──┘                          └ Finished     ▶ Pipeline.Finish
//
// The loop does no I/O: what takes time has a goroutine of its own, which reports by
// an event. All end before Run returns.
//
// Invariants:
//
//  1. A vertex is asked for its state only after what it gave before is released.
//  2. A snapshot is released exactly once, as saved only if its checkpoint is stored.
//  3. Sources are acknowledged, and sinks commit, only what is stored.
//  4. Nothing of a checkpoint is dropped in a restore unless that is allowed.
//  5. A pipeline that has checkpoints it cannot read does not start.
package durable
