package stream

// Sided is a Transform with side inputs: values under names, which are replaced now
// and then.
type Sided interface {
	// SetSide replaces a value, for the calls that begin after it. It may be called at
	// any time, by several goroutines, and does not block. The value is the
	// transform's from then on.
	SetSide(name string, value []byte)
}
