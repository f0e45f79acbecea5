package control

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/join"
	"github.com/wasmill/wasmill/host/stream"
)

const joining = `name: p
vertices:
  - {name: orders, source: {file: {path: orders}}, eventTime: {json: at, format: unix}}
  - {name: payments, source: {file: {path: payments, batchRecords: 3}}, eventTime: {json: at, format: unix}}
  - name: j
    join: {inner: {left: orders, right: payments}}
    window: {fixed: 1m}
    key: {json: id}
  - {name: out, sink: {file: {path: out}}}
edges:
  - {from: payments, to: j, key: {json: order}}
  - {from: orders, to: j}
  - {from: j, to: out}
`

const (
	orders   = `{"at":10,"id":"a"}` + "\n" + `{"at":20,"id":"b"}` + "\n" + `{"at":70,"id":"c"}` + "\n"
	payments = `{"at":5,"order":"a"}` + "\n" + `{"at":65,"order":"b"}` + "\n" + `{"at":75,"order":"c"}` + "\n" + `{"at":100,"order":"c"}` + "\n"
)

// joined runs a pipeline over orders and payments and returns what it built, its
// results, sorted, and what returns its metrics.
func joined(t *testing.T, text, orders, payments string) (g pipeline.Graph, out []string, metrics func() map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{"orders": orders, "payments": payments} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	b := Builder{Lent: Lent{Dir: dir}}
	if g, err = b.Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return g, sortedLines(t, dir, "out"), func() map[string]string { return scrape(t, Metrics(c, g, p)) }
}

func TestJoinsOfEveryKind(t *testing.T) {
	const minute = `,"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z"}` + "\n"
	const next = `,"start":"1970-01-01T00:01:00Z","end":"1970-01-01T00:02:00Z"}` + "\n"
	const always = `,"start":null,"end":null}` + "\n"
	const (
		a  = `{"key":"a","left":{"at":10,"id":"a"},"right":{"at":5,"order":"a"}`
		b  = `{"key":"b","left":{"at":20,"id":"b"},"right":{"at":65,"order":"b"}`
		c  = `{"key":"c","left":{"at":70,"id":"c"},"right":{"at":75,"order":"c"}`
		c2 = `{"key":"c","left":{"at":70,"id":"c"},"right":{"at":100,"order":"c"}`
	)
	for _, tt := range []struct {
		join, window string
		want         []string
	}{
		{"{inner: {left: orders, right: payments}}", "{fixed: 1m}", []string{a + minute, c + next, c2 + next}},
		{"{left: {left: orders, right: payments}}", "{fixed: 1m}", []string{a + minute, c + next, c2 + next, `{"key":"b","left":{"at":20,"id":"b"},"right":null` + minute}},
		{"{inner: {left: orders, right: payments}}", "{global: true}", []string{a + always, b + always, c + always, c2 + always}},
		{"{left: {left: orders, right: payments, within: 20s}}", "{global: true, lateness: 1h}", []string{a + always, c + always, `{"key":"b","left":{"at":20,"id":"b"},"right":null` + always}},
		{"{inner: {left: orders, right: payments, within: 30s}}", "", []string{a + always, c + always, c2 + always}},
		{"{inner: {left: orders, right: payments}}", "{sliding: {size: 1h, slide: 1h}, offset: 1s}", []string{
			a + `,"start":"1970-01-01T00:00:01Z","end":"1970-01-01T01:00:01Z"}` + "\n",
			b + `,"start":"1970-01-01T00:00:01Z","end":"1970-01-01T01:00:01Z"}` + "\n",
			c + `,"start":"1970-01-01T00:00:01Z","end":"1970-01-01T01:00:01Z"}` + "\n",
			c2 + `,"start":"1970-01-01T00:00:01Z","end":"1970-01-01T01:00:01Z"}` + "\n",
		}},
	} {
		text := strings.Replace(joining, "{inner: {left: orders, right: payments}}", tt.join, 1)
		if text = strings.Replace(text, "{fixed: 1m}", tt.window, 1); tt.window == "" {
			text = strings.Replace(text, "    window: \n", "", 1)
		}
		_, out, _ := joined(t, text, orders, payments)
		if slices.Sort(tt.want); !slices.Equal(out, tt.want) {
			t.Errorf("%s, %s:\n got %s\nwant %s", tt.join, tt.window, out, tt.want)
		}
	}
}

// TestAHotKeyIsJoinedInPieces makes more pairs than one call gives.
func TestAHotKeyIsJoinedInPieces(t *testing.T) {
	var left, right strings.Builder
	for range 500 {
		left.WriteString(`{"at":10,"id":"a"}` + "\n")
		right.WriteString(`{"at":20,"order":"a"}` + "\n")
	}
	_, out, _ := joined(t, joining, left.String(), right.String())
	if len(out) != 500*500 {
		t.Errorf("got %d pairs", len(out))
	}
}

func TestMetricsOfAJoin(t *testing.T) {
	g, _, metrics := joined(t, joining, orders, payments)
	in := &stream.Batch{Watermark: stream.EndOfTime}
	in.Append(1, []byte("a"), nil, nil)
	if err := g.Vertices[2].Transform.(*join.Transform).In(t.Context(), in, &stream.Output{Batch: &stream.Batch{}}); err != nil {
		t.Fatal(err)
	}
	expect(t, metrics(), map[string]string{
		`wasmill_vertex_info{pipeline="p",vertex="j",role="join",plugin=""}`: "1",
		`wasmill_vertex_records_in_total{pipeline="p",vertex="j"}`:           "7",
		`wasmill_vertex_records_late_total{pipeline="p",vertex="j"}`:         "1",
		`wasmill_state_keys{pipeline="p",vertex="j"}`:                        "0",
		`wasmill_state_limit_bytes{pipeline="p",vertex="j"}`:                 "1.073741824e+09",
	})
}

func TestTheKeysOfAJoinAreFoundWhereTheConfigSays(t *testing.T) {
	for _, tt := range []struct{ key, edge, want string }{
		{"{json: .id}", "{json: order}", "p.yaml:8:17 (vertices[2].key.json): JSON path"},
		{"{json: id}", "{json: .order}", "p.yaml:11:41 (edges[0].key.json): JSON path"},
	} {
		text := strings.NewReplacer("{json: id}", tt.key, "{json: order}", tt.edge).Replace(joining)
		if _, err := built(t, text, 0); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	g, err := built(t, joining, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Vertices[2].Transform.(*join.Transform); !ok {
		t.Errorf("it is a %T", g.Vertices[2].Transform)
	}
}
