// Package envelope writes records with all they have, for sinks whose format is
// json.
package envelope
