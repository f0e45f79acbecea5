package control

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

const aggregating = `name: p
vertices:
  - {name: in, source: stdin, eventTime: {json: at, format: unix}}
  - name: a
    aggregate: count
    window: {fixed: 1m}
    key: {json: k}
  - {name: out, sink: {file: {path: out}}}
  - {name: late, sink: {file: {path: late}}}
edges:
  - {from: in, to: a}
  - {from: a, to: out}
  - {from: a, to: late, when: {tags: [late]}}
`

// aggregated runs a pipeline over lines and returns its results and late records,
// each sorted.
func aggregated(t *testing.T, text, lines string) (out, late []string) {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := Builder{Lent: Lent{Stdin: strings.NewReader(lines), Dir: dir}}
	g, err := b.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return sortedLines(t, dir, "out"), sortedLines(t, dir, "late")
}

func sortedLines(t *testing.T, path ...string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(strings.Lines(string(data)))
}

const events = `{"at":10,"k":"a","v":3,"u":"x"}
{"at":20,"k":"b","v":1,"u":"x"}
{"at":50,"k":"a","v":4.5,"u":"y"}
{"at":70,"k":"a","v":-2,"u":"x"}
`

func TestAggregatesOfEveryKind(t *testing.T) {
	const minute = `"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z","fired":"on-time"`
	for _, tt := range []struct{ what, want string }{
		{`aggregate: count`, `"count":2`},
		{`aggregate: {sum: {json: v}}`, `"sum":7.5`},
		{`aggregate: {avg: {json: v}}`, `"avg":3.75`},
		{`aggregate: {min: {json: v}}`, `"min":3`},
		{`aggregate: {max: {json: v}}`, `"max":4.5`},
		{`aggregate: {topK: {json: v, k: 1}}`, `"topK":[{"by":4.5,"item":{"at":50,"k":"a","v":4.5,"u":"y"}}]`},
		{`aggregate: {distinct: {json: u}}`, `"distinct":2`},
		{`aggregate: {distinct: {value: true}}`, `"distinct":2`},
	} {
		out, late := aggregated(t, strings.Replace(aggregating, "aggregate: count", tt.what, 1), events)
		if want := `{"key":"a",` + minute + "," + tt.want + "}\n"; len(out) != 3 || out[0] != want || len(late) != 0 {
			t.Errorf("%s: got %q and late %q, want first %s", tt.what, out, late, want)
		}
	}
}

func TestWindowsOfEveryKind(t *testing.T) {
	for _, tt := range []struct {
		window string
		want   []string // start, end and count of the key a
	}{
		{`{fixed: 1m}`, []string{"00:00:00 00:01:00 2", "00:01:00 00:02:00 1"}},
		{`{fixed: 1m, offset: 30s}`, []string{"00:00:30 00:01:30 2", "23:59:30 00:00:30 1"}},
		{`{sliding: {size: 1m, slide: 40s}}`, []string{"00:00:00 00:01:00 2", "00:00:40 00:01:40 2", "23:59:20 00:00:20 1"}},
		{`{session: 30s}`, []string{"00:00:10 00:00:40 1", "00:00:50 00:01:40 2"}},
		{`{global: true}`, []string{"null null 3"}},
	} {
		out, _ := aggregated(t, strings.Replace(aggregating, "{fixed: 1m}", tt.window, 1), events)
		var got []string
		for _, line := range out {
			if strings.HasPrefix(line, `{"key":"a"`) {
				got = append(got, brief(line))
			}
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.window, got, tt.want)
		}
	}
}

// brief is the start, end and count of a result, without days.
func brief(line string) string {
	var parts []string
	for _, name := range []string{`"start":`, `"end":`, `"count":`} {
		_, v, _ := strings.Cut(line, name)
		v = v[:strings.IndexAny(v, ",}")]
		if _, clock, ok := strings.Cut(strings.Trim(v, `"Z`), "T"); ok {
			v = clock
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, " ")
}

func TestEarlyResults(t *testing.T) {
	got := windows(&config.Window{Session: 4, Every: config.Every{Records: 5, Time: 6}})
	if want := (window.Spec{Kind: window.Session, Gap: 4, EveryRecords: 5, Every: 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestALateRecordHasATag takes one record after the other, so that the watermark is
// not far behind the last one.
func TestALateRecordHasATag(t *testing.T) {
	step := strings.NewReplacer("source: stdin", "source: {stdin: {batchRecords: 1}}", "aggregate: count", "aggregate: count\n    queue: {maxRecords: 1}\n    processing: {maxRecords: 1}")
	const after = `{"at":5,"k":"a"}` + "\n"
	lines := events + strings.Repeat(`{"at":80,"k":"a"}`+"\n", 50) + after
	out, late := aggregated(t, step.Replace(aggregating), lines)
	if len(out) != 3 || !slices.Equal(late, []string{after}) {
		t.Errorf("got %q, and late %q", out, late)
	}
	out, late = aggregated(t, strings.Replace(step.Replace(aggregating), "fixed: 1m", "fixed: 1m, lateness: 30s", 1), lines)
	if len(out) != 4 || !strings.HasSuffix(out[0], `"fired":"late","count":3}`+"\n") || len(late) != 0 {
		t.Errorf("with lateness got %q, and late %q", out, late)
	}
}

func TestKeysAndValuesAreFoundWhereTheConfigSays(t *testing.T) {
	text := strings.NewReplacer("{json: k}", "{header: who}", "aggregate: count", "aggregate: {sum: {header: n}}", "{fixed: 1m}", "{sliding: {size: 1h, slide: 1s, maxPerRecord: 3600}}").Replace(aggregating)
	g, err := built(t, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	a := g.Vertices[1].Transform.(stream.Keyed)
	var b stream.Batch
	b.Append(0, []byte("own"), nil, abi.AppendHeader(abi.AppendHeader(nil, "who", []byte("x")), "n", []byte("no number")))
	b.Append(0, []byte("own"), nil, nil)
	if key, ok := a.Key(&b, 0); !ok || string(key) != "x" {
		t.Errorf("the key is %q, %v", key, ok)
	}
	if key, ok := a.Key(&b, 1); ok {
		t.Errorf("without the header the key is %q", key)
	}
	out := stream.Output{Batch: new(stream.Batch)}
	if err := a.In(t.Context(), &b, &out); err != nil || len(out.Failures) != 2 || !strings.Contains(out.Failures[0].Reason, "no number") {
		t.Errorf("got %+v, %v", out.Failures, err)
	}
	g, err = built(t, strings.Replace(aggregating, "    key: {json: k}\n", "", 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := g.Vertices[1].Transform.(stream.Keyed).Key(&b, 1); !ok || string(key) != "own" {
		t.Errorf("by default the key is %q, %v", key, ok)
	}
}

func TestStateIsBounded(t *testing.T) {
	g, err := built(t, strings.Replace(aggregating, "key: {json: k}", "state: {maxBytes: 1KiB, groups: 3}", 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	a := g.Vertices[1].Transform.(stream.Keyed)
	var b stream.Batch
	for i := range 100 {
		b.Append(0, []byte{byte(i)}, nil, nil)
	}
	err = a.In(t.Context(), &b, &stream.Output{Batch: new(stream.Batch)})
	if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "of at most 1024 bytes") || a.Groups() != 3 {
		t.Errorf("got %v, with %d groups", err, a.Groups())
	}
}

func TestAggregatesOfNothingAreFoundBeforeAPipelineRuns(t *testing.T) {
	text := strings.NewReplacer("{json: k}", "{json: .k}", "aggregate: count", `aggregate: {sum: {json: "v\\"}}`).Replace(aggregating)
	_, err := built(t, text, 0)
	faults := config.Faults(err)
	if len(faults) != 2 {
		t.Fatalf("got %v", err)
	}
	for i, want := range []string{"p.yaml:7:17 (vertices[1].key.json): JSON path", "p.yaml:5:29 (vertices[1].aggregate.sum.json): JSON path"} {
		if !strings.HasPrefix(faults[i].Error(), want) {
			t.Errorf("got %v, want %s", faults[i], want)
		}
	}
}
