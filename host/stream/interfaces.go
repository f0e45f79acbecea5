package stream

import (
	"context"
	"fmt"
)

// Source reads records from an outside system. One goroutine calls Open, Read
// and Position; Ack may come from another one at the same time.
type Source interface {
	// Open starts reading after a position, or at the source's own beginning
	// when it is nil. Called once, before anything else.
	Open(ctx context.Context, after Position) error

	// Read fills an empty batch with at least one record and blocks until it
	// can, but returns what there is rather than wait for a full batch. It
	// returns io.EOF, alone and for good, when the source is finished, and
	// ctx's error soon after ctx ends, in which case the batch is empty and
	// nothing is lost: Read may be called again. The batch belongs to the
	// caller, who also sets Source, Seq and Port of its records.
	Read(ctx context.Context, b *Batch) error

	// Position appends to dst where the source stands after the last Read.
	Position(dst []byte) Position

	// Ack says that every record up to a position is done and durable; the
	// source may forget them. Positions come in order. It may block.
	Ack(ctx context.Context, upTo Position) error

	// Close frees what Open took. Called once, after the last Read.
	Close() error
}

// Locator is a Source that can say where a record stands, for messages. It
// reads nothing but its arguments and may be called at any time.
type Locator interface {
	// Locate names a place such as "access.log:12". back counts records back
	// from the last one before the position, from 0, within one batch.
	Locate(after Position, back int) string
}

// Sink writes records to an outside system. One goroutine calls it.
type Sink interface {
	// Open is called once, before anything else.
	Open(ctx context.Context) error

	// Write takes the records of a batch in order. It may buffer; it may block
	// for as long as the outside system does. The batch stays the caller's,
	// and the sink keeps no reference to its bytes. An error means that none was
	// taken and the batch may be written again, or if it is Rejected, that all
	// were but those.
	Write(ctx context.Context, b *Batch) error

	// Flush returns when everything written is as durable as this system makes
	// it. Only then are records acknowledged to their sources.
	Flush(ctx context.Context) error

	// Close frees what Open took, after a last Flush by the caller.
	Close() error
}

// Transform turns records into records. Up to the vertex's concurrency many
// goroutines call it at once.
type Transform interface {
	// Call fills out, which is empty, from in. Each output record carries the
	// Source and Seq of the input it came from. On success without Failures in's
	// arena may have been swapped into out; otherwise in is as it was, so that the
	// caller can try parts of it, and on an error out is void. Whichever batch has
	// it, the bytes that in's arena held stay as they are, since others may copy them.
	// An error concerns the whole batch (a trap, a broken plugin); an error of
	// one record is a Failure in out.
	Call(ctx context.Context, in *Batch, out *Output) error

	// Close waits for no call: the caller made sure that none is running.
	Close(ctx context.Context) error
}

// Keyed is a Transform that remembers, by group of keys. Groups from ≤ g < to that
// lie side by side are used together, by one goroutine at a time, so that records of
// a key come in order; In takes the place of Call. What is due by event time it does
// in Advance, which is called after everything that came before the watermark, and
// whose results leave before it; so it does what is due by the clock.
type Keyed interface {
	Transform

	// Groups returns how many groups there are, at most 65536.
	Groups() int

	// Key returns the key of a record, valid until the next call, and false if it
	// has none. Only one goroutine calls it.
	Key(b *Batch, i int) (key []byte, ok bool)

	// Group returns the group of a key. Anyone may call it at any time.
	Group(key []byte) int

	// In is Call for records of groups that are the call's alone until it returns:
	// Record.Group. Their key is what Key returned; those that have none have the
	// Port NoKey. If it returns an error or Failures what it remembers is as before,
	// so that parts of the batch can be tried again; see Output.Kept.
	In(ctx context.Context, in *Batch, out *Output) error

	// Due returns the least watermark at which one of the groups has something to
	// do, and false if there is none. No call has these groups.
	Due(from, to int) (at Watermark, ok bool)

	// Alarm returns the least wall-clock time, ns since 1970, at which one of the
	// groups has something to do, and false if there is none. No call has these
	// groups.
	Alarm(from, to int) (at int64, ok bool)

	// Advance does of what is due in the groups, by event time up to a watermark and
	// by the clock up to now, as much as a call should, and at least one thing if
	// any is due. What it does itself goes to out, with Source NoSource where it came
	// of no input. What is to be handled like a record, with all that this means
	// when it fails, it appends to in, which is empty: with its Group, the Source
	// NoSource and the Port EventTimer or ClockTimer. In gets it in the same call. An
	// error fails the vertex, and there are no Failures.
	//
	// Once all inputs have ended, upTo is EndOfTime and now math.MaxInt64, until
	// nothing is due: what then sets an alarm again each time has no end.
	Advance(ctx context.Context, from, to int, upTo Watermark, now int64, in *Batch, out *Output) error
}

// Output is what a transform makes of one batch.
type Output struct {
	*Batch
	Failures []Failure
	Kept     bool // of a Keyed: with Failures, all is done and remembered but these
}

// Failure is a record that its transform could not handle.
type Failure struct {
	Input  int // index in the input batch
	Reason string
}

// Fatal is the error of a transform that cannot go on whatever it is given: no record
// is to blame, and the vertex fails.
type Fatal struct{ Err error }

func (f *Fatal) Error() string { return f.Err.Error() }

func (f *Fatal) Unwrap() error { return f.Err }

// Rejected is the error of a sink that took all records of a batch but some.
type Rejected struct{ Failures []Failure }

func (r *Rejected) Error() string {
	return fmt.Sprintf("%d records rejected, the first: %s", len(r.Failures), r.Failures[0].Reason)
}

// Outlet is the sending end of an edge. The sender's goroutines may call it at
// the same time; what each sends arrives in its own order.
type Outlet interface {
	// Send gives an item away, and blocks while the edge is full. An error is
	// ctx's; the item is then lost.
	Send(ctx context.Context, it Item) error

	// Close ends the edge after what was sent. Called once, after the last Send.
	Close()
}
