package admin_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

const twice = `name: NAME
vertices:
  - {name: in, source: {generator: {count: 1000, rate: 1000000000, size: 10, batchRecords: 100}}}
  - {name: wait, udf: {plugin: wait, limits: {memory: 1MiB}}, concurrency: 2, batch: {maxRecords: 100}}
  - {name: out, sink: drop}
edges:
  - {from: in, to: wait}
  - {from: wait, to: out}
`

// waiting passes records through when it is let.
type waiting struct{ let chan bool }

func (w waiting) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	<-w.let
	out.Records = append(out.Records, in.Records...)
	out.SwapArena(in)
	return nil
}

func (waiting) Close(context.Context) error { return nil }

// TestPipelinesAreScraped runs two pipelines, and scrapes them while they are
// held in the middle.
func TestPipelinesAreScraped(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"a", "b"} {
		files = append(files, filepath.Join(dir, name+".yaml"))
		if err := os.WriteFile(files[len(files)-1], []byte(strings.ReplaceAll(twice, "NAME", name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	let := make(chan bool)
	h, err := host.Open(t.Context(), host.Options{
		Files: files, Admin: true, Set: []string{"admin.listen=127.0.0.1:0", "memory.budget=1GiB", "data.dir=" + dir},
		Native: map[string]func() stream.Transform{"wait": func() stream.Transform { return waiting{let} }},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	ended := make(chan error)
	go func() { ended <- h.Run(t.Context()) }()
	let <- true // a pipeline runs
	p, err := parse(get(t, h.Admin.URL+"/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	for series, want := range map[string]float64{
		`wasmill_memory_budget_bytes`: 1 << 30,
		`wasmill_vertex_info{pipeline="a",vertex="wait",role="udf",plugin="wait"}`:    1,
		`wasmill_vertex_concurrency_limit{pipeline="a",vertex="wait"}`:                2,
		`wasmill_vertex_stage_limit_records{pipeline="a",vertex="out",stage="input"}`: 8192,
		`wasmill_vertex_records_unrouted_total{pipeline="a",vertex="wait"}`:           0,
		`wasmill_pipeline_phase{pipeline="a",phase="failed"}`:                         0,
		`wasmill_pipeline_latency_seconds_bucket{pipeline="a",le="300"}`:              p.values[`wasmill_pipeline_latency_seconds_count{pipeline="a"}`],
	} {
		if got, ok := p.values[series]; !ok || got != want {
			t.Errorf("%s is %v, %v; want %v", series, got, ok, want)
		}
	}
	for _, family := range []string{"wasmill_vertex_stage_bytes", "process_resident_memory_bytes", "go_goroutines"} {
		if !slices.Contains(p.families, family) {
			t.Errorf("there is no %s", family)
		}
	}
	if calls := p.values[`wasmill_vertex_calls_total{pipeline="a",vertex="wait"}`] + p.values[`wasmill_vertex_calls_total{pipeline="b",vertex="wait"}`]; calls < 1 {
		t.Errorf("%v calls were counted", calls)
	}
	close(let)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(h.Admin.URL); err == nil {
		t.Error("it still listens")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
