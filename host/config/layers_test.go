package config_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

const small = `name: p
vertices:
  - {name: in, source: generate}
  - {name: parse, udf: {plugin: parse-log.wasm, params: {format: common}}}
  - {name: out, sink: drop}
edges:
  - {from: in, to: parse}
  - {from: parse, to: out}
`

func files(contents ...string) []config.File {
	var fs []config.File
	for i, c := range contents {
		fs = append(fs, config.File{Name: fmt.Sprintf("%d.yaml", i), Data: []byte(c)})
	}
	return fs
}

func pipeline(t *testing.T, text string, set ...string) *config.Pipeline {
	t.Helper()
	p, err := config.LoadPipeline(config.Layers{Files: files(text), Set: set}, catalog())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func process(t *testing.T, l config.Layers) *config.Process {
	t.Helper()
	p, err := config.LoadProcess(l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPathsBeginInTheRoot has those of files and defaults begin there, and no others.
func TestPathsBeginInTheRoot(t *testing.T) {
	text := "plugins: {lock: locks, trust: [{file: k.pub}]}\ndata: {dir: /abs}\ns3: {accessKey: {env: E}, secretKey: {file: s3.key}}\n"
	p := process(t, config.Layers{Files: files(text), Env: []string{"WASMILL_CACHE_DIR=c"}, Set: []string{"pipelines.dir=p"}, Root: "../.."})
	got := []string{p.Plugins.Dir, p.Plugins.Lock, p.Plugins.Trust[0].File, p.Data.Dir, p.Admin.Token.File, p.S3.SecretKey.File, p.S3.AccessKey.File, p.Cache.Dir, p.Pipelines.Dir, p.S3.TLS.CAFile}
	equal(t, "the paths", got, []string{"../../plugins", "../../locks", "../../k.pub", "/abs", "/abs/admin.token", "../../s3.key", "", "c", "p", ""})
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("plugins/shout", 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir("plugins/shout")
	p = process(t, config.Layers{Root: "../.."})
	equal(t, "the folder that this one is in", p.Plugins.Dir, "..")
	p = process(t, config.Layers{Root: "../..", Set: []string{"plugins.keep=1"}})
	equal(t, "a default beside a setting", p.Plugins.Dir, "..")
	p = process(t, config.Layers{Root: "/abs"})
	equal(t, "below a whole path", p.Plugins.Dir, "/abs/plugins")
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, want %#v", what, got, want)
	}
}

func TestProcessDefaults(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/caches")
	equal(t, "process", config.Bare(process(t, config.Layers{})), &config.Process{
		Plugins: config.Plugins{Dir: "plugins", Canary: config.On, Keep: 2}, Pipelines: config.Folder{Dir: "pipelines"},
		Data: config.Folder{Dir: "data"}, Cache: config.Folder{Dir: "/caches/wasmill"},
		Log:     config.Log{Level: config.LogInfo, Format: config.LogAuto},
		Compile: config.Compile{Timeout: 10 * time.Second, Memory: config.GiB},
		Admin:   config.Admin{Listen: config.ListenAuto, Token: config.Token{File: filepath.Join("data", "admin.token")}}, Shutdown: config.Drain{Grace: 25 * time.Second},
		S3: config.S3{RequestTimeout: 30 * time.Second}, Revisions: config.Revisions{Keep: 10},
	})
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	equal(t, "cache without a home", process(t, config.Layers{Set: []string{"data.dir=d"}}).Cache.Dir, "d/cache")
}

func TestPipelineDefaults(t *testing.T) {
	p := pipeline(t, small)
	udf := p.Vertices[1]
	equal(t, "plugin", udf.UDF.Plugin, "parse-log")
	equal(t, "limits", udf.UDF.Limits, config.Limits{
		Memory: 64 * config.MiB, RecordBytes: config.MiB, OutputPerRecord: 1000,
		OutputBytes: 16 * config.MiB, PluginBytes: 64 * config.MiB, TableElements: 100_000, Stack: 8 * config.MiB, HostCalls: 1_000_000, LogLines: 100, LogBytes: 4 * config.KiB, StateBytes: 16 * config.MiB, CallDeadline: 10 * time.Second, WaitDeadline: time.Minute, Discards: 100,
	})
	equal(t, "http", udf.UDF.HTTP, config.HTTP{MaxResponseBytes: config.MiB, Timeout: 10 * time.Second})
	equal(t, "grant", udf.UDF.Grant, []abi.Capability(nil))
	equal(t, "order", udf.Order, config.OrderNone)
	equal(t, "batch", udf.Batch, config.Call{MaxRecords: 1024, MaxBytes: config.MiB, MaxTime: time.Millisecond})
	equal(t, "queue", udf.Queue, config.Stage{MaxRecords: 8192, MaxBytes: 4 * config.MiB, WhenFull: config.FullBlock})
	equal(t, "processing", udf.Processing, config.Batch{MaxRecords: 65536, MaxBytes: 64 * config.MiB})
	equal(t, "output", udf.Output, config.Stage{MaxRecords: 8192, MaxBytes: 4 * config.MiB, WhenFull: config.FullBlock})
	equal(t, "retry", udf.Retry, config.Retry{Attempts: 1, Backoff: 100 * time.Millisecond, MaxBackoff: 10 * time.Second})
	equal(t, "onError", udf.OnError, config.OnErrorFail)
	equal(t, "eventTime", p.Vertices[0].EventTime, (*config.EventTime)(nil))
	equal(t, "idleTimeout", p.Vertices[0].IdleTimeout, time.Duration(0))
	equal(t, "concurrency", udf.Concurrency, config.Concurrency{Max: runtime.GOMAXPROCS(0)})
	equal(t, "source", p.Vertices[0].Source, &config.Component{Kind: "generate", Settings: newGenerate()})
	equal(t, "sink", p.Vertices[2].Sink, &config.Component{Kind: "drop", Settings: newDrop()})
	equal(t, "tags", p.Edges[0].Tags(), []string(nil))
	equal(t, "params", string(udf.UDF.ParamsJSON()), `{"format":"common"}`)
	equal(t, "place", p.Where("vertices[1].udf.plugin"), "0.yaml:4:33 (vertices[1].udf.plugin)")
	equal(t, "place of a default", p.Where("vertices[1].udf.limits.memory"), "0.yaml:4:24 (vertices[1].udf.limits.memory)")
	var none config.UDF
	equal(t, "params of none", string(none.ParamsJSON()), `{}`)
}

func TestAggregateDefaults(t *testing.T) {
	v := pipeline(t, strings.Replace(small, "udf: {plugin: parse-log.wasm, params: {format: common}}", "aggregate: {topK: {json: a.b}}, window: {sliding: {size: 1m, slide: 10s}}", 1)).Vertices[1]
	equal(t, "role", v.Role(), "aggregate")
	equal(t, "aggregate", v.Aggregate, &config.Aggregate{Kind: "topK", JSON: "a.b", K: 10})
	equal(t, "window", v.Window, &config.Window{Sliding: &config.Sliding{Size: time.Minute, Slide: 10 * time.Second, MaxPerRecord: 1000}})
	equal(t, "key", v.Key, config.Key{Key: true})
	equal(t, "state", v.State, config.State{MaxBytes: config.GiB, Groups: 128})
	equal(t, "queue", v.Queue, config.Stage{MaxRecords: 8192, MaxBytes: 4 * config.MiB, WhenFull: config.FullBlock})
}

func TestAnAggregateIsWrittenShort(t *testing.T) {
	p := pipeline(t, strings.Replace(small, "udf: {plugin: parse-log.wasm, params: {format: common}}", "aggregate: count", 1), "vertices.parse.key={header: user}", "vertices.parse.window.fixed=1m",
		"vertices.parse.window.lateness=10s", "vertices.parse.window.every.records=5", "vertices.parse.state.maxBytes=1MiB")
	equal(t, "aggregate", p.Vertices[1].Aggregate, &config.Aggregate{Kind: "count"})
	equal(t, "key", p.Vertices[1].Key, config.Key{Header: "user"})
	equal(t, "window", p.Vertices[1].Window, &config.Window{Fixed: time.Minute, Lateness: 10 * time.Second, Every: config.Every{Records: 5}})
	equal(t, "state", p.Vertices[1].State, config.State{MaxBytes: config.MiB, Groups: 128})
}

func TestAJoinAndTheKeyOfAnEdge(t *testing.T) {
	text := strings.Replace(small, "udf: {plugin: parse-log.wasm, params: {format: common}}", "join: {left: {left: in, right: other, within: 10m}}, key: {json: id}", 1)
	text = strings.Replace(text, "edges:", "  - {name: other, source: generate}\nedges:\n  - {from: other, to: parse, key: {header: user}}", 1)
	p := pipeline(t, text)
	v := p.Vertices[1]
	equal(t, "role", v.Role(), "join")
	equal(t, "join", v.Join, &config.Join{Kind: config.JoinLeft, Left: "in", Right: "other", Within: 10 * time.Minute})
	equal(t, "window", v.Window, &config.Window{Global: true})
	equal(t, "key", v.Key, config.Key{JSON: "id"})
	equal(t, "state", v.State, config.State{MaxBytes: config.GiB, Groups: 128})
	equal(t, "key of an edge", p.Edges[0].Key, &config.Key{Header: "user"})
	equal(t, "key of another edge", p.Edges[1].Key, (*config.Key)(nil))
	p = pipeline(t, text, "edges.0.key={json: a}", "vertices.parse.join={inner: {left: other, right: in}}", "vertices.parse.window={fixed: 1m, lateness: 5s}")
	equal(t, "join", p.Vertices[1].Join, &config.Join{Kind: config.JoinInner, Left: "other", Right: "in"})
	equal(t, "window", p.Vertices[1].Window, &config.Window{Fixed: time.Minute, Lateness: 5 * time.Second})
	equal(t, "key of an edge", p.Edges[0].Key, &config.Key{JSON: "a"})
}

func TestAUDFHasItsStateInItsMemoryIfItSaysSo(t *testing.T) {
	plain := pipeline(t, small).Vertices[1]
	equal(t, "state", plain.State, config.State{MaxBytes: config.GiB, Groups: 128})
	equal(t, "partitions", plain.Partitions, 1)
	v := pipeline(t, small, "vertices.parse.state=memory").Vertices[1]
	equal(t, "memory", v.State.Memory, true)
	equal(t, "one partition", v.Concurrency, config.Concurrency{Max: 1})
	v = pipeline(t, small, "vertices.parse.state=memory", "vertices.parse.partitions=7", "vertices.parse.key={header: user}").Vertices[1]
	equal(t, "key", v.Key, config.Key{Header: "user"})
	equal(t, "a call at a time for each partition", v.Concurrency, config.Concurrency{Max: 7})
}

func TestSideInputsAreFilesOrFedByEdges(t *testing.T) {
	text := strings.Replace(small, "format: common}}", "format: common}}, sideInputs: {rates: {file: a.json}, rules: {}, ranks: null}", 1) +
		"  - {from: in, to: parse, side: rules}\n  - {from: in, to: parse, side: ranks}\n"
	p := pipeline(t, text, "vertices.parse.sideInputs.rates.maxBytes=2MiB")
	equal(t, "side inputs", p.Vertices[1].SideInputs, map[string]config.SideInput{
		"rates": {File: "a.json", MaxBytes: 2 * config.MiB}, "rules": {MaxBytes: config.MiB}, "ranks": {MaxBytes: config.MiB},
	})
	equal(t, "sides of edges", []string{p.Edges[0].Side, p.Edges[2].Side, p.Edges[3].Side}, []string{"", "rules", "ranks"})
	equal(t, "none", pipeline(t, small).Vertices[1].SideInputs, map[string]config.SideInput(nil))
}

func TestConcurrencyIsANumberOrARange(t *testing.T) {
	for text, want := range map[string]config.Concurrency{
		"8": {Max: 8}, "auto": {Min: 1, Max: 64}, "{min: 2, max: 128}": {Min: 2, Max: 128}, "{max: 9}": {Min: 1, Max: 9}, "4096": {Max: 4096},
	} {
		p := pipeline(t, strings.Replace(small, "format: common}}", "format: common}}, concurrency: "+text, 1))
		equal(t, "concurrency: "+text, p.Vertices[1].Concurrency, want)
		equal(t, "--set concurrency="+text, pipeline(t, small, "vertices.parse.concurrency="+text).Vertices[1].Concurrency, want)
	}
	equal(t, "a number as text", config.Concurrency{Max: 8}.String(), "8")
	equal(t, "a range as text", config.Concurrency{Min: 1, Max: 64}.String(), "1–64")
}

func TestFlowSettings(t *testing.T) {
	p := pipeline(t, `name: p
vertices:
  - {name: in, source: generate, eventTime: {json: a.b, format: unix, maxOutOfOrder: 5s}, idleTimeout: 1m, onError: deadLetter}
  - name: parse
    udf: {plugin: x}
    order: key
    queue: {maxRecords: 5, whenFull: dropOldest}
    processing: {maxBytes: 1KiB}
    output: {whenFull: dropNewest}
    retry: {attempts: 3, backoff: 1s}
    onError: deadLetter
  - {name: out, sink: drop, queue: {whenFull: dropNewest}, retry: {attempts: 2}, onError: deadLetter}
  - {name: dead, sink: drop}
edges:
  - {from: in, to: parse}
  - {from: parse, to: out}
  - {from: in, to: dead, when: {deadLetters: true}}
  - {from: parse, to: dead, when: {deadLetters: true}}
  - {from: out, to: dead, when: {deadLetters: true}}
`)
	in, udf, out := p.Vertices[0], p.Vertices[1], p.Vertices[2]
	equal(t, "eventTime", in.EventTime, &config.EventTime{JSON: "a.b", Format: "unix", MaxOutOfOrder: 5 * time.Second})
	equal(t, "idleTimeout", in.IdleTimeout, time.Minute)
	equal(t, "order", udf.Order, config.OrderKey)
	equal(t, "queue", udf.Queue, config.Stage{MaxRecords: 5, MaxBytes: 4 * config.MiB, WhenFull: config.FullDropOldest})
	equal(t, "processing", udf.Processing, config.Batch{MaxRecords: 65536, MaxBytes: config.KiB})
	equal(t, "output", udf.Output.WhenFull, config.FullDropNewest)
	equal(t, "retry", udf.Retry, config.Retry{Attempts: 3, Backoff: time.Second, MaxBackoff: 10 * time.Second})
	equal(t, "onError", []config.OnError{in.OnError, udf.OnError, out.OnError, p.Vertices[3].OnError},
		[]config.OnError{config.OnErrorDeadLetter, config.OnErrorDeadLetter, config.OnErrorDeadLetter, config.OnErrorFail})
	equal(t, "retry of the sink", out.Retry.Attempts, 2)
	equal(t, "dead letters", []bool{p.Edges[1].DeadLetters(), p.Edges[2].DeadLetters()}, []bool{false, true})
	q := pipeline(t, strings.Replace(small, "source: generate", "source: generate, eventTime: {key: true}", 1))
	equal(t, "eventTime defaults", q.Vertices[0].EventTime, &config.EventTime{Key: true, Format: "rfc3339"})
}

func TestSettingsOfEveryType(t *testing.T) {
	p := pipeline(t, strings.Replace(small, "source: generate}", `source: {generate: {rate: 2, count: 4294967295, seed: -0x10, loop: true, size: 1KiB,
      every: 1m30s, shape: burst, types: [x, y], labels: {"a.b": c}, template: {n: [1, 2.5, null]}, nexmark: {types: [bid]}}}}`, 1))
	equal(t, "settings", p.Vertices[0].Source.Settings, &generate{
		Rate: 2, Count: math.MaxUint32, Seed: -16, Loop: true, Size: config.KiB, Every: 90 * time.Second, Shape: "burst",
		Types: []string{"x", "y"}, Labels: map[string]string{"a.b": "c"},
		Template: map[string]any{"n": []any{1, 2.5, nil}}, Nexmark: &nexmark{Types: []string{"bid"}},
	})
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	if err := load(t, "testdata/good/anchors.yaml"); err != nil {
		t.Fatal(err)
	}
	p := pipeline(t, `name: p
vertices:
  - {name: in, source: generate}
  - &a {name: a, udf: {plugin: x}, concurrency: 2, batch: {maxRecords: 5}}
  - {name: b, <<: [{order: input, concurrency: 3}, *a], batch: {maxBytes: 9}}
  - {name: out, sink: drop}
edges: [{from: in, to: a}, {from: a, to: b}, {from: b, to: out}]
`, "vertices.a.concurrency=7")
	a, b := p.Vertices[1], p.Vertices[2]
	equal(t, "a's concurrency", a.Concurrency, config.Concurrency{Max: 7})
	equal(t, "own key over a merged one", b.Name, stream.VertexID("b"))
	equal(t, "first merged map over the second", b.Concurrency, config.Concurrency{Max: 3})
	equal(t, "only in the first merged map", b.Order, config.OrderInput)
	equal(t, "merged udf", b.UDF.Plugin, "x")
	equal(t, "own map instead of the merged one", b.Batch, config.Call{MaxRecords: 1024, MaxBytes: 9, MaxTime: time.Millisecond})
}

func TestLaterLayersWin(t *testing.T) {
	l := config.Layers{
		Files: files("plugins: {dir: a}\nlog: {level: debug, format: json}\ndata: {dir: a}\npipelines: {dir: a}\n", "pipelines: {dir: b}\nplugins: {dir: b}\nlog:\n  level: warn\n"),
		Env:   []string{"WASMILL_PLUGINS_DIR=c: [d", "WASMILL_DATA_DIR=123", "WASMILL_LOG_LEVEL=", "WASMILL_CONFIG=x", "PATH=/bin", "WASMILL_MEMORY_BUDGET=2GiB"},
		Set:   []string{"memory.budget=1024", "data.dir=1e3", "memory.budget=3KiB"},
	}
	p := process(t, l)
	equal(t, "only in the first file", p.Log.Format, config.LogJSON)
	equal(t, "in both files, and an empty variable", p.Log.Level, config.LogWarn)
	equal(t, "in the second file", p.Pipelines.Dir, "b")
	equal(t, "variable", p.Plugins.Dir, "c: [d")
	equal(t, "flag that looks like a number", p.Data.Dir, "1e3")
	equal(t, "last of two flags", p.Memory.Budget, 3*config.KiB)
}

func TestSet(t *testing.T) {
	p := pipeline(t, small,
		"name=123abc", "name=q", "description=", "vertices.parse.concurrency=3", "vertices[1].order=input",
		"vertices.parse.udf.params.format=combined: [x", "vertices.1.udf.params.fields=[a, {b: 1}]", "vertices.parse.udf.params.on=true",
		"vertices.in.source.generate.rate=8", "vertices.in.source.generate.shape=burst", "vertices.out.sink={file: {path: 12.5}}",
		"vertices.parse.batch.maxRecords=9", `edges.1.when.tags=["a", 'b']`)
	equal(t, "name", p.Name, "q")
	equal(t, "concurrency", p.Vertices[1].Concurrency, config.Concurrency{Max: 3})
	equal(t, "order", p.Vertices[1].Order, config.OrderInput)
	equal(t, "params", string(p.Vertices[1].UDF.ParamsJSON()), `{"fields":["a",{"b":1}],"format":"combined: [x","on":true}`)
	equal(t, "rate into the short form", p.Vertices[0].Source.Settings.(*generate).Rate, 8.0)
	equal(t, "sink replaced as a whole", p.Vertices[2].Sink, &config.Component{Kind: "file", Settings: &file{Path: "12.5"}})
	equal(t, "batch", p.Vertices[1].Batch, config.Call{MaxRecords: 9, MaxBytes: config.MiB, MaxTime: time.Millisecond})
	equal(t, "tags", p.Edges[1].Tags(), []string{"a", "b"})
	equal(t, "place", p.Where("vertices[1].concurrency"), "--set vertices.parse.concurrency=3")
}

func TestSplitSet(t *testing.T) {
	process, pipeline := config.SplitSet([]string{"plugins.dir=x", "vertices.a.order=none", "plugin.dir=x", "vertces[0]=1", "name=x", "weather", "log={level: info}"})
	equal(t, "process", process, []string{"plugins.dir=x", "plugin.dir=x", "log={level: info}"})
	equal(t, "pipeline", pipeline, []string{"vertices.a.order=none", "vertces[0]=1", "name=x", "weather"})
}

func TestLoadsShareNothing(t *testing.T) {
	text := []byte(small)
	l := config.Layers{Files: []config.File{{Name: "p", Data: text}}}
	a, err := config.LoadPipeline(l, catalog())
	if err != nil {
		t.Fatal(err)
	}
	b, err := config.LoadPipeline(l, catalog())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "second load", b, a)
	a.Vertices[1].UDF.Params["format"] = "changed"
	a.Vertices[0].Source.Settings.(*generate).Types[0] = "changed"
	for i := range text {
		text[i] = 'x'
	}
	equal(t, "params of the other load", string(b.Vertices[1].UDF.ParamsJSON()), `{"format":"common"}`)
	equal(t, "settings of the other load", b.Vertices[0].Source.Settings, newGenerate())
	equal(t, "name", b.Name, "p")
}

func TestFaultsComeInTheOrderOfLayers(t *testing.T) {
	_, err := config.LoadProcess(config.Layers{
		Files: files("log: {level: a}\ndata: 5\nzzz: 1\n", "aaa: 2\nlog: {format: b}\n"),
		Env:   []string{"WASMILL_X=1"},
		Set:   []string{"y=2", "memory.budget=x"},
	})
	var got []string
	for _, e := range config.Faults(fmt.Errorf("load config: %w", err)) {
		where, _, _ := strings.Cut(e.Where, " (")
		got = append(got, where)
	}
	equal(t, "places", got, []string{"0.yaml:1:14", "0.yaml:2:7", "0.yaml:3:1", "1.yaml:1:1", "1.yaml:2:15", "environment WASMILL_X", "--set y=2", "--set memory.budget=x"})
	equal(t, "exit code", stream.ExitCode(err), stream.ExitInput)
	equal(t, "faults of nil", config.Faults(nil), []*stream.Error(nil))
}

func TestUnreadableFilesHideNoOtherFile(t *testing.T) {
	_, err := config.LoadProcess(config.Layers{
		Files: files("log: {level: a\n", strings.Repeat("#", 1<<20+1), "- a\n", "x: 1\nx: 2\n"),
		Set:   []string{"nothing"},
	})
	var got []string
	for _, e := range config.Faults(err) {
		got = append(got, e.Where+" "+string(e.Code))
	}
	equal(t, "faults", got, []string{"0.yaml:1:1 config-syntax", "1.yaml:1:1 config-file", "2.yaml:1:1 config-type", "3.yaml:2:1 (x) config-duplicate-key"})
}

func TestKeysThatAreTrusted(t *testing.T) {
	const one, two = "YY+22Bvt7UUoGk5AhApYNPPrmOZNvVvN/5ieb16LMQc=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for name, l := range map[string]config.Layers{
		"a file":     {Files: []config.File{{Name: "f", Data: []byte("plugins: {trust: [" + one + ", {file: k.pub}, " + two + "]}")}}},
		"--set":      {Set: []string{"plugins.trust=[" + one + ", {file: k.pub}, " + two + "]"}},
		"a variable": {Env: []string{"WASMILL_PLUGINS_TRUST=" + one + "," + two}},
		"a text":     {Set: []string{"plugins.trust=" + one + ", " + two}},
	} {
		p, err := config.LoadProcess(l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, k := range p.Plugins.Trust {
			if got = append(got, k.Key()+k.File); !strings.Contains(k.Where(), "plugins.trust") {
				t.Errorf("%s: a key is at %q", name, k.Where())
			}
		}
		want := []string{one, "k.pub", two}
		if len(got) == 2 {
			want = []string{one, two}
		}
		equal(t, name, got, want)
	}
}
