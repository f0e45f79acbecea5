package pipeline

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Stage says where in a vertex a record is.
type Stage string

// The stages. Each is bounded.
const (
	StageInput      Stage = "input"      // received, and not in a call yet
	StageProcessing Stage = "processing" // in a call, or waiting to be tried again
	StageOutput     Stage = "output"     // done, and not accepted downstream yet
)

// call is what a transform gets at a time, with what it returns. It is in flight
// from when its input is taken until all of its results are accepted downstream.
type call struct {
	in       *stream.Batch    // owned by whoever has the call
	more     []*stream.Batch  // to be appended to it
	joined   bool             // they were; guarded by the inbox
	holds    view             // of in, without more unless joined; guarded by the inbox
	first    stream.Record    // of its input, for messages
	out      stream.Output    // valid in StageOutput
	attempts int              // made so far with this input
	failed   bool             // it, or one that it was part of: its time says little about what records cost
	slot     *slot            // that it holds; nil = its vertex does not order by key
	due      bool             // what its slot has to do by event time up to upTo, and by the clock up to now, comes first
	upTo     stream.Watermark // if due
	now      int64            // if due; ns since 1970
	own      *stream.Batch    // what came of that, to leave before out; nil = nothing
	next     *call            // of the same slot, to be made when this one is done; nil = none
	size     Limit            // what it counts in its stage
	taken    time.Time        // from a lane
	began    time.Time        // its stage, or the last time that it was made
	stage    Stage
	low      handle // of its least event time

	older, newer *call // in the order of taking; guarded by the inbox
}

// flight is the list of calls in flight, in the order in which their inputs were
// taken. Calls are recycled.
type flight struct {
	oldest, newest *call
	free           *call // linked by newer
	watermarks     watermarks
}

// begin puts a new call at the end of the list. Its input takes part from now.
func (f *flight) begin(now time.Time, in *stream.Batch, more ...*stream.Batch) *call {
	c := f.alloc()
	low := in.Least
	for _, b := range more {
		low = min(low, b.Least)
	}
	in.Least = low // also when the rest is appended
	first := stream.Record{Source: stream.NoSource, Port: stream.EventTimer}
	if in.Len() > 0 {
		first = in.Records[0]
	}
	*c = call{in: in, more: append(c.more, more...), holds: viewOf(in), first: first, out: c.out, taken: now, began: now, stage: StageProcessing, low: f.watermarks.begin(low)}
	c.older = f.newest
	if f.newest == nil {
		f.oldest = c
	} else {
		f.newest.newer = c
	}
	f.newest = c
	return c
}

// split puts a new call for some inputs of c right behind it.
func (f *flight) split(c *call, in *stream.Batch) *call {
	n := f.alloc()
	*n = call{
		in: in, more: n.more, holds: viewOf(in), first: in.Records[0], out: n.out, taken: c.taken, began: c.began, stage: StageProcessing, attempts: c.attempts, failed: true, slot: c.slot,
		low: f.watermarks.begin(in.Least),
	}
	n.older, n.newer = c, c.newer
	if c.slot != nil {
		n.next, c.next = c.next, n
	}
	if c.newer == nil {
		f.newest = n
	} else {
		c.newer.older = n
	}
	c.newer = n
	return n
}

func (f *flight) alloc() *call {
	c := f.free
	if c == nil {
		return &call{}
	}
	f.free, c.newer = c.newer, nil
	return c
}

// finish takes a call off the list. Nobody may use it afterwards.
func (f *flight) finish(c *call) {
	f.watermarks.end(c.low)
	if c.older == nil {
		f.oldest = c.newer
	} else {
		c.older.newer = c.newer
	}
	if c.newer == nil {
		f.newest = c.older
	} else {
		c.newer.older = c.older
	}
	*c = call{more: c.more[:0], out: stream.Output{Failures: c.out.Failures[:0]}, newer: f.free}
	f.free = c
}
