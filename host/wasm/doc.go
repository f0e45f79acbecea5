// Package wasm compiles plugins and calls them: it implements stream.Transform
// with instances of WebAssembly modules. It is the only package that knows
// wazero.
//
//	file ─▶ decode ─▶ contract ─▶ compile (disk cache) ─▶ Plugin
//	                                                        │ one per vertex
//	stream.Batch ─▶ Transform ─▶ pool ─▶ instance ─▶ guest  ▼
//	                   ▲                    │ write frame, call, read output
//	                   └── return, or discard after any error
//
// An instance is used by one goroutine at a time, which holds it from borrow to
// return. Nothing here starts a goroutine.
//
// Invariants
//
//  1. No address, length or count from a guest is used before it is checked;
//     what a guest answers can make a call fail and nothing else.
//  2. An instance whose call failed is never used again.
//  3. A transform has at most as many instances as its configuration says.
//  4. A call that fails leaves its input batch as it was.
//  5. A call allocates nothing per record.
package wasm
