package control

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/scale"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// decided returns a Scaling with a vertex f of 3 instances, for which it was decided.
func decided(t *testing.T) *Scaling {
	t.Helper()
	text := strings.Replace(flowing, "concurrency: {min: 2, max: 100}", "concurrency: 3\n    scale: {min: 1, max: 9}", 1)
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	s := NewScaling(c, stream.Events{})
	s.config = c
	f := s.vertices["f"]
	f.last = scale.Decision{Instances: 3, Wanted: scale.Known(5), Kind: scale.Full, Reason: "it is full"}
	f.decided[scale.Full] = 7
	return s
}

func TestWhatIsNotKnownIsNoNumberInStatusAndMetrics(t *testing.T) {
	s := decided(t)
	f := s.vertices["f"]
	got := scrape(t, ScaleMetrics("p", s))
	expect(t, got, map[string]string{
		`wasmill_vertex_scale_instances{pipeline="p",vertex="f"}`:                        "3",
		`wasmill_vertex_scale_wanted_instances{pipeline="p",vertex="f"}`:                 "5",
		`wasmill_vertex_scale_decisions_total{pipeline="p",vertex="f",reason="full"}`:    "7",
		`wasmill_vertex_scale_decisions_total{pipeline="p",vertex="f",reason="unknown"}`: "0",
		`wasmill_vertex_scale_instances{pipeline="p",vertex="out"}`:                      "",
	})
	of := func() *ScaleStatus {
		st := Status{Vertices: []VertexStatus{{Vertex: "in"}, {Vertex: "f"}}}
		st.AddScaling(s)
		if st.Vertices[0].Scale != nil {
			t.Error("a source is scaled")
		}
		return st.Vertices[1].Scale
	}
	f.pending, f.rate = scale.Known[uint64](0), scale.Known(0.0)
	if v := of(); v.Instances != 3 || v.Min != 1 || v.Max != 9 || *v.Wanted != 5 || v.Reason != "it is full" || *v.Pending != 0 || *v.Rate != 0 || v.Since.IsZero() {
		t.Errorf("got %+v", v)
	}
	f.pending, f.rate, f.last.Wanted = scale.Unknown[uint64](), scale.Unknown[float64](), scale.Unknown[int]()
	if v := of(); v.Pending != nil || v.Rate != nil || v.Wanted != nil {
		t.Errorf("numbers of what is not known: %+v", v)
	}
	got = scrape(t, ScaleMetrics("p", s))
	expect(t, got, map[string]string{`wasmill_vertex_scale_wanted_instances{pipeline="p",vertex="f"}`: ""})
}

// TestFullnessIsThatOfTheFullestEdge has f feed an inbox that another vertex feeds, too.
func TestFullnessIsThatOfTheFullestEdge(t *testing.T) {
	of := func(output, fed, other int) float64 {
		s := decided(t)
		stats := make([]pipeline.Stats, len(s.config.Vertices))
		for i := range stats {
			stats[i] = pipeline.Stats{Vertex: s.config.Vertices[i].Name, Role: pipeline.RoleSink}
		}
		most := stage(s.config.Vertices[3].Queue).Records
		stats[2].Output.Records = output
		stats[3].Input.Records = (fed + other) * most / 100
		stats[3].Edges = []pipeline.EdgeStats{{From: "in", Queued: pipeline.Limit{Records: other * most / 100}}, {From: "f", Queued: pipeline.Limit{Records: fed * most / 100}}}
		full, ok := s.fullness(2, stats).Value()
		if !ok {
			t.Error("it is not known")
		}
		return full
	}
	for _, test := range []struct {
		name               string
		output, fed, other int
		want               float64
	}{
		{"nothing is full", 0, 0, 0, 0},
		{"an edge that is full, beside one that is not", 0, 100, 0, 1},
		{"what others bring is not its own", 0, 0, 100, 0},
		{"half of an edge", 0, 50, 100, 0.5},
		{"results that do not leave", 7, 0, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := of(test.output, test.fed, test.other); got != test.want {
				t.Errorf("full to %v, want %v", got, test.want)
			}
		})
	}
}

// TestMemoryIsForAsManyInstancesAsThereMayBe has room for what there is at the beginning.
func TestMemoryIsForAsManyInstancesAsThereMayBe(t *testing.T) {
	text := strings.Replace(flowing, "concurrency: {min: 2, max: 100}", "concurrency: 3\n    scale: {min: 1, max: 9}", 1)
	if _, err := built(t, text, 9*config.MiB); err != nil {
		t.Error(err)
	}
	_, err := built(t, text, 8*config.MiB)
	if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), "scale.max") || !strings.Contains(err.Error(), "9 × 1 MiB") {
		t.Errorf("got %v", err)
	}
}

// TestKeysAreDealtOutForAsManyCallsAsThereMayBe builds a vertex that begins with fewer.
func TestKeysAreDealtOutForAsManyCallsAsThereMayBe(t *testing.T) {
	g, err := built(t, strings.Replace(flowing, "concurrency: {min: 2, max: 100}", "concurrency: 3\n    scale: {min: 1, max: 9}", 1), config.GiB)
	if err != nil {
		t.Fatal(err)
	}
	if n := g.Vertices[2].Concurrency; n != 9 {
		t.Errorf("it is built for %d calls", n)
	}
}
