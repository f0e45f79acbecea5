package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// placeIn returns the pipeline that a vertex or an edge is meant of which is named without
// it: the only one that has its ends, or the only one that runs.
func placeIn(pipelines []seenPipeline, place string) (pipeline string, err error) {
	ends := []string{place}
	if from, to, edge := admin.CutEdge(place); edge {
		ends = []string{from, to}
	}
	var with, all []string
	for _, p := range pipelines {
		var vertices []string
		for _, v := range p.Vertices {
			vertices = append(vertices, string(v.Vertex))
			all = append(all, p.Pipeline+"/"+string(v.Vertex))
		}
		if !slices.ContainsFunc(ends, func(end string) bool { return !slices.Contains(vertices, end) }) {
			with, pipeline = append(with, p.Pipeline+"/"+place), p.Pipeline
		}
	}
	wrong := func(why, fix string) (string, error) {
		return "", &stream.Error{Code: stream.Usage, Where: fmt.Sprintf("%.80q", place), Why: why, Fix: fix}
	}
	named := slices.ContainsFunc(pipelines, func(p seenPipeline) bool { return p.Pipeline == place })
	switch {
	case len(with) == 1:
		return pipeline, nil
	case len(with) > 1:
		return wrong("more than one pipeline has it", "name one of "+strings.Join(with, ", "))
	case named:
		all = slices.DeleteFunc(all, func(vertex string) bool { return !strings.HasPrefix(vertex, place+"/") })
		return wrong("it is a pipeline, and what is to be shown is a vertex or an edge of it", "name one of "+strings.Join(all, ", "))
	case len(pipelines) == 1:
		return pipelines[0].Pipeline, nil // the process says what there is
	case len(pipelines) == 0:
		return wrong("the process runs no pipeline", "wasmill status shows what it does")
	}
	return wrong("no pipeline has it", config.Suggest(place, all))
}
