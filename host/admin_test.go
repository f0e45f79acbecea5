package host

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

const small = `name: p
vertices:
  - {name: in, source: {generator: {count: 10}}}
  - {name: f, udf: {plugin: f}}
  - {name: out, sink: drop}
edges:
  - {from: in, to: f}
  - {from: f, to: out}
`

// function is a transform.
type function func() error

func (f function) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	if err := f(); err != nil {
		return err
	}
	out.Records = append(out.Records, in.Records...)
	out.SwapArena(in)
	return nil
}

func (function) Close(context.Context) error { return nil }

func openSmall(t *testing.T, f func() error, set ...string) (*Host, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	set = append([]string{"data.dir=" + filepath.Dir(file)}, set...)
	native := map[string]func() stream.Transform{"f": func() stream.Transform { return function(f) }}
	h, err := Open(t.Context(), Options{Files: []string{file}, Native: native, Set: set, Admin: true, Version: "v1.2.3"})
	if err == nil {
		t.Cleanup(func() {
			if err := h.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return h, err
}

// page asks the server of a host without its listener.
func page(h *Host, path string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "localhost"
	h.server.ServeHTTP(w, r)
	return w.Body.String()
}

func TestReadinessAndMetricsFollowAPipeline(t *testing.T) {
	var h *Host
	var ready, metrics, status string
	var stuck error
	broken := errors.New("broken")
	h, err := openSmall(t, func() error {
		ready, metrics, status = page(h, "/readyz"), page(h, "/metrics"), page(h, "/status")
		stuck = h.Stuck(time.Second)
		return broken
	}, "admin.listen=127.0.0.1:0", "vertices.f.concurrency=1")
	if err != nil {
		t.Fatal(err)
	}
	if got := page(h, "/readyz"); got != "pipeline p is starting\n" {
		t.Errorf("before the run: %q", got)
	}
	if err := h.Stuck(time.Second); stream.CodeOf(err) != stream.DrainTimeout || !strings.Contains(err.Error(), "pipeline p: what was read is not through after 1s: no vertex holds a record") {
		t.Errorf("before the run: %v is stuck", err)
	}
	if err := h.Run(t.Context()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if ready != "ready\n" || !strings.Contains(metrics, `wasmill_pipeline_phase{pipeline="p",phase="running"} 1`) {
		t.Errorf("in the run: %q and\n%s", ready, metrics)
	}
	if !strings.Contains(metrics, `wasmill_build_info{version="v1.2.3",go="`) {
		t.Errorf("they do not name the version:\n%s", metrics)
	}
	var s Status
	if err := json.Unmarshal([]byte(status), &s); err != nil || len(s.Pipelines) != 1 || s.Pipelines[0].Phase != pipeline.PhaseRunning || len(s.Pipelines[0].Vertices) != 3 {
		t.Fatalf("in the run: %v in\n%s", err, status)
	}
	if o := s.Pipelines[0].Oldest; len(o) == 0 || o[0].Vertex != "f" || o[0].Stage != pipeline.StageProcessing || !strings.Contains(o[0].First, " of source in") {
		t.Errorf("in flight is %+v", o)
	}
	if stuck == nil || !strings.Contains(stuck.Error(), "f holds ") || !strings.Contains(stuck.Error(), "the oldest in flight for ") {
		t.Errorf("in the run: %v is stuck", stuck)
	}
	if err := h.Stuck(time.Second); err != nil {
		t.Errorf("after the run: %v is stuck", err)
	}
	if got := page(h, "/readyz"); got != "pipeline p is failed\n" {
		t.Errorf("after the run: %q", got)
	}
	if got := page(h, "/metrics"); strings.Contains(got, `pipeline="p"`) || strings.Contains(got, "wasmill_memory_budget") {
		t.Errorf("after the run there is still:\n%s", got)
	}
}

func TestWhereAdminListens(t *testing.T) {
	if h, err := openSmall(t, nil, "admin.listen=off"); err != nil || h.Admin.URL != "" || h.server != nil {
		t.Errorf("off gives %v, %v", h, err)
	}
	first, err := openSmall(t, nil) // here, or another process, has the usual port
	if err != nil {
		t.Fatal(err)
	}
	second, err := openSmall(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.Admin.Moved == nil && second.Admin.Moved == nil || second.Admin.URL == first.Admin.URL { // who had it before may be gone
		t.Fatalf("the first has %+v, the second %+v", first.Admin, second.Admin)
	}
	taken := strings.TrimPrefix(first.Admin.URL, "http://")
	if _, err := openSmall(t, nil, "admin.listen="+taken); stream.ExitCode(err) != stream.ExitEnvironment {
		t.Errorf("a taken address gives %v", err)
	}
}
