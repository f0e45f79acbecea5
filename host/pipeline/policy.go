package pipeline

// Full says what happens to records for which a stage of a vertex has no room.
type Full string

// The policies when full. Block makes the sender wait and loses nothing; the
// others lose records because the user asked for it, and count each of them.
const (
	FullBlock      Full = "block"
	FullDropOldest Full = "dropOldest" // what has waited longest makes room
	FullDropNewest Full = "dropNewest" // what finds no room goes
)

// OnError says what happens to a record whose calls have all failed.
type OnError string

// The policies on an error. Fail ends the pipeline and leaves the record
// unacknowledged; drop settles and counts it; deadLetter sends it to the
// dead-letter sink, which settles it.
const (
	OnErrorFail       OnError = "fail"
	OnErrorDrop       OnError = "drop"
	OnErrorDeadLetter OnError = "deadLetter"
)
