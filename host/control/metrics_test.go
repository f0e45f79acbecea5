package control

import (
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// scrape returns what a collector writes, by series.
func scrape(t *testing.T, collect func(*admin.Writer)) map[string]string {
	t.Helper()
	s, err := admin.Open(admin.Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer s.Metrics.Attach(collect)()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", s.URL()+"/metrics", nil))
	series := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if at := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			if _, twice := series[line[:at]]; twice {
				t.Errorf("%s is there twice", line[:at])
			}
			series[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return series
}

// ran builds and runs generator → plugin → drop and returns its metrics.
func ran(t *testing.T, plugin []byte) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.wasm"), plugin, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(`name: p
vertices:
  - {name: in, source: {generator: {count: 1000, size: 10}}}
  - {name: f, udf: {plugin: x, limits: {memory: 4MiB, callDeadline: 9s}}, concurrency: 1}
  - {name: out, sink: drop}
  - {name: n, aggregate: count, window: {global: true}, state: {maxBytes: 2MiB}}
  - {name: counted, sink: drop}
edges: [{from: in, to: f}, {from: f, to: out}, {from: in, to: out}, {from: in, to: n}, {from: n, to: counted}]
`)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine(t.Context(), filepath.Join(dir, "cache"), wasm.CompileLimits{Timeout: time.Minute, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	b := Builder{Engine: engine, PluginsDir: dir}
	g, err := b.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Run(t.Context(), nil)
	return scrape(t, Metrics(c, g, p)), err
}

func expect(t *testing.T, got, want map[string]string) {
	t.Helper()
	for series, value := range want {
		if got[series] != value {
			t.Errorf("%s is %q, want %q", series, got[series], value)
		}
	}
}

func TestMetricsOfAPipelineThatEnded(t *testing.T) {
	got, err := ran(t, abitest.Identity())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, map[string]string{
		`wasmill_pipeline_phase{pipeline="p",phase="stopped"}`:                             "1",
		`wasmill_pipeline_phase{pipeline="p",phase="running"}`:                             "0",
		`wasmill_pipeline_latency_seconds_count{pipeline="p"}`:                             "1000",
		`wasmill_vertex_info{pipeline="p",vertex="f",role="udf",plugin="x"}`:               "1",
		`wasmill_vertex_info{pipeline="p",vertex="in",role="source",plugin=""}`:            "1",
		`wasmill_vertex_records_in_total{pipeline="p",vertex="in"}`:                        "1000",
		`wasmill_vertex_records_out_total{pipeline="p",vertex="f"}`:                        "1000",
		`wasmill_vertex_records_in_total{pipeline="p",vertex="out"}`:                       "2000",
		`wasmill_vertex_stage_records{pipeline="p",vertex="out",stage="input"}`:            "0",
		`wasmill_vertex_stage_limit_records{pipeline="p",vertex="out",stage="input"}`:      "16384",
		`wasmill_vertex_stage_limit_bytes{pipeline="p",vertex="f",stage="input"}`:          "4.194304e+06",
		`wasmill_vertex_stage_limit_records{pipeline="p",vertex="f",stage="processing"}`:   "65536",
		`wasmill_vertex_stage_limit_records{pipeline="p",vertex="f",stage="output"}`:       "8192",
		`wasmill_vertex_stage_seconds_count{pipeline="p",vertex="f",stage="input"}`:        "1000",
		`wasmill_vertex_stage_seconds_count{pipeline="p",vertex="f",stage="processing"}`:   "1000",
		`wasmill_vertex_stage_seconds_count{pipeline="p",vertex="f",stage="output"}`:       "1000",
		`wasmill_vertex_stage_seconds_count{pipeline="p",vertex="out",stage="processing"}`: "2000",
		`wasmill_vertex_in_flight_calls{pipeline="p",vertex="f"}`:                          "0",
		`wasmill_vertex_free_permits{pipeline="p",vertex="f"}`:                             "1",
		`wasmill_vertex_dead_letters_total{pipeline="p",vertex="f"}`:                       "0",
		`wasmill_vertex_records_dropped_total{pipeline="p",vertex="out",reason="oldest"}`:  "0",
		`wasmill_vertex_concurrency_limit{pipeline="p",vertex="f"}`:                        "1",
		`wasmill_guest_calls_total{pipeline="p",vertex="f"}`:                               got[`wasmill_vertex_calls_total{pipeline="p",vertex="f"}`],
		`wasmill_guest_discards_total{pipeline="p",vertex="f",reason="guest-trap"}`:        "0",
		`wasmill_guest_discards_total{pipeline="p",vertex="f",reason="guest-memory"}`:      "0",
		`wasmill_guest_discards_total{pipeline="p",vertex="f",reason="guest-stack"}`:       "0",
		`wasmill_guest_log_lines_dropped_total{pipeline="p",vertex="f"}`:                   "0",
		`wasmill_guest_suspended{pipeline="p",vertex="f"}`:                                 "0",
		`wasmill_guest_instances{pipeline="p",vertex="f"}`:                                 "0",
		`wasmill_guest_memory_limit_bytes{pipeline="p",vertex="f"}`:                        "4.194304e+06",
		`wasmill_guest_call_deadline_limit_seconds{pipeline="p",vertex="f"}`:               "9",
		`wasmill_vertex_info{pipeline="p",vertex="n",role="aggregate",plugin=""}`:          "1",
		`wasmill_vertex_records_out_total{pipeline="p",vertex="n"}`:                        "1",
		`wasmill_state_limit_bytes{pipeline="p",vertex="n"}`:                               "2.097152e+06",
		`wasmill_state_keys{pipeline="p",vertex="n"}`:                                      "0",
		`wasmill_vertex_stage_records{pipeline="p",vertex="in",stage="input"}`:             "", // a source has none
		`wasmill_vertex_stage_records{pipeline="p",vertex="out",stage="output"}`:           "", // nor has a sink
		`wasmill_edge_watermark_lag_seconds{pipeline="p",from="in",to="f"}`:                "", // at the end of time
		`wasmill_vertex_watermark_lag_seconds{pipeline="p",vertex="f"}`:                    "", // at the end of time
		`wasmill_vertex_records_unrouted_total{pipeline="p",vertex="out"}`:                 "",
	})
}

func TestEveryMetricIsWritten(t *testing.T) {
	got, err := ran(t, abitest.Identity())
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{
		string(admin.WatermarkLag):     true, // not at the end of time
		string(admin.EdgeWatermarkLag): true,
		string(admin.MemoryBudget):     true, // by the host, as the next ones
		string(admin.ConfigRevision):   true,
		string(admin.ConfigRefused):    true,
	}
	status := durable.Status{Revision: 1, Kept: 1, Last: &durable.Taken{At: time.Now()}}
	maps.Copy(got, checkpointSeries(t, status))
	maps.Copy(got, scrape(t, ScaleMetrics("p", decided(t))))
	for series := range got {
		name, _, _ := strings.Cut(series, "{")
		written[strings.TrimSuffix(name, "_bucket")] = true
	}
	for _, f := range admin.Families() {
		if !written[string(f.Name)] {
			t.Errorf("%s is not written", f.Name)
		}
	}
}

func TestMetricsOfATrap(t *testing.T) {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Op(0x00)) // unreachable
	got, err := ran(t, a.Bytes())
	if stream.CodeOf(err) != stream.GuestTrap {
		t.Fatal(err)
	}
	expect(t, got, map[string]string{`wasmill_pipeline_phase{pipeline="p",phase="failed"}`: "1"})
	if n := got[`wasmill_guest_discards_total{pipeline="p",vertex="f",reason="guest-trap"}`]; n == "0" || n == "" {
		t.Errorf("%q discards", n)
	}
}

// TestAnUnknownWatermarkHasNoLag also sees that a known one has, and that two
// edges between the same vertices write it once.
func TestAnUnknownWatermarkHasNoLag(t *testing.T) {
	for w, known := range map[stream.Watermark]bool{
		stream.NoWatermark: false, stream.EndOfTime: false, 0: true, stream.Watermark(time.Now().UnixNano()): true,
	} {
		got := scrape(t, func(to *admin.Writer) {
			s := pipeline.Stats{Vertex: "v", Watermark: w, Edges: []pipeline.EdgeStats{{From: "u", Watermark: w}, {From: "u", Watermark: w}}}
			moved(to, s)
			edges(to, s)
		})
		for _, lag := range []string{"wasmill_vertex_watermark_lag_seconds", `wasmill_edge_watermark_lag_seconds{from="u",to="v"}`} {
			if _, ok := got[lag]; ok != known {
				t.Errorf("watermark %d has the lag %q", w, got[lag])
			}
		}
	}
}
