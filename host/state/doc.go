// Package state keeps what a vertex knows, by key, in memory, and hands it out
// key group by key group.
//
//	key ──GroupOf──▶ group 17 of 128
//	                    │
//	        ┌── table ──▼──────────────────────────────────────────┐
//	        │ slots   [ tag 28 bits | ref 36 bits ] … open address │
//	        │                            │                         │
//	        │ arena   chunk 1   chunk 2 ◀┘ chunk 3 …  up to 64 KiB │
//	        │         [head key value][head key value] …           │
//	        └──────────────────────────────────────────────────────┘
//
//	Memory   a table for each group: values by key
//	Timers   a table for each group, and a heap of refs by time
//	Staged   the writes of one call, until they are committed or discarded
//	Budget   the bytes that all of a vertex's tables may hold together
//
// The package has no goroutine, no clock and no I/O. Different groups may be
// used by different goroutines at once, one group by one at a time; whoever
// hands a group on synchronizes that. Usage, Timers.Next and Budget may be
// used by anyone at any time.
//
// Invariants:
//
//  1. A group is a function of the key and the number of groups alone, in this
//     and in every later version (hash version 1).
//  2. Go's collector sees a pointer for each chunk, none for each key: entries
//     above an eighth of a chunk have a chunk of their own.
//  3. Keys and values are at least half of an arena, its last chunk aside:
//     chunks with the most waste are emptied into others, one at a time.
//  4. A change refused for want of room has changed nothing. Replacing a value
//     by one that is no longer is never refused.
//  5. Between Reserve and Release no Put within what was reserved is refused.
//  6. The same changes in the same order give the same snapshot, byte for byte,
//     whatever the process. A restored group has the same entries, and may
//     list them in another order.
//  7. Restore takes any bytes: it restores all of them or changes nothing, and
//     allocates in proportion to their number.
//  8. An entry past its time is never seen, and gone after a bounded number of
//     further insertions into its group.
//  9. Emptying chunks may exceed a budget by one chunk for each group.
package state
