package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

const counting = `name: p
vertices:
  - {name: in, source: stdin, eventTime: {json: at, format: unix}}
  - name: a
    udf: {plugin: count-by}
    window: {fixed: 1m}
    key: {json: k}
  - {name: out, sink: {file: {path: out}}}
  - {name: late, sink: {file: {path: late}}}
edges:
  - {from: in, to: a}
  - {from: a, to: out}
  - {from: a, to: late, when: {tags: [late]}}
`

// byGuest builds and runs a pipeline with plugins of a folder.
func byGuest(t *testing.T, plugins, text, lines string) (dir string, err error) {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		return "", err
	}
	e, err := wasm.NewEngine(t.Context(), t.TempDir(), wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	dir = t.TempDir()
	b := Builder{Engine: e, PluginsDir: plugins, Lent: Lent{Stdin: strings.NewReader(lines), Dir: dir}}
	g, err := b.Build(t.Context(), c)
	if err != nil {
		return "", err
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		return "", errors.Join(err, closeTransforms(t.Context(), g))
	}
	return dir, p.Run(t.Context(), nil)
}

func TestAGuestCounts(t *testing.T) {
	if _, err := os.Stat("../../plugins/count-by.wasm"); err != nil {
		if os.Getenv("REQUIRE_GUESTS") != "" {
			t.Fatal(err)
		}
		t.Skip("plugin count-by is not built: run make plugins")
	}
	for window, want := range map[string][]string{
		"{fixed: 1m}":                         {`{"count":1}`, `{"count":1}`, `{"count":2}`},
		"{session: 1m}":                       {`{"count":1}`, `{"count":3}`},
		"{global: true}":                      {`{"count":1}`, `{"count":3}`},
		"{global: true, every: {records: 2}}": {`{"count":1}`, `{"count":2}`, `{"count":3}`},
	} {
		dir, err := byGuest(t, "../../plugins", strings.Replace(counting, "{fixed: 1m}", window, 1), events)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range sortedLines(t, dir, "out") {
			got = append(got, strings.TrimSpace(line))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", window, got, want)
		}
	}
}

// TestASessionNeedsMerge has a plugin that cannot merge.
func TestASessionNeedsMerge(t *testing.T) {
	a := abitest.NewGuestOf(abi.KindAggregate)
	a.Func(abi.ExportAdd, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(0))
	a.Func(abi.ExportResult, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(0))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "count-by.wasm"), a.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := byGuest(t, dir, strings.Replace(counting, "{fixed: 1m}", "{session: 1m}", 1), "")
	if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), "p.yaml:6:") || !strings.Contains(err.Error(), abi.ExportMerge) {
		t.Errorf("got %v", err)
	}
	_, err = byGuest(t, dir, strings.Replace(counting, "tags: [late]", "tags: [missing]", 1), "")
	if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), `"missing"`) {
		t.Errorf("got %v", err)
	}
}
