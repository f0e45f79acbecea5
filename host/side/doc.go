// Package side keeps the side inputs of a vertex that are files: it looks whether a file
// has changed, and hands its content on. It starts no goroutine.
//
//	file ─▶ stat, twice the same ─▶ read whole ─▶ stat, still the same ─▶ Set
//
// Invariants
//
//  1. What is handed on is the whole of a file as it was while nobody wrote to it for
//     as long as a look takes to come round; a file that is written beside and moved
//     into place is never seen in part.
//  2. When a file cannot be read, or is too large, the last content stays. That is said
//     once, and once more when it can be read again.
//  3. The same content is handed on once.
package side
