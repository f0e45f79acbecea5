// Package examine finds the facts that package doctor judges, and mends what it proposes.
//
// It decides nothing. What it changes while it looks is taken back: a file is written in
// data.dir, and what a start does to see whether a store can fence. Plugins are compiled
// into cache.dir, as any command does that loads one.
package examine
