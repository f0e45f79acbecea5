package state

import (
	"context"

	"github.com/wasmill/wasmill/host/stream"
)

// Keys is the part of a stream.Keyed that is the same for all of them: which key a
// record has, and which group a key. It is made to be embedded.
type Keys struct {
	groups int
	of     func(b *stream.Batch, i int) ([]byte, bool)
}

// NewKeys returns the keys that of returns, nil for the records' own, in so many
// groups. What of returns is valid until the next call.
func NewKeys(groups int, of func(b *stream.Batch, i int) ([]byte, bool)) Keys {
	if of == nil {
		of = func(b *stream.Batch, i int) ([]byte, bool) { return b.Key(i), true }
	}
	return Keys{groups, of}
}

// Groups implements stream.Keyed.
func (k Keys) Groups() int { return k.groups }

// Key implements stream.Keyed.
func (k Keys) Key(b *stream.Batch, i int) ([]byte, bool) { return k.of(b, i) }

// Group implements stream.Keyed.
func (k Keys) Group(key []byte) int { return int(GroupOf(key, k.groups)) }

// Call implements stream.Transform: In takes its place.
func (Keys) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: a transform with keys called without groups")
}

// Keyless adds a Failure for each record that has no key, and says whether there
// are any. Nothing may have been done with the others yet.
func (Keys) Keyless(in *stream.Batch, out *stream.Output) bool {
	for i := range in.Records {
		if in.Records[i].Port == stream.NoKey {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "the record has no key: the field that key names is missing"})
		}
	}
	return len(out.Failures) > 0
}
