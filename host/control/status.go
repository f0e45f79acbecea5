package control

import (
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// Status is what there is to see of a pipeline: counts since its start, and what
// it holds now. Its JSON has times in UTC and durations in seconds.
type Status struct {
	Pipeline string         `json:"pipeline"`
	Phase    pipeline.Phase `json:"phase"`
	PauseStatus
	Vertices []VertexStatus `json:"vertices"`
	Oldest   []FlightStatus `json:"oldest"` // calls in flight, the longest first

	Checkpoint *CheckpointStatus `json:"checkpoint,omitempty"` // nil = it takes none
}

// PauseStatus says how a pipeline follows its desired phase. Other than Status.Phase it
// is about pauses only: a pipeline that is starting or stopping can be paused or not.
type PauseStatus struct {
	Desired phase.Phase    `json:"desired"` // running or paused
	State   phase.State    `json:"state"`   // running, pausing, checkpointing, paused or resuming
	Since   time.Time      `json:"since"`   // of State
	Drained bool           `json:"drained"` // of a pause: what was read is through, and stored if there are checkpoints
	Reasons []ReasonStatus `json:"reasons"` // what a pause holds
}

// ReasonStatus is something that a pause holds.
type ReasonStatus struct {
	Vertex  stream.VertexID `json:"vertex,omitempty"` // empty = the pipeline
	What    phase.What      `json:"what"`
	Count   int             `json:"count,omitempty"` // records, or entries of state: one or a few for each key or open window of one
	Why     string          `json:"why,omitempty"`
	Hinders bool            `json:"hinders"` // it is not drained because of this; else it is for information
}

// PauseStatusOf returns the status of what pauses a pipeline. It may be called at any
// time.
func PauseStatusOf(d *phase.Driver) PauseStatus { return pauseStatus(d.Status()) }

func pauseStatus(s phase.Status) PauseStatus {
	p := PauseStatus{Desired: s.Desired, State: s.Actual, Since: s.Since.UTC(), Drained: s.Drained, Reasons: []ReasonStatus{}}
	for _, r := range s.Reasons {
		p.Reasons = append(p.Reasons, ReasonStatus(r))
	}
	return p
}

// VertexStatus is Status of a vertex.
type VertexStatus struct {
	Vertex      stream.VertexID `json:"vertex"`
	Role        string          `json:"role"`        // source, udf, aggregate, join or sink
	RecordsIn   uint64          `json:"records_in"`  // taken from edges, or read by a source
	RecordsOut  uint64          `json:"records_out"` // emitted, or written by a sink
	BytesOut    uint64          `json:"bytes_out"`
	Unrouted    uint64          `json:"unrouted"` // emitted with a tag that no edge asks for
	Calls       uint64          `json:"calls"`
	Retries     uint64          `json:"retries"`
	DeadLetters uint64          `json:"dead_letters"`
	Dropped     DropStatus      `json:"dropped"`
	Late        uint64          `json:"late"`      // read behind the watermark by a source
	Watermark   *time.Time      `json:"watermark"` // the last that left; null = none, or the end of time
	Ended       bool            `json:"ended"`     // its watermark is the end of time
	Idle        bool            `json:"idle"`      // others do not wait for it

	Stages   []StageStatus `json:"stages"`    // that it has
	InFlight int           `json:"in_flight"` // calls under way
	Permits  int           `json:"permits"`   // calls that may be
	Oldest   float64       `json:"oldest_seconds"`
	Edges    []EdgeStatus  `json:"edges"`               // inbound
	WaitsFor []string      `json:"waits_for,omitempty"` // side inputs that have no value yet: no call begins
	Guests   *GuestStatus  `json:"guests,omitempty"`    // nil = it has no plugin
	Scale    *ScaleStatus  `json:"scale,omitempty"`     // nil = it is not scaled
}

// DropStatus counts dropped records by why.
type DropStatus struct {
	Newest uint64 `json:"newest"` // a stage was full
	Oldest uint64 `json:"oldest"` // a stage was full
	Error  uint64 `json:"error"`  // could not be handled
}

// StageStatus is what a stage holds, and the most it may, 0 = no limit of its own.
type StageStatus struct {
	Stage      pipeline.Stage `json:"stage"`
	Records    int            `json:"records"`
	Bytes      int            `json:"bytes"`
	MaxRecords int            `json:"max_records"`
	MaxBytes   int            `json:"max_bytes"`
	P50        float64        `json:"p50_seconds"` // of the time in it
	P99        float64        `json:"p99_seconds"`
}

// EdgeStatus is what an edge has promised.
type EdgeStatus struct {
	From      stream.VertexID `json:"from"`
	Watermark *time.Time      `json:"watermark"` // null = none, or the end of time
}

// FlightStatus is a call in flight.
type FlightStatus struct {
	Vertex    stream.VertexID `json:"vertex"`
	Stage     pipeline.Stage  `json:"stage"`
	Age       float64         `json:"age_seconds"`
	Records   int             `json:"records"`
	Attempts  int             `json:"attempts"`   // that have failed
	EventTime time.Time       `json:"event_time"` // of the first record
	First     string          `json:"first"`      // the source record that this came from
}

// listed is how many calls in flight a Status lists.
const listed = 10

// StatusOf returns the status of a pipeline that was built from a config, without that
// of its pauses and checkpoints. It may be called at any time, also after the run.
func StatusOf(c *config.Pipeline, p *pipeline.Pipeline) Status {
	s := Status{Pipeline: c.Name, Phase: p.Phase(), Vertices: []VertexStatus{}, Oldest: []FlightStatus{}}
	for i, v := range p.Stats() { // in the order of the config
		s.Vertices = append(s.Vertices, vertexStatus(v, &c.Vertices[i]))
	}
	for _, f := range p.Oldest(listed) {
		s.Oldest = append(s.Oldest, FlightStatus{f.Vertex, f.Stage, f.Age.Seconds(), f.Records, f.Attempts, f.EventTime.UTC(), f.First})
	}
	return s
}

func vertexStatus(s pipeline.Stats, c *config.Vertex) VertexStatus {
	v := VertexStatus{
		Vertex: s.Vertex, Role: c.Role(), RecordsIn: s.RecordsIn, RecordsOut: s.RecordsOut, BytesOut: s.BytesOut,
		Unrouted: s.Unrouted, Calls: s.Calls, Retries: s.Retries, DeadLetters: s.DeadLetters, Late: s.Late,
		Dropped:   DropStatus{s.Dropped[pipeline.DroppedNewest], s.Dropped[pipeline.DroppedOldest], s.Dropped[pipeline.DroppedError]},
		Watermark: timeOf(s.Watermark), Ended: s.Watermark == stream.EndOfTime, Idle: s.Idle,
		Stages: []StageStatus{}, InFlight: s.InFlight, Permits: s.Permits, Oldest: s.Oldest.Seconds(), Edges: []EdgeStatus{}, WaitsFor: s.WaitsFor,
	}
	for _, u := range stages(s, c) {
		v.Stages = append(v.Stages, StageStatus{
			u.name, u.Records, u.Bytes, u.limit.Records, u.limit.Bytes, u.Latency.Quantile(0.5).Seconds(), u.Latency.Quantile(0.99).Seconds(),
		})
	}
	for _, e := range s.Edges {
		v.Edges = append(v.Edges, EdgeStatus{e.From, timeOf(e.Watermark)})
	}
	return v
}

// timeOf returns a watermark as a time, nil if it is none.
func timeOf(w stream.Watermark) *time.Time {
	if !known(w) {
		return nil
	}
	t := time.Unix(0, int64(w)).UTC()
	return &t
}
