package stream

import "context"

// Durable is a Keyed whose state survives in checkpoints. After a restore a record
// may be asked for its key again, with what Key returned as its own key: the answer
// is the same.
type Durable interface {
	Keyed

	// Freeze returns the state as it is now. It takes microseconds, or where state is
	// the memory of guests as long as copying what changed of it; is called while no
	// call is under way and after the Frozen before was released; and what it returns
	// is read while calls go on. full asks for all of the state, otherwise for what
	// changed since the last Freeze that was released as saved.
	Freeze(full bool) Frozen

	// Restore takes a part that a Frozen gave, in the order in which they were given,
	// over all checkpoints that build on each other. It is called before the first
	// call and keeps no reference to data. After an error, that of Restored too, only
	// Reset and Close are of use.
	Restore(table string, full bool, data []byte) error

	// Reset forgets everything that Restore brought, so that the parts of another
	// checkpoint, or none, can follow. It is called before the first call.
	Reset()

	// Restored is called once after the last part and before the first call, and
	// again after a Reset. It may take as long as starting what the state belongs to,
	// and says what the parts are not fit for together.
	Restored(ctx context.Context) error
}

// Frozen is the state of a Durable at one moment. One goroutine uses it.
type Frozen interface {
	// Parts gives the parts one after the other: a table, its groups from ≤ g < to,
	// whether the part is full, which replaces what was before, or builds on that, the
	// number of its entries and its bytes, valid during the call. An error of yield
	// ends it and is returned. It is called once at most.
	Parts(yield func(table string, from, to int, full bool, entries int, data []byte) error) error

	// Size returns about how many bytes Parts will give. It is called before that.
	Size() int64

	// Release frees what Freeze took, and is called once. saved says that the parts
	// are in a checkpoint from which the pipeline may be restored.
	Release(saved bool)
}

// Transactional is a Sink that can hide what it writes until a checkpoint is
// published. One on which Recover is not called, because there are no checkpoints,
// shows what it writes when it is flushed, as any other; otherwise it is prepared
// and not flushed.
type Transactional interface {
	Sink

	// Prepare makes everything written since the last Prepare durable, still hidden,
	// and returns what Commit needs to show it; nil if nothing was written. It comes
	// from the goroutine that writes.
	Prepare(ctx context.Context, epoch Epoch) (commit []byte, err error)

	// Commit shows what was prepared, once however often it is called, in another
	// process, too. It may come from any goroutine while others write.
	Commit(ctx context.Context, commit []byte) error

	// Recover is called once, after Open and before the first Write, with what the
	// checkpoint holds from which the pipeline is restored: those are committed, if
	// they are not yet, and everything else that was prepared or written and not
	// shown is thrown away.
	Recover(ctx context.Context, commits [][]byte) error
}
