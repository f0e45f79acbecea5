package control

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

const asking = `name: p
vertices:
  - {name: in, source: {generator: {count: 1}}}
  - {name: ask, udf: {plugin: ask, grant: [http], http: {allow: ["api.example.org", "10.0.0.7:80", "10.0.0.7", "http://x/y"]}}}
  - {name: out, sink: drop}
edges: [{from: in, to: ask}, {from: ask, to: out}]
`

func TestHostsThatAreNoneAreFoundBeforeAPipelineRuns(t *testing.T) {
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(asking)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ask.wasm"), abitest.Identity(), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := wasm.NewEngine(t.Context(), t.TempDir(), wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	b := Builder{Engine: e, PluginsDir: dir}
	_, err = b.Build(t.Context(), c)
	faults := config.Faults(err)
	if len(faults) != 2 {
		t.Fatalf("got %v", err)
	}
	for k, want := range []string{`p.yaml:4:100 (vertices[1].udf.http.allow[2])`, `p.yaml:4:112 (vertices[1].udf.http.allow[3])`} {
		if f := faults[k]; f.Where != want || f.Code != stream.ConfigValue || !strings.Contains(f.Fix, "10.0.0.7:8080") {
			t.Errorf("fault %d: %v, want it at %s", k, f, want)
		}
	}
}
