package pipeline

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

// clocked is a source that also says how far time has come.
type clocked struct {
	scripted
	reached stream.Watermark
	marks   chan stream.Watermark
}

func (c *clocked) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case w := <-c.marks:
		c.reached = w
		return nil
	case times := <-c.times:
		for _, at := range times {
			b.Append(at, nil, strconv.AppendInt(nil, at, 10), nil)
			c.read++
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *clocked) Reached() stream.Watermark { return c.reached }

func TestASourceMaySayHowFarTimeHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clocked{scripted: scripted{times: make(chan []int64, 1)}, reached: stream.NoWatermark, marks: make(chan stream.Watermark, 1)}
		v := source("clocked", c)
		v.EventTime = &EventTime{MaxOutOfOrder: 10}
		out := &collect{}
		p, stop := start(t, graph([]Vertex{v, usual("x", 2, each(pass)), sink("a", out)}, "clocked x", "x a"))
		defer stop()
		c.times <- []int64{100}
		if low := lowOf(p, 2); low != 90 {
			t.Errorf("watermark %d after a record at 100, want 90", low)
		}
		for _, step := range []struct{ says, want stream.Watermark }{{95, 95}, {50, 95}, {stream.EndOfTime, stream.EndOfTime - 1}} {
			c.marks <- step.says
			if low := lowOf(p, 2); low != step.want {
				t.Errorf("watermark %d after the source has said %d, want %d", low, step.says, step.want)
			}
		}
		if n := len(out.sorted()); n != 1 {
			t.Errorf("%d records came out, want 1", n)
		}
	})
}

func TestWhoeverOwnsAPipelineHearsOfRecordsThatAreGivenUp(t *testing.T) {
	for _, policy := range []OnError{OnErrorDrop, OnErrorDeadLetter} {
		var heard []string
		bad := udf("x", 1, each(func(out *stream.Output, in *stream.Batch, i int) error {
			if v := string(in.Value(i)); v == "1" || v == "3" {
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "odd " + v})
				return nil
			}
			return pass(out, in, i)
		}))
		bad.OnError = policy
		g := graph([]Vertex{source("in", &numbers{count: 4, batch: 4}), bad, sink("a", &collect{}), sink("dead", &collect{})}, "in x", "x a", "x dead none")
		g.Edges[2] = Edge{From: "x", To: "dead", DeadLetters: true}
		p := mustNew(t, g, Hooks{GaveUp: func(v stream.VertexID, err error) { heard = append(heard, string(v)+": "+err.Error()) }})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if len(heard) != 2 || heard[0] == heard[1] {
			t.Fatalf("%s: heard %q", policy, heard)
		}
		if want := `x: x, record 2 of source in (number 1), value "1": the plugin reports: odd 1 [record-error]`; heard[0][:min(len(want), len(heard[0]))] != want {
			t.Errorf("%s: heard %s", policy, heard[0])
		}
	}
}
