package main

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// runningPipeline is a pipeline with these vertices.
func runningPipeline(name string, vertices ...string) seenPipeline {
	p := seenPipeline{Pipeline: name}
	for _, v := range vertices {
		p.Vertices = append(p.Vertices, control.VertexStatus{Vertex: stream.VertexID(v)})
	}
	return p
}

func TestAPlaceNeedsNoPipelineWhereOneIsMeant(t *testing.T) {
	one := []seenPipeline{runningPipeline("p", "in", "out")}
	two := append(one, runningPipeline("q", "in", "parse", "out"))
	for _, test := range []struct {
		name      string
		pipelines []seenPipeline
		place     string
		want      string // a pipeline, or part of the error
	}{
		{"a vertex of one alone", two, "parse", "p: q"},
		{"an edge by its ends", two, "in->parse", "p: q"},
		{"a vertex of several", two, "in", "more than one pipeline has it: name one of p/in, q/in"},
		{"an edge of several", two, "in→out", "more than one pipeline has it: name one of p/in→out, q/in→out"},
		{"a vertex of none", two, "sink", "no pipeline has it: there are p/in, p/out, q/in, q/parse, q/out"},
		{"the only pipeline is asked for what it lacks, as it says what it has", one, "parse", "p: p"},
		{"a pipeline is no vertex", one, "p", "it is a pipeline, and what is to be shown is a vertex or an edge of it: name one of p/in, p/out"},
		{"a vertex named as a pipeline is", append(two, runningPipeline("parse", "x")), "parse", "p: q"},
		{"nothing runs", nil, "in", "the process runs no pipeline: wasmill status shows what it does"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := placeIn(test.pipelines, test.place)
			if got = "p: " + got; err != nil {
				e := err.(*stream.Error)
				got = e.Why + ": " + e.Fix
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestThePhaseIsThatOfTheOnlyPipeline(t *testing.T) {
	c := newPhase(&flags{}, stdio{})
	if name, err := onlyOne(c, []seenPipeline{{Pipeline: "p"}}); name != "p" || err != nil {
		t.Errorf("got %q, %v", name, err)
	}
	for want, all := range map[string][]seenPipeline{"name one of p, q": {{Pipeline: "p"}, {Pipeline: "q"}}, "runs 0 pipelines": nil} {
		if _, err := onlyOne(c, all); stream.CodeOf(err) != stream.Usage || !strings.Contains(err.Error()+err.(*stream.Error).Fix, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
