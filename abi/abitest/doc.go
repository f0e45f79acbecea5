// Package abitest holds both sides of the guest contract to ABI.md: CheckGuest
// puts any plugin through frames of all shapes, and Cases are guests with known
// answers, honest and lying ones, that any host can be run against.
//
//	CheckGuest:  suite ──frames──▶ Guest (a plugin, driven by some host)
//	Cases:       Host under test ──▶ guest built by Asm ──▶ wanted answer
//
// The package knows no WebAssembly runtime: the caller adapts its own. Guests
// of Cases are assembled here, so no toolchain is needed.
package abitest
