// Package file reads records from files and writes them to one.
//
// A source that does not follow reads the files it found at Open, in the order
// of their names, and ends. One that follows reads its files from the start and
// then what is appended to them, for ever:
//
//	          renamed, and the name has data again
//	reading ──────────────────────────────────────▶ draining ──▶ closed
//	 │   ▲  └──── removed ─────────────────────────────▲
//	 ▼   │ grew, or was truncated (starts again at 0)
//	waiting
//
// Files are told apart by device and inode, so a rename changes nothing. Of a
// file that was replaced, what is still unread comes first, then the new one.
//
// What it cannot see: a second rotation before the first was read to its end
// by a source that was stopped; a truncation after which the file grew back
// with the same first KiB; files that appear with a name before that of the
// file in the position, unless it follows.
//
// Invariants
//
//  1. Every file is checked at Open, before any record of one is given out.
//  2. A batch has records of one file only.
//  3. Open after a position goes on at the byte after it, or fails: a file that
//     is shorter or begins differently is never taken for the one it was.
//  4. While following, a line is given out only when its end is there, or when
//     its file was replaced and nothing more can come.
//  5. A sink leaves an existing file as it is until the first Write or Flush.
package file
