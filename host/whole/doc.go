// Package whole writes files so that nobody ever sees half of one, not even after a crash.
//
//	Fill, Replace ─┐                             ┌─ rename: the name is taken from the old file
//	Create ────────┼─▶ .tmp-RANDOM, in the same ─┼─ link: the name is nobody's, else fs.ErrExist
//	Show ──────────┘   folder: content, mode     └─ rename, without waiting for the disk
//
// It starts no goroutine. Any goroutines, of any processes, may write the same name.
//
// Invariants
//
//  1. Under the name is the old file or the new one, each with all of its content and its
//     mode; before an error also the old one, unless all that failed was to make the name
//     durable.
//  2. After Fill, Replace and Create have succeeded, the file outlives a crash of the machine.
//     Show promises nothing of that.
//  3. A call that returns leaves no other file. What one leaves that is killed has a name that
//     Temporary knows, and Sweep removes it.
//  4. The mode is what was asked for, whatever the umask and the old file have. A symbolic link
//     is replaced as the file that it is, and what it points to stays.
//  5. Errors name the file that was asked for, not the other one.
//
// Two write otherwise. Package checkpoint/dir keeps what has no name yet in a folder of its own,
// in an os.Root, and writes past the kernel's cache. Package host/connector/file gives names only
// when a checkpoint commits, and goes on with parts that a crash has left.
package whole
