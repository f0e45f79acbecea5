package stream

import "context"

// Pane is a window of a key, with what its records came to so far. It holds no
// pointers.
type Pane struct {
	Start, End   int64  // [Start, End) in ns since 1970; of the window of all times the least and the largest int64
	Key          Span   // in the arena of Panes.Batch
	Accumulator  Span   // in Panes.Accumulators; empty = nothing was added yet
	First, Count uint32 // of Panes.Records: those that are to be added
	Firing       Firing // why its result is wanted
}

// Firing says why a window gives a result.
type Firing uint32

// The firings, as guests know them.
const (
	FiringEnd   Firing = 0 // the watermark has come to the end of the window
	FiringEarly Firing = 1 // it has not
	FiringLate  Firing = 2 // records came after that, within the lateness
)

// Panes is what a call of a Folder is about. The batch stays the caller's and is
// only read; the call may change the rest, and keeps none of it.
type Panes struct {
	Batch        *Batch   // its arena has the bytes of Records, and the keys
	Records      []Record // by pane; one that is in several windows is there for each
	Table        []Pane   // each key and window once
	Accumulators []byte   // new ones are appended
	Watermark    Watermark
}

// Folder folds records into accumulators that its caller keeps. Many goroutines may
// call it at once. An error concerns the whole call, Failures parts of it; after
// either what the call made of Table and Accumulators is void.
type Folder interface {
	// Merges says whether Merge may be called, which sessions need.
	Merges() bool

	// Add folds the records of each pane into its accumulator, in their order.
	// Failures are of Records. Nothing else goes to out.
	Add(ctx context.Context, p *Panes, out *Output) error

	// Merge makes one of each two panes: the accumulator of the first, the third
	// and so on becomes that of both. There are no records.
	Merge(ctx context.Context, p *Panes) error

	// Result puts the results of all panes into out, each from NoSource, and may
	// give panes other accumulators. There are no records; Failures are of Table.
	Result(ctx context.Context, p *Panes, out *Output) error
}
