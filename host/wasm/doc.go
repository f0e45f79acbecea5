// Package wasm compiles plugins and calls them: it implements stream.Transform,
// and stream.Folder for those that aggregate, with instances of WebAssembly
// modules. It is the only package that knows wazero.
//
//	file ─▶ admission ─▶ decode ─▶ contract ─▶ meter ─▶ compile in a child (disk cache) ─▶ Plugin
//	                                                        │ one per vertex
//	stream.Batch ─▶ Transform ─▶ pool ─▶ instance ─▶ guest  ▼
//	                   ▲                    │ write frame, call, read output
//	                   └── return, or discard after any error
//
// An instance is used by one goroutine at a time, which holds it from borrow to
// return. A discarded one is closed and replaced by a goroutine of the pool, which
// the pool's close waits for; nothing else here starts one. Partitions, for guests
// whose memory is the state, have no pool: each has its instance, which is brought
// back after an error from a copy of its memory and the frames since.
//
// State by key is kept elsewhere: a plugin of kind process reaches it through the
// Session of a call, while its function runs.
//
// Versions swaps one version of a plugin for another while calls are made, and tries it
// before on records that came lately; an Archive keeps the files of those that served.
//
// Invariants
//
//  1. No address, length or count from a guest is used before it is checked;
//     what a guest answers can make a call fail and nothing else.
//  2. An instance whose call failed is never used again.
//  3. A transform has at most as many instances as its configuration says.
//  4. A call that fails leaves its input batch as it was.
//  5. A call allocates nothing per record.
//  6. A metered guest runs no longer than its deadline and a fraction of a
//     second, and lets other goroutines run about three times a millisecond.
//     Its calls in calls take no more stack than their limit, as package meter
//     estimates it, and in any case no more than wazero's own.
//  7. A plugin that does little but fail delays calls; no record is lost by that.
//  8. A guest whose memory is the state remembers the calls that went well and no
//     others, in whichever instance; where that cannot be had the vertex fails.
//  9. A call finds each side input the same from its start to its end.
//  10. A lock and a signature are of the bytes that are compiled.
//  11. A trial of another version (Versions.Try) changes nothing but the memory of its
//     own two instances: no state, no counter, nothing that anyone outside is asked or told.
//
// # Who is trusted with what
//
// Plugins are not trusted: not their bytes, not what they answer, not to return.
// A plugin can make its own calls fail, use up the time, memory and output that
// its vertex grants, and spoil its own records. It cannot read or write outside
// its linear memory, see another instance or the host's environment, keep other
// pipelines from running, or make the process panic.
//
// What stands behind that is wazero's compiler and Go, in one process: a fault
// there is a way out. A plugin that is in a call when such a fault, or one of our
// own, ends the process is not loaded again until it is released. Tenants that are hostile to each other, rather than
// careless, need a process each. The folder of compiled code is trusted as the
// program itself is: whoever writes there runs native code. A vertex with
// metering off trusts its plugin to return.
package wasm
