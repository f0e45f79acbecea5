package control

import (
	"maps"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/scale"
	"github.com/wasmill/wasmill/host/stream"
)

// ScaleStatus is how a vertex is scaled.
type ScaleStatus struct {
	Instances int        `json:"instances"` // calls that may be at once, each of which takes an instance
	Wanted    *int       `json:"wanted"`    // what there should be by the last decision; null = it could not be told
	Min       int        `json:"min"`
	Max       int        `json:"max"`
	Kind      scale.Kind `json:"kind,omitempty"`   // of the last decision; empty = there was none
	Reason    string     `json:"reason,omitempty"` // of it, in words
	Since     time.Time  `json:"since"`            // of Instances
	Pending   *uint64    `json:"pending"`          // records that wait or are in calls; null = not known
	Rate      *float64   `json:"rate"`             // records that it takes in a second; null = not known
}

// pointer returns where a measurement is, nil if it is not known.
func pointer[T any](m scale.Metric[T]) *T {
	if v, ok := m.Value(); ok {
		return &v
	}
	return nil
}

// status returns how a vertex is scaled, nil if it is not.
func (s *Scaling) status(name stream.VertexID) *ScaleStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.vertices[name]
	if v == nil {
		return nil
	}
	since := v.since
	if since.IsZero() {
		since = s.start
	}
	return &ScaleStatus{
		Instances: v.instances, Wanted: pointer(v.last.Wanted), Min: v.bounds.Min, Max: v.bounds.Max, Kind: v.last.Kind, Reason: v.last.Reason,
		Since: since.UTC(), Pending: pointer(v.pending), Rate: pointer(v.rate),
	}
}

// AddScaling adds how the vertices are scaled.
func (s *Status) AddScaling(scaling *Scaling) {
	for i := range s.Vertices {
		s.Vertices[i].Scale = scaling.status(s.Vertices[i].Vertex)
	}
}

// ScaleMetrics returns a collector of how the vertices of a pipeline are scaled.
func ScaleMetrics(pipeline string, s *Scaling) func(*admin.Writer) {
	return func(w *admin.Writer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(s.vertices)) {
			v, at := s.vertices[name], w.With("pipeline", pipeline).With("vertex", string(name))
			at.Gauge(admin.ScaleInstances, float64(v.instances))
			if wanted, ok := v.last.Wanted.Value(); ok {
				at.Gauge(admin.ScaleWanted, float64(wanted))
			}
			for _, kind := range scale.Kinds() {
				at.Counter(admin.ScaleDecisions, v.decided[kind], "reason", string(kind))
			}
		}
	}
}
