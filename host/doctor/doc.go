// Package doctor tells from facts about a machine and its settings what is wrong, and what
// to do about it. It looks at nothing itself.
//
//	examine.Look ─▶ Facts ─▶ Findings ─▶ report, exit code
//	                         │ Repair
//	examine.Mend ◀───────────┘ with --fix alone
//
// Invariants
//
//  1. Findings is a function of Facts: what is not known, which is the zero value, gives no
//     finding.
//  2. What is wrong is an Error with a code of host/stream; it keeps wasmill from doing what
//     the settings ask for. A Warning will, or does so for some. Of what is missing and may be,
//     Info tells.
//  3. Each Error and Warning has a fix. A Repair loses nothing: it makes folders, takes rights
//     from a token, and removes what processes that are gone have left.
package doctor
