package pipeline

import (
	"io"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// inbox is where the edges into a vertex end, one lane for each, and where the
// vertex keeps what it has in flight. Whoever works for the vertex takes from it:
// calls to make, or the duty to send what is due.
type inbox struct {
	mu      sync.Mutex
	work    sync.Cond // there may be something to take
	pool    *stream.BatchPool
	acks    ledgers
	stats   *counters
	lanes   []*lane
	turn    int              // guarded by mu; the lane to look at first
	flight  flight           // guarded by mu
	sent    stream.Watermark // guarded by mu; the last that left
	idle    bool             // guarded by mu; what was last said downstream
	barrier *stream.Barrier  // guarded by mu; delivered by all lanes, and not let out yet
	sending bool             // guarded by mu; somebody has the duty to send
	aborted error            // guarded by mu
	passing passing

	processing, output Limit // guarded by mu; what the stages hold

	// Of transforms; guarded by mu.
	bounds   bounds
	full     Full // what happens when the output stage is
	roused   bool // one without permits has one
	wakeable bool // somebody wants to know that one without permits has something to do; not guarded
	woken    bool // was told so since the last adjust
	calls    int  // under way
	workers  int  // that were started: one more than permits, if there were never more of these; 0 of a sink
	size     callSize
	redo     ring[*call]     // to be made again, now
	waiting  *retries[*call] // to be made again, later
	wake     *time.Timer     // for waiting and alarms
	more     []*stream.Batch // scratch
	ready    ring[*call]     // done, in the order in which they leave
	unmarked int             // how many left since a mark was looked for
	inOrder  bool            // results leave in the order of the list in flight
	handed   *call           // the last one in flight that was put into ready; only if inOrder
	early    Limit           // of output: waits for those before it; only if inOrder
	keys     *keys           // nil = the vertex does not order by key
	gate     *gate           // nil = nothing is due by time
	sides    *sides          // nil = no edge feeds a side input
	limiter  *limiter        // nil = the number of calls at once is fixed
}

// bounds are the limits of a transform; a Limit without records is none.
type bounds struct {
	permits            int   // calls at once; 0 = it rests, or is no transform
	call               Limit // of one call
	processing, output Limit
}

func newInbox(pool *stream.BatchPool, acks ledgers, stats *counters) *inbox {
	in := &inbox{pool: pool, acks: acks, stats: stats, sent: stream.NoWatermark}
	in.work.L = &in.mu
	in.passing.changed.L = &in.mu
	return in
}

// addLane makes the outlet of one inbound edge.
func (in *inbox) addLane(from stream.VertexID, limit Limit, full Full) *lane {
	l := &lane{in: in, from: from, limit: limit, full: full, port: uint16(len(in.lanes)), promised: stream.NoWatermark}
	l.notFull.L = &in.mu
	in.lanes = append(in.lanes, l)
	in.arrived().addInput()
	return l
}

// arrived is where the lanes' promises go.
func (in *inbox) arrived() *watermarks {
	if in.gate != nil {
		return &in.gate.arrived
	}
	return &in.flight.watermarks
}

// absorb takes the marks in front of lanes, and lets a barrier in once every
// lane has delivered it or ended.
func (in *inbox) absorb() {
	if in.barrier != nil {
		if !in.captured() {
			in.aim()
		}
		return
	}
	barrier, aligned := in.delivered()
	switch {
	case aligned && barrier != nil:
		in.admit(barrier)
	case in.passing.overtakes > in.passing.last || in.starves() && in.passing.captures:
		in.jump()
	}
	in.endSides()
	in.aim()
}

// front returns a lane with a batch in front, the lanes taking turns.
func (in *inbox) front() *lane {
	l := in.waits()
	if l != nil {
		in.turn = (int(l.port) + 1) % len(in.lanes)
	}
	return l
}

// waits returns the lane with a batch in front whose turn it is.
func (in *inbox) waits() *lane {
	if in.barrier != nil {
		return nil
	}
	for i := range in.lanes {
		l := in.lanes[(in.turn+i)%len(in.lanes)]
		if l.barrier == nil && l.items.len() > 0 && l.items.at(0).Batch != nil {
			return l
		}
	}
	return nil
}

// begin makes a call of a batch that was just taken from a lane.
func (in *inbox) begin(b *stream.Batch, more ...*stream.Batch) *call {
	c := in.flight.begin(time.Now(), b, more...)
	c.size = sizeOf(b)
	for _, b := range more {
		c.size.add(sizeOf(b))
	}
	in.processing.add(c.size)
	in.stats.begin(c.size.Records)
	b.Watermark, _ = in.flight.watermarks.low()
	return c
}

// filled counts what a call got for input that it did not begin with, and returns
// how much it should have.
func (in *inbox) filled(c *call) Limit {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.processing.sub(c.size)
	c.size, c.first, c.holds = sizeOf(c.in), c.in.Records[0], viewOf(c.in)
	in.processing.add(c.size)
	limit := in.bounds.call
	if in.size.known {
		limit.Records = in.size.limit(limit.Records)
	}
	return limit
}

// takeBatch is for sinks, which have one goroutine: it returns the next batch as
// it is. It returns nil if there is a mark to let out, or if it would have to
// wait and may not; io.EOF when all lanes have ended and nothing is in flight.
func (in *inbox) takeBatch(mayWait bool) (*call, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		in.absorb()
		if in.aborted != nil {
			return nil, in.aborted
		}
		if l := in.front(); l != nil {
			return in.begin(l.shift()), nil
		}
		if in.finished() {
			return nil, io.EOF
		}
		if in.due() || !mayWait {
			return nil, nil
		}
		in.work.Wait()
	}
}

// due says that a mark can be let out: a watermark that has grown, or a barrier.
func (in *inbox) due() bool {
	low, idle := in.flight.watermarks.low()
	return low > in.sent || idle != in.idle || in.leaves()
}

// empty says that nothing is in the vertex, apart from lanes.
func (in *inbox) empty() bool {
	return in.flight.oldest == nil && (in.keys == nil || !in.keys.dealing.on && in.keys.pending.Records == 0 && in.keys.behind == 0)
}

// mark returns a mark that is due. A barrier stays until passed.
func (in *inbox) mark() (it stream.Item, ok bool) {
	low, idle := in.flight.watermarks.low()
	if low > in.sent || idle != in.idle {
		in.sent, in.idle = low, idle
		in.stats.watermark.Store(int64(low))
		return stream.Item{Watermark: low, Idle: idle}, true
	}
	if in.leaves() {
		return stream.Item{Barrier: in.letOut()}, true
	}
	return stream.Item{}, false
}

// finished says that there is nothing to take, now and later.
func (in *inbox) finished() bool {
	for _, l := range in.lanes {
		if !l.ended() {
			return false
		}
	}
	in.aim()
	return in.empty() && !in.sending && !in.due()
}

// abort makes every take and Send return err.
func (in *inbox) abort(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.aborted != nil {
		return
	}
	in.aborted = err
	if in.wake != nil {
		in.wake.Stop()
	}
	in.work.Broadcast()
	in.passing.changed.Broadcast()
	for _, l := range in.lanes {
		l.notFull.Broadcast()
	}
}
