package stream

// Timed is a Source that says how far event time has come, besides what the times of
// its records say.
type Timed interface {
	Source

	// Reached is called after each Read, by the same goroutine, and returns the
	// watermark that is promised from then on; a lower one than before changes nothing.
	// Read of a Timed may return an empty batch, to let only time go on.
	Reached() Watermark
}
