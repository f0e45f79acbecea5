// Package meter rewrites WebAssembly modules so that they can be interrupted and
// cost what they are allowed to: it counts fuel and stack down in globals, and where
// one is used up the guest calls the host.
//
//	function entry, branches back to a loop, before bulk instructions and calls
//	through a table:
//
//	    global.get $fuel             ;; i64, appended to the globals
//	    i64.const  weight            ;; instructions since the last check
//	    i64.sub
//	    global.set $fuel
//	    global.get $fuel
//	    i64.const  0
//	    i64.ge_s
//	    if else
//	      call       $yield          ;; imported, () -> i64: the next slice
//	      global.set $fuel
//	    end
//
// A branch back weighs as many instructions as lie between it and where it leads,
// a function as many as it has in all, so that the first round of a loop is paid
// on entry. Bulk instructions weigh 1/64 of their length more. A function that
// costs little with all that it calls has no check of its own: its callers pay,
// and calls through a table pay for the most costly of those that it may hold
// (see callgraph.go). Jumps of Go's compiler that lead back to a loop only to go
// forward from there need no check (see dispatch.go).
//
// Functions that may call each other round and round also count the stack that
// is left (see depth.go for which, frame.go for how much):
//
//	entry                           before each return
//	    global.get $stack               global.get $stack
//	    i64.const  frame                i64.const  frame
//	    i64.sub                         i64.add
//	    global.set $stack               global.set $stack
//
// At the entry one test serves fuel and stack: the call of yield follows if either
// is negative. So that all returns come by the same place, a block is put around
// the body, and a return becomes a branch to its end. A trap leaves the stack
// uncounted for.
//
// Where the check stands and which side comes first is made for wazero's
// register allocator: the state of registers where branches meet is that of the
// first one, and a loop's variable that is live across a call is stored at each
// definition, even if that call is hardly ever made. A conditional branch back
// becomes an if with the check and a branch inside: a condition that had to live
// through the check would be stored, loaded and tested again.
//
// Besides, the rewriter caps the maxima of memory and table, joins data segments that
// lie close to each other (see data.go), exports mutable globals under reserved names,
// and renumbers what the new import shifts, the name section included. Sections that
// the rewriting makes wrong (DWARF) are dropped.
//
// Invariants
//
//  1. A module that is not valid is refused, or is not valid afterwards: no
//     index that was out of range comes to name what was added.
//  2. A valid module does the same as before, while yield returns.
//  3. Between two calls of yield a guest executes a number of instructions that
//     is bounded by the slice and the size of its module.
//  4. No input makes Rewrite panic.
//  5. A function that returns leaves as much stack as it found; what functions that
//     do not count take at once is bounded.
//
// The format is that of the WebAssembly Core Specification 2.0, chapter 5, with
// tail calls. Other proposals are refused by name.
package meter
