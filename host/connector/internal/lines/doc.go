// Package lines cuts a stream of bytes into records, one per line, with no
// allocation per record.
//
//	        Space, Filled            Cut
//	reader ───────────────▶ window ───────▶ arena of a batch
//	                        a line whose end is missing stays
//
// A line ends with "\n" or "\r\n", which do not belong to it. Empty lines are
// records. What follows the last line end is a record too, but only Last gives
// it out, because more of it may come.
//
// Invariants
//
//  1. How the bytes were cut into reads and batches changes no record.
//  2. No line longer than Limits.Line is given out, and no more of one is held
//     than it takes to know that it is too long, apart from one read.
package lines
