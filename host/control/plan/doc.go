// Package plan compares two configs of a pipeline and says what a reload has to do. It
// is pure: it reads no file, no clock and nothing of what runs.
//
//	old ─▶ Values ─┐
//	               ├─▶ Of ─▶ Steps, each with a Class ─▶ Plan, of the highest class
//	new ─▶ Values ─┘                 ▲
//	                          table: field ─▶ Class
//
// Vertices and edges are known by their names, so that one that has another place in
// the file is no change. What a change of the graph does to what is in a checkpoint
// is not said here: package durable compares the two.
//
// Invariants
//
//  1. A plan is empty if, and only if, both configs say the same.
//  2. No two steps have the same path. The plan of the way back has the same paths,
//     with old and new swapped.
//  3. Every field of a config has one class, in the table.
package plan
