// Package watch says what files and the files of folders hold, and each time
// that it has changed: once per content, however the file was written. It reads
// no content and knows no config: the caller loads what a Snapshot hands over.
//
//	fsnotify ─▶ ears ─ names ─▶ tracker ◀─ sights ─ look ◀─ files
//	                               │          ▲
//	                 due, poll ────┼──────────┘
//	                               └─▶ Snapshot ─▶ Next
//
// An event only says when to look again. A look surveys the folders, listens to
// each one that a path leads through, symbolic links included, and then reads
// what was touched or has another size, time or inode. A tracker, which is pure,
// decides when a file rests and whether that is news.
//
// Run owns everything but the current snapshot; ears has one goroutine, which
// ends with Run and empties fsnotify's channels at any time.
//
// What only Poll finds: that a folder further up was renamed, and what other machines
// write to a share. A save that pauses for longer than Settle is told in its parts.
//
// Small files are handed over as the bytes that were hashed. Large ones, such as
// plugins, are known by their hash, and settle when two looks apart agree.
//
// Invariants
//
//  1. A content is told once it has rested for Settle, and when small at the
//     latest after Cap of changing all the time. What stops at last is told.
//  2. What a save leaves halfway is told late: a file that is missing, empty or
//     unreadable has to be so for Grace.
//  3. A snapshot differs from the one before. A file that was gone and comes back
//     with the same bytes differs in its state, and not in its hash.
//  4. The truth is the hash: mode, times and names of links change nothing.
//  5. A file that was being written while it was read is not told.
//  6. Every file is looked at within Poll. Without events, or with some lost, that
//     is all it takes; where events cannot be had, it is done more often.
//  7. Run ends when its context does, and for nothing else. Nobody who waits in
//     Next, or does not, holds it up.
package watch
