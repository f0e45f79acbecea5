// Package revision keeps the accepted configs of a pipeline in a folder, so that their
// numbers go on over restarts and the last good ones can be read.
//
//	<folder>/0000000007.revision    what is known of it in lines, an empty one, and
//	                                the content as it was
//
// What a name says, which number is next and which files are to go are pure
// (names.go), as is what a file holds (text.go). Store does the disk around them. It
// has no goroutine.
//
// Invariants
//
//  1. A number is given once. A file has its name only when all of it is on the disk,
//     and takes it from nobody: of two processes one gets the next number.
//  2. A file that is damaged is told and passed over, and its number is not given
//     again. Files with other names are not touched.
//  3. The last keep revisions that can be read stay, and so the last good one does; of
//     several in a row with the same content only the last.
package revision
