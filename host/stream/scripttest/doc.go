// Package scripttest runs the scripts that decisions are tested with: files of testdata that say
// what happens, and what comes of it.
//
//	testdata/*.txt ─▶ play ─▶ the script as it has to be ┬▶ differs: the test fails
//	                                                     └▶ -rewrite: it is written anew
//
// Of most scripts a line at the margin is a step, and the indented lines below it are what came
// of it (Steps). Run leaves to the test how a script is laid out. It starts no goroutine.
//
// Invariants
//
//  1. A pattern that finds fewer scripts than there were once fails: none is lost unseen.
//  2. Comments, lines that begin with #, and empty lines stay as they are.
//  3. With -rewrite no script fails for what came of it; the difference is for a person to read.
package scripttest
