// Package generator is a source that makes its records up: of a fixed size, by
// a template, or as the auction events of the Nexmark benchmark.
//
//	pacer ──how many are due──▶ Source ──▶ filler | template | nexmark ──▶ arena
//
// Nexmark is the generator published by Apache Beam and github.com/nexmark: out
// of 50 events 1 is a person, 3 are auctions and 46 are bids; ids follow from
// the number of the event; half of the bids go to the hottest auction, three of
// four come from the hottest bidder and three of four auctions are by the
// hottest seller. Sizes are counted as there: a number or time is 8 bytes, a
// string its length, and the channel and url of a bid do not count, so the JSON
// is longer. Random numbers are our own, one sequence for each event.
//
// Invariants
//
//  1. Record n depends on the settings and n alone, not on batches, pace or
//     where reading began; {{time}} is the exception.
//  2. Record n of a paced source is due n/rate seconds after the first, however
//     late the ones before it were. Only a delay over maxDebt is forgotten.
//  3. No allocation per record.
package generator
