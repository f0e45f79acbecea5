package admin

// Name is the name of a metric, which ends in its unit; counters end in _total.
type Name string

// The metrics. Those of a vertex have the labels pipeline and vertex, those of a
// pipeline the label pipeline. A stage is input, processing or output; sources
// have none, and sinks no output.
const (
	BuildInfo    Name = "wasmill_build_info"
	MemoryBudget Name = "wasmill_memory_budget_bytes"

	PipelinePhase   Name = "wasmill_pipeline_phase"
	PipelineLatency Name = "wasmill_pipeline_latency_seconds"

	ConfigRevision Name = "wasmill_config_revision"
	ConfigRefused  Name = "wasmill_config_refused"

	CheckpointDuration   Name = "wasmill_checkpoint_duration_seconds"
	CheckpointBytes      Name = "wasmill_checkpoint_bytes_total"
	CheckpointAge        Name = "wasmill_checkpoint_age_seconds"
	CheckpointFailures   Name = "wasmill_checkpoint_failures_total"
	CheckpointsCompleted Name = "wasmill_checkpoint_completed_total"
	CheckpointRestore    Name = "wasmill_checkpoint_restore_seconds"
	CheckpointInterval   Name = "wasmill_checkpoint_interval_seconds"
	CheckpointsKept      Name = "wasmill_checkpoint_kept_epochs"
	CheckpointsInFlight  Name = "wasmill_checkpoint_in_flight_epochs"

	VertexInfo        Name = "wasmill_vertex_info"
	RecordsIn         Name = "wasmill_vertex_records_in_total"
	RecordsOut        Name = "wasmill_vertex_records_out_total"
	BytesOut          Name = "wasmill_vertex_bytes_out_total"
	RecordsUnrouted   Name = "wasmill_vertex_records_unrouted_total"
	RecordsDropped    Name = "wasmill_vertex_records_dropped_total"
	RecordsLate       Name = "wasmill_vertex_records_late_total"
	DeadLetters       Name = "wasmill_vertex_dead_letters_total"
	Retries           Name = "wasmill_vertex_retries_total"
	Calls             Name = "wasmill_vertex_calls_total"
	CallsInFlight     Name = "wasmill_vertex_in_flight_calls"
	PermitsFree       Name = "wasmill_vertex_free_permits"
	Concurrency       Name = "wasmill_vertex_concurrency_limit"
	ScaleInstances    Name = "wasmill_vertex_scale_instances"
	ScaleWanted       Name = "wasmill_vertex_scale_wanted_instances"
	ScaleDecisions    Name = "wasmill_vertex_scale_decisions_total"
	StageRecords      Name = "wasmill_vertex_stage_records"
	StageBytes        Name = "wasmill_vertex_stage_bytes"
	StageLimitRecords Name = "wasmill_vertex_stage_limit_records"
	StageLimitBytes   Name = "wasmill_vertex_stage_limit_bytes"
	StageLatency      Name = "wasmill_vertex_stage_seconds"
	Oldest            Name = "wasmill_vertex_oldest_in_flight_seconds"
	WatermarkLag      Name = "wasmill_vertex_watermark_lag_seconds"
	EdgeWatermarkLag  Name = "wasmill_edge_watermark_lag_seconds"

	StateKeys  Name = "wasmill_state_keys"
	StateBytes Name = "wasmill_state_bytes"
	StateHeld  Name = "wasmill_state_held_bytes"
	StateLimit Name = "wasmill_state_limit_bytes"

	GuestCalls        Name = "wasmill_guest_calls_total"
	GuestDiscards     Name = "wasmill_guest_discards_total"
	GuestRefills      Name = "wasmill_guest_refills_total"
	GuestYields       Name = "wasmill_guest_yields_total"
	GuestLogDropped   Name = "wasmill_guest_log_lines_dropped_total"
	GuestSuspensions  Name = "wasmill_guest_suspensions_total"
	GuestSuspended    Name = "wasmill_guest_suspended"
	GuestInstances    Name = "wasmill_guest_instances"
	GuestMemoryLimit  Name = "wasmill_guest_memory_limit_bytes"
	GuestCallDeadline Name = "wasmill_guest_call_deadline_limit_seconds"
)

// Kind is the type of a metric, as the text format calls it.
type Kind string

// The kinds.
const (
	KindCounter   Kind = "counter"
	KindGauge     Kind = "gauge"
	KindHistogram Kind = "histogram"
)

// Family describes all series of one name.
type Family struct {
	Name Name
	Kind Kind
	Help string
}

// Families lists all metrics, in the order in which they are written.
func Families() []Family {
	return []Family{
		{BuildInfo, KindGauge, "1; what wasmill was built from, in its labels version and go."},
		{MemoryBudget, KindGauge, "What the guests of one pipeline may have together (memory.budget); 0 = no limit is known."},

		{PipelinePhase, KindGauge, "1 for the phase the pipeline is in, 0 for the others."},
		{PipelineLatency, KindHistogram, "Time from the read of a record until it and all that came of it is settled, to about 6 percent."},

		{ConfigRevision, KindGauge, "Which config the pipeline runs with: the number of its revision, from 1."},
		{ConfigRefused, KindGauge, "1 while the pipeline's file, or a plugin, is refused as it is now, else 0: what was before goes on."},

		{CheckpointDuration, KindHistogram, "Time of checkpoints that were stored, by the label phase: align, until all vertices had the barrier; pause, the longest that one stood still; upload; commit, of those that are complete."},
		{CheckpointBytes, KindCounter, "Bytes of state that checkpoints added, before compression: full replaces what was stored before, incremental builds on it."},
		{CheckpointAge, KindGauge, "Age of the last complete checkpoint, or of the one that was restored while there is none; absent while a start would begin with nothing."},
		{CheckpointFailures, KindCounter, "Checkpoints that failed, or attempts to commit one, by the label reason: snapshot, timeout, upload, commit, fenced."},
		{CheckpointsCompleted, KindCounter, "Checkpoints that are stored and committed."},
		{CheckpointRestore, KindGauge, "How long the restore at the start took; absent before."},
		{CheckpointInterval, KindGauge, "The interval in force; 0 = checkpoints on request only."},
		{CheckpointsKept, KindGauge, "Checkpoints that can be restored, as of the last collection of old ones; absent before."},
		{CheckpointsInFlight, KindGauge, "Checkpoints under way."},

		{VertexInfo, KindGauge, "1; what the vertex is, in its labels role and plugin."},
		{RecordsIn, KindCounter, "Records taken from edges, or read by a source."},
		{RecordsOut, KindCounter, "Records emitted, or written by a sink."},
		{BytesOut, KindCounter, "Bytes of the records emitted or written."},
		{RecordsUnrouted, KindCounter, "Records emitted with a tag that no edge asks for."},
		{RecordsDropped, KindCounter, "Records dropped, by reason: newest and oldest as a stage was full (whenFull), error as they could not be handled (onError)."},
		{RecordsLate, KindCounter, "Records that a source read behind the watermark, or that a join got too late."},
		{DeadLetters, KindCounter, "Records that could not be handled and left as dead letters."},
		{Retries, KindCounter, "Tries again, of a record or of what was written together."},
		{Calls, KindCounter, "Calls of a udf or aggregate, or writes of a sink."},
		{CallsInFlight, KindGauge, "Calls under way."},
		{PermitsFree, KindGauge, "Calls that may begin now."},
		{Concurrency, KindGauge, "The most calls at once now (concurrency, or what adapts between its min and max)."},
		{ScaleInstances, KindGauge, "Instances that a vertex with scale has: the most calls at once."},
		{ScaleWanted, KindGauge, "How many it should have by what comes and what is pending; absent while that is not known."},
		{ScaleDecisions, KindCounter, "Decisions about these, about one a second, by why: reason is up, down, zero, bounds or woken if they changed something, else steady, lookback, cooldown, full, stuck, unknown, asleep or suspended."},
		{StageRecords, KindGauge, "Records waiting in the inbound edges, in calls or waiting to be tried again, or done and not accepted downstream; of a sink, written and not flushed."},
		{StageBytes, KindGauge, "Bytes of these."},
		{StageLimitRecords, KindGauge, "The most records of a stage (queue.maxRecords of all inbound edges, processing.maxRecords, output.maxRecords)."},
		{StageLimitBytes, KindGauge, "The most bytes of a stage (queue.maxBytes of all inbound edges, processing.maxBytes, output.maxBytes)."},
		{StageLatency, KindHistogram, "Time of records in a stage, to about 6 percent; of processing that of the call."},
		{Oldest, KindGauge, "How long the oldest record in processing or output has been there; 0 = there is none."},
		{WatermarkLag, KindGauge, "How far the watermark that last left is behind the clock; absent while there is none, and at the end of time."},
		{EdgeWatermarkLag, KindGauge, "The same for what last came by an edge, in its labels from and to."},

		{StateKeys, KindGauge, "What a vertex remembers: a key in a window counts as one."},
		{StateBytes, KindGauge, "Bytes of these, and of their timers."},
		{StateHeld, KindGauge, "Memory held for them."},
		{StateLimit, KindGauge, "The most memory (state.maxBytes)."},

		{GuestCalls, KindCounter, "Calls of the plugin's instances."},
		{GuestDiscards, KindCounter, "Instances given up after a call, by its error in the label reason; internal = the call was cancelled."},
		{GuestRefills, KindCounter, "Instances started in place of discarded ones."},
		{GuestYields, KindCounter, "Times that running guests let others run."},
		{GuestLogDropped, KindCounter, "Lines that guests logged above limits.logLines."},
		{GuestSuspensions, KindCounter, "Times that calls had to wait as too many failed (limits.discards)."},
		{GuestSuspended, KindGauge, "1 while calls wait as too many failed, else 0."},
		{GuestInstances, KindGauge, "Instances that live; concurrency is the most."},
		{GuestMemoryLimit, KindGauge, "The most memory of one instance (limits.memory)."},
		{GuestCallDeadline, KindGauge, "The most time of one call (limits.callDeadline)."},
	}
}
