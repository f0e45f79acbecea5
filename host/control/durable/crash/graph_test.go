package crash_test

import (
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/process"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// The vertices.
const (
	numbersName = "numbers"
	looseName   = "loose"
	countName   = "count"
	tallyName   = "tally"
	orderedName = "ordered"
	countsName  = "counts"
	againName   = "again"
)

// groups of keys; limits of what a call gets and an edge holds.
const groups = 16

var (
	callLimit  = pipeline.Limit{Records: 24, Bytes: 1 << 20}
	queueLimit = pipeline.Limit{Records: 64, Bytes: 1 << 20}
)

// windowSize is that of the windows, of event time.
const windowSize = 100 * time.Millisecond

func (w *worker) random(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.Seed, uint64(w.Life)<<8|stream))
}

// graph builds the pipeline; see the doc of the package.
func (w *worker) graph() pipeline.Graph {
	tags := stream.NewTagTable()
	count, err := window.NewTransform(window.Config{
		Vertex: countName, Spec: window.Spec{Kind: window.Fixed, Size: windowSize}, Aggregate: "count", Groups: groups, MaxBytes: 64 << 20, Late: tags.Other(),
	})
	if err != nil {
		panic(err)
	}
	tally := process.NewTransform(process.Config{Vertex: tallyName, Groups: groups, MaxBytes: 64 << 20, CallBytes: 1 << 20}, &tally{worker: w, chance: chance{rng: w.random(2)}})
	sink := func(name, path string) pipeline.Vertex {
		c := file.DefaultSink()
		c.Path = filepath.Join(outName, path)
		return pipeline.Vertex{Name: stream.VertexID(name), Sink: &hiding{file.NewSink(c), &w.steps}, Queue: queueLimit}
	}
	transform := func(name string, t stream.Transform, order pipeline.Order) pipeline.Vertex {
		return pipeline.Vertex{
			Name: stream.VertexID(name), Transform: t, Concurrency: w.Concurrency, Order: order, Call: callLimit, Queue: queueLimit,
			Retry: pipeline.Retry{Attempts: 20, Backoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond},
		}
	}
	return pipeline.Graph{
		Tags: tags,
		Vertices: []pipeline.Vertex{
			{Name: numbersName, Source: &numbers{worker: w, rng: w.random(0)}},
			transform(looseName, &loose{worker: w, chance: chance{rng: w.random(1)}}, pipeline.OrderNone),
			transform(countName, count, pipeline.OrderKey),
			transform(tallyName, tally, pipeline.OrderKey),
			sink(orderedName, "ordered"),
			sink(countsName, "counts-{part}"),
			{Name: againName, Sink: &again{worker: w}, Queue: queueLimit},
		},
		Edges: []pipeline.Edge{
			{From: numbersName, To: looseName}, {From: looseName, To: countName}, {From: looseName, To: againName},
			{From: countName, To: countsName}, {From: numbersName, To: tallyName}, {From: tallyName, To: orderedName},
		},
	}
}

// shapes says what the vertices are, as control does.
func (w *worker) shapes() map[stream.VertexID]durable.Shape {
	n := w.Concurrency
	return map[stream.VertexID]durable.Shape{
		numbersName: {Role: "source", Kind: "numbers"},
		looseName:   {Role: "udf", Kind: "loose", Concurrency: n, From: []stream.VertexID{numbersName}},
		countName:   {Role: "aggregate", Kind: "count", State: "counts in windows", Concurrency: n, From: []stream.VertexID{looseName}},
		tallyName:   {Role: "udf", Kind: "tally", State: "values and timers", Concurrency: n, From: []stream.VertexID{numbersName}},
		orderedName: {Role: "sink", Kind: "file", From: []stream.VertexID{tallyName}},
		countsName:  {Role: "sink", Kind: "file", From: []stream.VertexID{countName}},
		againName:   {Role: "sink", Kind: "again", From: []stream.VertexID{looseName}},
	}
}
