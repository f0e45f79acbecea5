// Package dir keeps the objects of checkpoints as files below one folder, of a
// local disk or of a file system that several machines have mounted.
//
//	data ──▶ .tmp/<random> ──fsync──▶ link (Create) or rename (Put) ──▶ name
//	                                                 └── fsync of the folders
//
// An object is a file whose path is its name. What other programs leave in the
// folder under names that no object can have is not touched.
//
// A call runs in a goroutine of its own, so that it can return when its context
// ends while the disk does not answer; the goroutine ends when the disk does.
// There are at most 4 of them, and each holds at most one object in memory.
//
// Invariants
//
//  1. A file under the name of an object is complete and on the disk: it gets its
//     name only after fsync.
//  2. Create gives a name by link(2), which fails if the name exists, whatever
//     process made it.
//  3. Nothing outside of the folder is read or written, also by symbolic links in
//     it (os.Root).
//  4. Folders have mode 0700 and files 0600. Folders go with their last object.
//
// As files and folders share their names, no object may have the name of
// another's folder ("a" next to "a/b"), and where the file system knows no upper
// case, no two names may differ in that alone.
package dir
