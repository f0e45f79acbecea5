// Package binary reads the sections of a core WebAssembly module: enough to
// check what a plugin imports and exports before it is compiled, and to name
// what is wrong with a file that is no plugin.
//
//	magic version | section id, size, bytes | section … | custom "name" …
//
// It follows the WebAssembly Core Specification 2.0, chapter 5 (binary format).
// Function bodies are found but not looked into.
//
// Invariants
//
//  1. No input makes Decode panic, or allocate more than a small multiple of
//     its length.
//  2. A module that decodes has been read to its last byte.
package binary
