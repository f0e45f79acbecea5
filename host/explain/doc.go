// Package explain has for every code of an error what a person wants to know who has
// just met it: what went wrong, why that happens, how it looks and what to do.
//
//	stream.Code ─▶ Of ─▶ Entry {title, cause, example, fix}
//
// Invariants
//
//  1. Each code of host/stream/codes.go has one entry, and there are no others.
//  2. An example is what wasmill prints: of a bad config in host/config/testdata/bad
//     where one has the code, else made of texts of a function that uses the code.
//  3. The exit code of an entry is that of the table in host/stream.
package explain
