package pipeline

import (
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Role says what a vertex does.
type Role string

// The roles.
const (
	RoleSource    Role = "source"
	RoleTransform Role = "udf"
	RoleSink      Role = "sink"
)

// Drop says why a record was dropped.
type Drop int

// The reasons.
const (
	DroppedNewest Drop = iota // a stage was full
	DroppedOldest             // a stage was full
	DroppedError              // it could not be handled
	drops
)

func (d Drop) String() string { return [...]string{"newest", "oldest", "error"}[d] }

// Drops lists the reasons.
func Drops() []Drop { return []Drop{DroppedNewest, DroppedOldest, DroppedError} }

// Usage is what a stage of a vertex holds and how long records were in it.
type Usage struct {
	Records int
	Bytes   int
	Latency *Latency
}

// Stats is what a vertex has done so far and holds now.
type Stats struct {
	Vertex      stream.VertexID
	Role        Role
	Opened      bool   // a source or a sink: it is open; others: all are, and what they held is put back
	RecordsIn   uint64 // taken from edges, or read by a source
	RecordsOut  uint64 // emitted, or written by a sink
	BytesOut    uint64
	Unrouted    uint64 // emitted with a tag that no edge asks for
	Calls       uint64
	Busy        time.Duration // that calls took which have ended, together
	Done        uint64        // records in these, also those of calls that failed
	Retries     uint64
	DeadLetters uint64
	Dropped     [drops]uint64    // by Drop
	Late        uint64           // read behind the source's watermark
	Watermark   stream.Watermark // the last that left
	Idle        bool

	Input      Usage
	Processing Usage
	Output     Usage
	InFlight   int           // calls under way
	Permits    int           // calls that may be
	Oldest     time.Duration // age of the oldest in flight
	Edges      []EdgeStats   // inbound
	WaitsFor   []string      // side inputs without which no call begins
}

// EdgeStats is what an edge has promised, and holds of what the inbox has.
type EdgeStats struct {
	From      stream.VertexID
	Watermark stream.Watermark
	Queued    Limit
}

// counters are updated once per batch.
type counters struct {
	recordsIn, recordsOut, bytesOut, lost, calls atomic.Uint64
	retries, deadLetters, late                   atomic.Uint64
	busy, done                                   atomic.Uint64 // nanoseconds, and records, of calls that have ended
	dropped                                      [drops]atomic.Uint64
	watermark                                    atomic.Int64
	waited, processed, sent                      Latency // in each stage
	opened                                       atomic.Bool
}

// out counts a batch that leaves.
func (c *counters) out(b *stream.Batch) {
	c.recordsOut.Add(uint64(b.Len()))
	c.bytesOut.Add(uint64(b.Bytes()))
}

// unrouted counts n records that this many outlets take.
func (c *counters) unrouted(n, outlets int) {
	if outlets == 0 {
		c.lost.Add(uint64(n))
	}
}

// end counts a call with n records that has ended.
func (c *counters) end(took time.Duration, n int) {
	c.processed.observe(took, n)
	c.busy.Add(uint64(max(took, 0)))
	c.done.Add(uint64(n))
}

// begin counts a call with n records.
func (c *counters) begin(n int) {
	c.recordsIn.Add(uint64(n))
	c.calls.Add(1)
}

func (c *counters) read(v stream.VertexID, role Role) Stats {
	s := Stats{
		Vertex: v, Role: role,
		RecordsIn: c.recordsIn.Load(), RecordsOut: c.recordsOut.Load(), BytesOut: c.bytesOut.Load(),
		Unrouted: c.lost.Load(), Calls: c.calls.Load(), Busy: time.Duration(c.busy.Load()), Done: c.done.Load(), Retries: c.retries.Load(), DeadLetters: c.deadLetters.Load(), Late: c.late.Load(),
		Watermark:  stream.Watermark(c.watermark.Load()),
		Input:      Usage{Latency: &c.waited},
		Processing: Usage{Latency: &c.processed},
		Output:     Usage{Latency: &c.sent},
	}
	for d := range c.dropped {
		s.Dropped[d] = c.dropped[d].Load()
	}
	return s
}

// read adds what the inbox holds.
func (in *inbox) read(s *Stats) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.lanes {
		s.Input.Records += l.queued.Records
		s.Input.Bytes += l.queued.Bytes
		s.Edges = append(s.Edges, EdgeStats{l.from, l.promised, l.queued})
	}
	if in.keys != nil {
		s.Input.Records += in.keys.pending.Records
		s.Input.Bytes += in.keys.pending.Bytes
	}
	s.Processing.Records, s.Processing.Bytes = in.processing.Records, in.processing.Bytes
	s.Output.Records, s.Output.Bytes = in.output.Records, in.output.Bytes
	s.InFlight, s.Permits, s.Idle, s.WaitsFor = in.calls, in.permits(), in.idle, in.waitsFor()
	if c := in.flight.oldest; c != nil {
		s.Oldest = time.Since(c.taken)
	}
}

// Flight is a call in flight.
type Flight struct {
	Vertex    stream.VertexID
	Stage     Stage
	Age       time.Duration
	Records   int
	Attempts  int
	EventTime time.Time // of the first record
	First     string    // says which source record it came from
}

// oldest appends the oldest calls in flight to dst until it has n.
func (in *inbox) oldest(dst []Flight, n int, vertex stream.VertexID, describe func(*stream.Record) string) []Flight {
	in.mu.Lock()
	defer in.mu.Unlock()
	for c := in.flight.oldest; c != nil && n > 0; c, n = c.newer, n-1 {
		f := Flight{Vertex: vertex, Stage: c.stage, Age: time.Since(c.taken), Records: c.size.Records, Attempts: c.attempts}
		f.EventTime, f.First = time.Unix(0, c.first.Time), describe(&c.first)
		dst = append(dst, f)
	}
	return dst
}
