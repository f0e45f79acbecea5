// Package statetest proves of a stream.Durable that what it remembers survives.
//
//	steps    1 2 3 4 5 6 7 …        the vertex that never stops, and what it says
//	views      [──────)   [──       frozen, and read while steps go on
//	restart          ▲ from 2, and again 3 4 5 6 with the same answers
//
// It drives two of them through the same random steps. One is frozen at random moments
// and replaced by a fresh one with the parts that a checkpoint would hold.
package statetest
