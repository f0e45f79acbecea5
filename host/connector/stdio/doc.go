// Package stdio reads records from a stream of lines, such as standard input,
// and writes them to one.
//
//	reader ──▶ pump ──chunk──▶ Source.Read ──▶ batch
//	             ▲                 │
//	             └── empty buffer ─┘
//
// A blocked read of standard input cannot be interrupted, so a goroutine of its
// own, the pump, does the reading and Read waits for whichever comes first, a
// chunk or the end of ctx. The pump ends with the input or with Close; if it is
// in a read at that time, as soon as that returns.
//
// Invariants
//
//  1. Two buffers go round between pump and source; each has one owner.
//  2. Read returns what a chunk holds and waits for no other one.
//  3. Standard input cannot be read again: after a position a source goes on
//     with whatever its input gives, and counts lines from 1.
package stdio
