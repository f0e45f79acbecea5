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
//	Frozen   a Memory or Timers as it was, in parts of at most 8 MiB
//	Tables   all that a vertex knows, as a stream.Durable: stores, timers, and a few
//	         numbers of each group
//
//	            at a Freeze           after a write to chunk 1
//	Memory   chunk 1   chunk 2      chunk 1   chunk 2   stay where they are
//	            │         │                      │
//	Frozen      ┴─────────┴─       a copy ───────┴────  until it was read
//
// The package has no goroutine, no clock and no I/O. Different groups may be
// used by different goroutines at once, one group by one at a time; whoever
// hands a group on synchronizes that. During Freeze nobody uses any; a Frozen is
// read by another goroutine while all are used. Usage, Timers.Next and Budget may
// be used by anyone at any time.
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
//  6. The same changes in the same order give the same parts, byte for byte,
//     whatever the process. A restored group has the same entries, and may
//     list them in another order.
//  7. Restore takes any bytes: of a damaged part it changes nothing. It allocates
//     in proportion to their number and that of the groups.
//  8. An entry past its time is never seen, and gone after a bounded number of
//     further insertions into its group.
//  9. Emptying chunks may exceed a budget by one chunk for each group.
//  10. A chunk of which half is asked for is given as it is, with what is dead in it.
//  11. Parts that were saved, and those of a view that builds on them, restore what
//     was there at its Freeze, whatever is written while it is read.
//  12. A byte that a view may read is never written: of a chunk that the view has yet
//     to read it gets a copy first, and the group goes on with one while it is read.
//     Appending behind what a view knows of a chunk, and heap places, which no
//     view reads, need no clone.
//  13. Beside what the budget allows, clones take at most as much as the chunks of
//     the one view, noted deletions half of the entries and marks a sixteenth.
//     Before the first Freeze or Restore there is none of that.
package state
