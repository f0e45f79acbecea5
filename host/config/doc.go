// Package config reads what people write: the process file wasmill.yaml and
// pipeline files, with the environment and --set on top, and the files of tests beside
// these. It merges the layers,
// checks the whole and yields values that nobody changes afterwards. It starts
// no goroutine and knows no connector: the caller brings a Catalog of settings.
//
//	files ─▶ reader ─┐                                  ┌─▶ *Process
//	environment ─────┼─▶ merge (koanf) ─▶ edits ─▶ binder ─▶ *Pipeline ─▶ graph
//	--set ───────────│───────────────────────┘     ▲
//	                 └── places: path → file:line:col ──┘
//
// The reader turns YAML into maps, lists and scalars, and notes beside them
// where each key and value stands. Files and environment are merged by koanf:
// maps key by key, everything else replaced. A --set edits the result in place,
// because it reaches into lists. The binder walks the tree and the type to fill
// side by side; graph checks what the values mean together.
//
// A Masker takes secrets out of what goes to other people, such as diagnostics.
//
// Null is the same as a key that is not there. A key that is almost known is
// reported, and read as what it was meant to be, so that one slip of the pen is
// one fault.
//
// What was made can be listed, value by value, each with where it comes from, for
// people (wasmill config) and to compare two of them. The folder schema has what can
// be written, as JSON Schema for editors; a test makes it from the structs.
//
// Invariants
//
//  1. No bytes of a file, variable or flag make this package panic, and the work
//     and memory they cause are bounded (aliases, depth, size).
//  2. Every fault is a *stream.Error with a code, a cause and a place: file, line
//     and column and the path of the value, or the variable or flag it came from.
//  3. All faults of a load are returned at once, in the order of the layers and
//     of the lines; a value is returned only without any.
//  4. A key that nothing reads is a fault, in every layer.
//  5. Later layers win: defaults < files < environment < --set.
//  6. What was returned shares no memory with the input, nor with another load.
//  7. No value that is listed shows a secret: references to them are, and what may be
//     one by its name is masked.
//  8. The schemas accept every file that is read.
package config
