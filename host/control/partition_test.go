package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

const remembering = `name: p
vertices:
  - {name: in, source: {generator: {count: 1}}}
  - {name: f, udf: {plugin: guest, limits: {memory: 8MiB}}, state: memory, partitions: 4, key: {json: k}}
  - {name: out, sink: drop}
edges: [{from: in, to: f}, {from: f, to: out}]
`

// builtWith builds a pipeline whose plugin guest is a module.
func builtWith(t *testing.T, text string, module []byte, budget config.Bytes) (pipeline.Graph, error) {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "guest.wasm"), module, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := wasm.NewEngine(t.Context(), t.TempDir(), wasm.CompileLimits{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b := Builder{Engine: e, PluginsDir: dir, Budget: budget}
	return b.Build(t.Context(), c)
}

func TestEachPartitionIsAGroupAndACallOfItsOwn(t *testing.T) {
	g, err := builtWith(t, remembering, abitest.Identity(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v := g.Vertices[1]
	defer v.Transform.Close(t.Context())
	p, ok := v.Transform.(stream.Keyed)
	if !ok || p.Groups() != 4 || v.Concurrency != 4 || v.MinConcurrency != 0 {
		t.Fatalf("%d calls at once for %T", v.Concurrency, v.Transform)
	}
	for _, key := range []string{"", "a", "b", "something else"} {
		if got, want := p.Group([]byte(key)), int(state.GroupOf([]byte(key), 4)); got != want {
			t.Errorf("group %d of key %q, want %d", got, key, want)
		}
	}
	if _, ok := p.(interface{ Apart() }); !ok {
		t.Error("two partitions may be in one call")
	}
	hash := false
	for _, h := range v.Headers {
		hash = hash || h.Name == headerPluginHash
	}
	if !hash {
		t.Error("dead letters do not say which build of the plugin it was")
	}

	in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
	in.Append(0, nil, []byte(`{"k":"a"}`), nil)
	in.Append(0, nil, []byte(`{"l":"a"}`), nil)
	if key, ok := p.Key(in, 0); string(key) != "a" || !ok {
		t.Errorf("key %q", key)
	}
	if _, ok := p.Key(in, 1); ok {
		t.Error("a record without the field has a key")
	}
	in.Records[1].Port = stream.NoKey
	if err := p.In(t.Context(), in, &out); err != nil || len(out.Failures) != 1 || out.Failures[0].Input != 1 || out.Kept || out.Len() != 0 {
		t.Errorf("with a record without a key: %+v, %v", out, err)
	}
	in.Records, out.Failures = in.Records[:1], nil
	if err := p.In(t.Context(), in, &out); err != nil || len(out.Failures) != 0 || out.Len() != 1 {
		t.Errorf("without it: %+v, %v", out, err)
	}
	if _, ok := p.Due(0, 4); ok {
		t.Error("something is due")
	}
	if _, ok := p.Alarm(0, 4); ok {
		t.Error("there is an alarm")
	}
	if s := v.Transform.(partitioned).guests.Stats(); s.Calls != 1 || s.Instances != 1 {
		t.Errorf("%d calls of %d instances", s.Calls, s.Instances)
	}
}

func TestAPluginWhoseMemoryCannotBeTheStateIsRefusedWhereItIsNamed(t *testing.T) {
	text := `{"name":"x","kind":"map","wants":["clock"]}`
	a := &abitest.Asm{}
	a.Memory(1)
	a.Data(64, []byte(text))
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{abitest.I64}, nil, abitest.Const64(64<<32|int64(len(text))))
	a.Func(abi.ExportInput, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	_, err := builtWith(t, remembering, a.Bytes(), 0)
	var e *stream.Error
	if !errors.As(err, &e) || e.Code != stream.PluginState || !strings.HasPrefix(e.Where, "p.yaml:4:29 (vertices[1].udf.plugin): ") || e.Fix == "" {
		t.Errorf("got %v", err)
	}
	_, err = builtWith(t, strings.Replace(remembering, "{json: k}", "{json: 'a..b'}", 1), abitest.Identity(), 0)
	if !errors.As(err, &e) || !strings.Contains(e.Where, "(vertices[1].key.json)") {
		t.Errorf("got %v", err)
	}
}

func TestACopyOfEachPartitionCountsForTheBudget(t *testing.T) {
	_, err := builtWith(t, remembering, abitest.Identity(), 100*config.MiB)
	if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), "(vertices[1].partitions)") || !strings.Contains(err.Error(), "4 × 32 MiB with a copy and a journal of each") {
		t.Errorf("got %v", err)
	}
	g, err := builtWith(t, remembering, abitest.Identity(), 128*config.MiB)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Vertices[1].Transform.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
