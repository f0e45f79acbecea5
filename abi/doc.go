// Package abi is the guest contract of wasmill in Go: the names of imports and
// exports and the codec of the two frames that cross the boundary. ABI.md is
// the normative text; this package has to agree with it, and its tests read the
// examples in hex out of that page.
//
//	host                         guest memory
//	Header, In … ──write──▶ [ input arena: header | records | bytes ]
//	                                   │ wasmill_process
//	Table, Out … ◀──read─── [ output header ] ─▶ [ entries ] ─▶ bytes anywhere
//
// The package imports only the standard library, so any host can use it.
//
// Invariants
//
//  1. No function trusts an address, a length or a count from a guest: each is
//     checked against the memory given, and no input makes one panic.
//  2. Reading and writing a record allocates nothing.
package abi
