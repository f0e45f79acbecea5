package control

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/wasm"
)

// workshop is a folder of plugins, and of what pipelines write.
type workshop struct {
	*testing.T
	dir    string
	engine *wasm.Engine
}

func newWorkshop(t *testing.T) *workshop {
	dir := t.TempDir()
	for name, module := range map[string][]byte{
		"first": abitest.First(), "counter": abitest.Counter(), "ringing": abitest.Ringing(), "badly": abitest.RingingBadly(), "identity": abitest.Identity(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".wasm"), module, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	engine, err := wasm.NewEngine(t.Context(), filepath.Join(dir, "cache"), wasm.CompileLimits{Timeout: time.Minute, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(t.Context()) })
	return &workshop{t, dir, engine}
}

func (w *workshop) build(text, lines string) (*config.Pipeline, pipeline.Graph, error) {
	w.Helper()
	return w.buildFrom(text, Lent{Stdin: strings.NewReader(lines), Dir: w.dir})
}

func (w *workshop) buildFrom(text string, lent Lent) (*config.Pipeline, pipeline.Graph, error) {
	w.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		w.Fatal(err)
	}
	b := Builder{Engine: w.engine, PluginsDir: w.dir, Lent: lent}
	g, err := b.Build(w.Context(), c)
	return c, g, err
}

// run runs a pipeline and returns its metrics.
func (w *workshop) run(text, lines string) map[string]string {
	w.Helper()
	c, g, err := w.build(text, lines)
	if err != nil {
		w.Fatal(err)
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		w.Fatal(err)
	}
	if err := p.Run(w.Context(), nil); err != nil {
		w.Fatal(err)
	}
	return scrape(w.T, Metrics(c, g, p))
}

// lines returns what a sink wrote, sorted, without line ends.
func (w *workshop) lines(name string) []string {
	all := sortedLines(w.T, w.dir, name)
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], "\n")
	}
	return all
}

const keyedPipeline = `name: p
vertices:
  - {name: in, source: stdin, eventTime: {json: at, format: unix}}
  - {name: a, udf: {plugin: first, limits: {memory: 4MiB}}, key: {json: k}, state: {groups: 5, maxBytes: 1MiB}, concurrency: 3, batch: {maxRecords: 7}, onError: deadLetter}
  - {name: b, udf: {plugin: first, limits: {memory: 4MiB}}, key: {json: k}}
  - {name: c, udf: {plugin: counter, limits: {memory: 4MiB}}, key: {json: k}}
  - {name: out, sink: {file: {path: out}}}
  - {name: timers, sink: {file: {path: timers}}}
  - {name: dead, sink: {file: {path: dead}}}
edges:
  - {from: in, to: a}
  - {from: a, to: b}
  - {from: b, to: out}
  - {from: b, to: c}
  - {from: c, to: timers}
  - {from: a, to: dead, when: {deadLetters: true}}
`

func TestAPluginWithStateInAPipeline(t *testing.T) {
	w := newWorkshop(t)
	var lines strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&lines, `{"at":%d,"k":"k%d"}`+"\n", n, n%100)
	}
	lines.WriteString(`{"at":7}` + "\n")
	m := w.run(keyedPipeline, lines.String())
	out := w.lines("out")
	if len(out) != 100 || out[0] != `{"at":0,"k":"k0"}` || out[99] != `{"at":99,"k":"k99"}` {
		t.Errorf("out has %d lines: %q", len(out), out)
	}
	if dead := w.lines("dead"); len(dead) != 1 || dead[0] != `{"at":7}` {
		t.Errorf("dead letters are %q", dead)
	}
	timers := 0
	for _, l := range w.lines("timers") {
		if l == "n" {
			timers++
		}
	}
	if timers != 100 {
		t.Errorf("%d timers fired", timers)
	}
	expect(t, m, map[string]string{
		`wasmill_state_keys{pipeline="p",vertex="a"}`:        "100",
		`wasmill_state_limit_bytes{pipeline="p",vertex="a"}`: "1.048576e+06",
	})
}

// TestATimerByTheClockNeedsNoRecordToFire has a stream in which nothing comes after
// the record that set it, and which does not end before it has fired.
func TestATimerByTheClockNeedsNoRecordToFire(t *testing.T) {
	w := newWorkshop(t)
	stdin, lines := io.Pipe()
	fired := make(chan struct{})
	stdout := writer(func(p []byte) {
		if strings.Contains(string(p), "name") {
			close(fired)
		}
	})
	_, g, err := w.buildFrom(`name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, udf: {plugin: ringing}, key: {json: k}}
  - {name: out, sink: {stdout: {bufferBytes: 1}}}
edges: [{from: in, to: a}, {from: a, to: out}]
`, Lent{Stdin: stdin, Stdout: stdout})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		fmt.Fprintln(lines, `{"k":"x"}`)
		<-fired
		lines.Close()
	}()
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestTimersThatFailBecomeDeadLetters(t *testing.T) {
	w := newWorkshop(t)
	w.run(`name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, udf: {plugin: badly}, key: {json: k}, onError: deadLetter}
  - {name: out, sink: {file: {path: out}}}
  - {name: dead, sink: {file: {path: dead, format: json}}}
edges: [{from: in, to: a}, {from: a, to: out}, {from: a, to: dead, when: {deadLetters: true}}]
`, `{"k":"x"}`+"\n"+`{"k":"y"}`+"\n")
	if out := w.lines("out"); len(out) != 2 {
		t.Errorf("out is %q", out)
	}
	dead := w.lines("dead")
	if len(dead) != 2 {
		t.Fatalf("dead letters are %q", dead)
	}
	for i, key := range []string{"x", "y"} {
		for _, want := range []string{`"key":"` + key + `"`, `"value":"name"`, `"wasmill-code":"guest-trap"`, `"wasmill-vertex":"a"`} {
			if !strings.Contains(dead[i], want) {
				t.Errorf("%s lacks %s", dead[i], want)
			}
		}
	}
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func TestWhatDoesNotFitTheStateBecomesDeadLetters(t *testing.T) {
	w := newWorkshop(t)
	var lines strings.Builder
	for n := range 500 {
		fmt.Fprintf(&lines, `{"at":%d,"k":"key number %d"}`+"\n", n, n)
	}
	w.run(strings.Replace(keyedPipeline, "groups: 5, maxBytes: 1MiB", "groups: 2, maxBytes: 9KiB", 1), lines.String())
	out, dead := w.lines("out"), w.lines("dead")
	if len(out)+len(dead) != 500 || len(out) < 50 || len(dead) < 50 {
		t.Errorf("%d lines left, and %d dead letters", len(out), len(dead))
	}
}

func TestKindsNeedWhatTheyNeed(t *testing.T) {
	w := newWorkshop(t)
	_, _, err := w.build(`name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, udf: {plugin: counter}, window: {fixed: 1m}}
  - {name: b, udf: {plugin: identity}, key: {json: k}, window: {fixed: 1m}, state: {groups: 5}}
  - {name: c, udf: {plugin: counter}, key: {json: k}, state: memory}
  - {name: d, udf: {plugin: counter}, key: {json: a..b}}
  - {name: out, sink: drop}
edges:
  - {from: in, to: a}
  - {from: a, to: b}
  - {from: b, to: c}
  - {from: c, to: d}
  - {from: d, to: out}
`, "")
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{
		"p.yaml:4:5 (vertices[1]): plugin abitest is of kind process, whose state is by key, so it needs key [config-missing]\n  fix: add key: {json: path}",
		"p.yaml:4:47 (vertices[1].window): plugin abitest is of kind process, which is told of records and timers, not of windows [config-value]",
		"p.yaml:5:45 (vertices[2].key): plugin abitest is of kind map, which has no state, so that a key means nothing [config-value]\n  fix: remove it, or take a plugin of kind process",
		"p.yaml:5:64 (vertices[2].window): plugin abitest is of kind map, which knows nothing of windows [config-value]",
		"p.yaml:5:84 (vertices[2].state): plugin abitest is of kind map, which has none [config-value]",
		"p.yaml:6:62 (vertices[3].state): plugin abitest is of kind process, whose state is kept by key outside of its memory [config-value]",
		"p.yaml:7:51 (vertices[4].key.json): JSON path",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it lacks %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "fix:"); n != 7 {
		t.Errorf("%d errors:\n%v", n, err)
	}
}

func TestDeadLettersOfAPluginWithStateNameItsHash(t *testing.T) {
	w := newWorkshop(t)
	_, g, err := w.build(keyedPipeline, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeTransforms(t.Context(), g); err != nil {
			t.Error(err)
		}
	}()
	for _, h := range g.Vertices[1].Headers {
		if h.Name == headerPluginHash && len(h.Value) == 64 {
			return
		}
	}
	t.Errorf("headers are %+v", g.Vertices[1].Headers)
}
