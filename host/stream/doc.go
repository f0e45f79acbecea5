// Package stream holds the words of wasmill: what moves through a pipeline and
// the interfaces of the things it moves through. It starts no goroutine, does
// no I/O and imports only the standard library; every other package imports it.
//
//	                 Item (batch | watermark | barrier)
//	Source ──Read──▶ vertex ──Outlet.Send──▶ Transform ──▶ vertex ──▶ Sink
//	   ▲                                                              │
//	   └──────────────── Ack(position) ◀── ledger ◀──── settled ──────┘
//
// A Batch is one arena of bytes plus a table of Records whose spans point into
// it: no pointer and no allocation per record. A batch has exactly one owner;
// sending it, returning it or putting it back into a BatchPool gives it away.
//
// Invariants
//
//  1. Every span of a record lies inside the arena of its batch.
//  2. A record keeps the source and sequence number of the source record it
//     came from, through every transform, fan-out and merge.
//  3. A Position is opaque bytes that only its source reads; it can be stored,
//     and given back to Open in another process.
//  4. Watermarks on one outlet never go back.
package stream
