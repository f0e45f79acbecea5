// Package file reads records from files and writes them to files.
//
// A source that does not follow reads the files it found at Open, in the order
// of their names, and ends; opened after that, it reads the lines that were added
// to the last one since, and later files. One that follows reads its files from the start and
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
// by a source that was stopped; content that is new but has the same first KiB,
// and the same KiB before the position; files that appear with a name before
// that of the file in the position, unless it follows.
//
// A sink in a run without checkpoints writes to its file. With them it writes
// parts in a hidden folder beside it, .NAME.wasmill, that are shown by a commit:
//
//	Write ──▶ part ──Prepare──▶ on the disk ──Commit──▶ renamed, or appended
//
// The first part of a file that is to be replaced takes its name, and later ones
// are copied to its end: a reader that takes whole lines, as the source does, sees
// each once. With {part} in the path each part gets a name of its own, EPOCH-INDEX
// of the checkpoint that had it first, and a reader never sees half of one. A
// commit has all parts that may not be shown yet, so none is lost with an epoch
// that was given up. For a device or a pipe Prepare is a Flush: at least once.
//
// Invariants
//
//  1. Every file is checked at Open, before any record of one is given out.
//  2. A batch has records of one file only.
//  3. Open after a position goes on at the byte after it, or fails: a file that
//     is shorter or differs is never taken for the one it was.
//  4. While following, a line is given out only when its end is there, or when
//     its file was replaced and nothing more can come.
//  5. A sink leaves an existing file as it is until the first Write or Flush, and
//     with checkpoints until the first Commit.
//  6. After an error of the disk no line is half there, and the call may be
//     repeated.
//  7. With checkpoints the file and the names of parts are the sink's alone:
//     Recover takes back what came after its commit, and fails if what came
//     before is not there. Only parts, once shown, may be taken away.
package file
