package control

import (
	"maps"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/join"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// latencyBounds are in seconds.
func latencyBounds() []float64 {
	return []float64{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}
}

// Metrics returns a collector of what a pipeline does and may do. The graph is
// the one that was built from the config, the pipeline the one that runs it,
// or has.
func Metrics(c *config.Pipeline, g pipeline.Graph, p *pipeline.Pipeline) func(*admin.Writer) {
	return func(w *admin.Writer) {
		w = w.With("pipeline", c.Name)
		now := p.Phase()
		for _, phase := range pipeline.Phases() {
			w.Gauge(admin.PipelinePhase, is(phase == now), "phase", string(phase))
		}
		latency(w, admin.PipelineLatency, p.Latency())
		for i, s := range p.Stats() { // in the order of the config
			v := &c.Vertices[i]
			at := w.With("vertex", string(s.Vertex))
			plugin := ""
			if v.UDF != nil {
				plugin = v.UDF.Plugin
			}
			at.Gauge(admin.VertexInfo, 1, "role", v.Role(), "plugin", plugin)
			moved(at, s)
			for _, stage := range stages(s, v) {
				stage.write(at)
			}
			edges(w, s)
			if t, ok := g.Vertices[i].Transform.(interface{ Stats() wasm.Stats }); ok {
				guests(at, t.Stats(), v.UDF.Limits)
			}
			if t, ok := g.Vertices[i].Transform.(rememberer); ok {
				remembered(at, t, v.State)
			}
			if t, ok := g.Vertices[i].Transform.(*join.Transform); ok {
				at.Counter(admin.RecordsLate, t.Late())
			}
		}
	}
}

func latency(w *admin.Writer, name admin.Name, l *pipeline.Latency) {
	bounds := latencyBounds()
	counts, sum := l.Histogram(bounds)
	w.Histogram(name, bounds, counts, sum)
}

// moved writes what a vertex has done.
func moved(w *admin.Writer, s pipeline.Stats) {
	w.Counter(admin.RecordsIn, s.RecordsIn)
	w.Counter(admin.RecordsOut, s.RecordsOut)
	w.Counter(admin.BytesOut, s.BytesOut)
	w.Counter(admin.DeadLetters, s.DeadLetters)
	for _, why := range pipeline.Drops() {
		w.Counter(admin.RecordsDropped, s.Dropped[why], "reason", why.String())
	}
	if s.Role == pipeline.RoleSource {
		w.Counter(admin.RecordsLate, s.Late)
	} else {
		w.Counter(admin.Calls, s.Calls)
		w.Counter(admin.Retries, s.Retries)
		w.Gauge(admin.Oldest, s.Oldest.Seconds())
	}
	if s.Role != pipeline.RoleSink {
		w.Counter(admin.RecordsUnrouted, s.Unrouted)
	}
	if s.Role == pipeline.RoleTransform {
		w.Gauge(admin.CallsInFlight, float64(s.InFlight))
		w.Gauge(admin.PermitsFree, float64(max(0, s.Permits-s.InFlight)))
		w.Gauge(admin.Concurrency, float64(s.Permits))
	}
	lag(w, admin.WatermarkLag, s.Watermark)
}

// lag writes how far a watermark is behind the clock, if there is one.
func lag(w *admin.Writer, name admin.Name, at stream.Watermark, labels ...string) {
	if known(at) {
		w.Gauge(name, time.Since(time.Unix(0, int64(at))).Seconds(), labels...)
	}
}

// known says whether a watermark is a time.
func known(at stream.Watermark) bool { return at != stream.NoWatermark && at != stream.EndOfTime }

// edges writes what the inbound edges of a vertex have promised. Those from one
// vertex promise the same.
func edges(w *admin.Writer, s pipeline.Stats) {
	seen := make(map[stream.VertexID]bool)
	for _, e := range s.Edges {
		if !seen[e.From] {
			seen[e.From] = true
			lag(w, admin.EdgeWatermarkLag, e.Watermark, "from", string(e.From), "to", string(s.Vertex))
		}
	}
}

// stageUse is what a stage of a vertex holds, and the most it may.
type stageUse struct {
	name pipeline.Stage
	pipeline.Usage
	limit pipeline.Limit // without records: none of its own
}

// stages lists the stages that a vertex has.
func stages(s pipeline.Stats, v *config.Vertex) []stageUse {
	if s.Role == pipeline.RoleSource {
		return nil
	}
	queues := stage(v.Queue)
	queues.Records, queues.Bytes = queues.Records*len(s.Edges), queues.Bytes*len(s.Edges)
	all := []stageUse{{pipeline.StageInput, s.Input, queues}}
	if s.Role == pipeline.RoleSink {
		return append(all, stageUse{name: pipeline.StageProcessing, Usage: s.Processing})
	}
	return append(all, stageUse{pipeline.StageProcessing, s.Processing, limit(v.Processing)}, stageUse{pipeline.StageOutput, s.Output, stage(v.Output)})
}

func (u stageUse) write(w *admin.Writer) {
	w = w.With("stage", string(u.name))
	w.Gauge(admin.StageRecords, float64(u.Records))
	w.Gauge(admin.StageBytes, float64(u.Bytes))
	if u.limit.Records > 0 {
		w.Gauge(admin.StageLimitRecords, float64(u.limit.Records))
		w.Gauge(admin.StageLimitBytes, float64(u.limit.Bytes))
	}
	latency(w, admin.StageLatency, u.Latency)
}

// guests writes what the instances of a plugin do, and the most they may.
func guests(w *admin.Writer, s wasm.Stats, l config.Limits) {
	w.Counter(admin.GuestCalls, s.Calls)
	for _, reason := range slices.Sorted(maps.Keys(s.Discards)) {
		w.Counter(admin.GuestDiscards, s.Discards[reason], "reason", string(reason))
	}
	w.Counter(admin.GuestRefills, s.Refills)
	w.Counter(admin.GuestYields, s.Yields)
	w.Counter(admin.GuestLogDropped, s.Dropped)
	w.Counter(admin.GuestSuspensions, s.Openings)
	w.Gauge(admin.GuestSuspended, is(s.Suspended))
	w.Gauge(admin.GuestInstances, float64(s.Instances))
	w.Gauge(admin.GuestMemoryLimit, float64(l.Memory))
	w.Gauge(admin.GuestCallDeadline, l.CallDeadline.Seconds())
}

// rememberer is a transform with state by key: values, and timers.
type rememberer interface {
	Usage() (values, timers state.Usage)
}

// remembered writes what a vertex remembers, and the most it may.
func remembered(w *admin.Writer, t rememberer, s config.State) {
	values, timers := t.Usage()
	w.Gauge(admin.StateKeys, float64(values.Keys))
	w.Gauge(admin.StateBytes, float64(values.Bytes+timers.Bytes))
	w.Gauge(admin.StateHeld, float64(values.Held+timers.Held))
	w.Gauge(admin.StateLimit, float64(s.MaxBytes))
}

func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
