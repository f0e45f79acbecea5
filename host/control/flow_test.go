package control

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// nothing is a transform.
type nothing struct{}

func (nothing) Call(context.Context, *stream.Batch, *stream.Output) error { return nil }
func (nothing) Close(context.Context) error                               { return nil }

func built(t *testing.T, text string, budget config.Bytes) (pipeline.Graph, error) {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	b := Builder{Budget: budget, Native: map[string]func() stream.Transform{"x": func() stream.Transform { return nothing{} }}}
	return b.Build(t.Context(), c)
}

const flowing = `name: p
vertices:
  - {name: in, source: stdin, eventTime: {json: at, format: unix, maxOutOfOrder: 2s}, idleTimeout: 3s, onError: drop}
  - {name: quiet, source: {generator: {count: 1}}, idleTimeout: 4s}
  - name: f
    udf: {plugin: x, limits: {memory: 1MiB}}
    concurrency: {min: 2, max: 100}
    order: key
    batch: {maxRecords: 1, maxBytes: 2, maxTime: 3ms}
    queue: {maxRecords: 3, maxBytes: 4, whenFull: dropOldest}
    processing: {maxRecords: 5, maxBytes: 6}
    output: {maxRecords: 7, maxBytes: 8, whenFull: dropNewest}
    retry: {attempts: 9, backoff: 10ms, maxBackoff: 11s}
    onError: deadLetter
  - {name: out, sink: stdout}
edges:
  - {from: in, to: f}
  - {from: quiet, to: f}
  - {from: f, to: out}
  - {from: f, to: out, when: {deadLetters: true}}
`

func TestAVertexFlowsAsItsConfigSays(t *testing.T) {
	g, err := built(t, flowing, 100*config.MiB)
	if err != nil {
		t.Fatal(err)
	}
	in, quiet, f := g.Vertices[0], g.Vertices[1], g.Vertices[2]
	want := pipeline.Vertex{
		Name: "f", Transform: nothing{}, Concurrency: 100, MinConcurrency: 2, Order: pipeline.OrderKey,
		Call: pipeline.Limit{Records: 1, Bytes: 2}, CallTime: 3 * time.Millisecond, Queue: pipeline.Limit{Records: 3, Bytes: 4}, QueueFull: pipeline.FullDropOldest,
		Processing: pipeline.Limit{Records: 5, Bytes: 6}, Output: pipeline.Limit{Records: 7, Bytes: 8}, OutputFull: pipeline.FullDropNewest,
		Retry: pipeline.Retry{Attempts: 9, Backoff: 10 * time.Millisecond, MaxBackoff: 11 * time.Second}, OnError: pipeline.OnErrorDeadLetter,
		Headers: []pipeline.Header{{Name: "wasmill-pipeline", Value: "p"}, {Name: "wasmill-plugin", Value: "x"}},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	if in.EventTime.MaxOutOfOrder != 2*time.Second || in.EventTime.IdleTimeout != 3*time.Second || in.OnError != pipeline.OnErrorDrop {
		t.Errorf("the source is %+v with %+v", in, in.EventTime)
	}
	var b stream.Batch
	b.Append(0, nil, []byte(`{"at": 1.5}`), nil)
	if at, err := in.EventTime.Of(&b, 0); at != 15e8 || err != nil {
		t.Errorf("its record happened at %d, %v", at, err)
	}
	if e := quiet.EventTime; e == nil || e.Of != nil || e.IdleTimeout != 4*time.Second {
		t.Errorf("the other source has %+v", e)
	}
	if e := g.Edges[3]; !e.DeadLetters || g.Edges[2].DeadLetters {
		t.Errorf("the edges are %+v", g.Edges)
	}
}

// TestTheBudgetIsForTheMostCalls is about 100 instances of 1 MiB.
func TestTheBudgetIsForTheMostCalls(t *testing.T) {
	_, err := built(t, flowing, 99*config.MiB)
	if err == nil || !strings.Contains(err.Error(), "100 × 1 MiB") || !strings.HasPrefix(err.Error(), "p.yaml:7:18 (vertices[2].concurrency)") {
		t.Errorf("got %v", err)
	}
}

func TestEventTimesThatAreNoneAreFoundBeforeAPipelineRuns(t *testing.T) {
	for text, want := range map[string]string{
		"{json: a..b}":              "p.yaml:3:49 (vertices[0].eventTime.json): JSON path",
		"{key: true, format: zulu}": `p.yaml:3:62 (vertices[0].eventTime.format): "zulu" is not a format of time`,
	} {
		_, err := built(t, strings.Replace(flowing, "{json: at, format: unix, maxOutOfOrder: 2s}", text, 1), 0)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "fix: ") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
