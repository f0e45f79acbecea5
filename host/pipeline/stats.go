package pipeline

import (
	"sync/atomic"

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

// Stats is what a vertex has done so far and holds now.
type Stats struct {
	Vertex      stream.VertexID  `json:"vertex"`
	Role        Role             `json:"role"`
	RecordsIn   uint64           `json:"records_in"`  // taken from edges, or read by a source
	RecordsOut  uint64           `json:"records_out"` // emitted, or written by a sink
	BytesOut    uint64           `json:"bytes_out"`
	Unrouted    uint64           `json:"unrouted"` // emitted with a tag that no edge asks for
	Calls       uint64           `json:"calls"`
	InFlight    int64            `json:"in_flight"` // records in calls or not yet flushed
	Queued      int              `json:"queued"`    // records waiting in inbound edges
	QueuedBytes int              `json:"queued_bytes"`
	Watermark   stream.Watermark `json:"watermark"` // the last that left
}

// counters are updated once per batch.
type counters struct {
	recordsIn, recordsOut, bytesOut, lost, calls atomic.Uint64
	inFlight, watermark                          atomic.Int64
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

// begin and end count a call with n records.
func (c *counters) begin(n int) {
	c.recordsIn.Add(uint64(n))
	c.calls.Add(1)
	c.inFlight.Add(int64(n))
}

func (c *counters) end(n int) { c.inFlight.Add(-int64(n)) }

func (c *counters) read(v stream.VertexID, role Role, queued Limit) Stats {
	return Stats{
		Vertex: v, Role: role,
		RecordsIn: c.recordsIn.Load(), RecordsOut: c.recordsOut.Load(), BytesOut: c.bytesOut.Load(),
		Unrouted: c.lost.Load(), Calls: c.calls.Load(), InFlight: c.inFlight.Load(),
		Queued: queued.Records, QueuedBytes: queued.Bytes,
		Watermark: stream.Watermark(c.watermark.Load()),
	}
}
