package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

func TestPortsOfEdgesLeaveTheOthersFree(t *testing.T) {
	g := graph([]Vertex{source("in", &numbers{}), sink("a", &collect{})}, "in a")
	g.Edges = slices.Repeat(g.Edges, stream.MaxPort+1)
	if err := g.check(); err != nil {
		t.Error(err)
	}
	g.Edges = append(g.Edges, g.Edges[0])
	if err := g.check(); err == nil || !strings.Contains(err.Error(), "more than 65533 inbound edges") {
		t.Errorf("got %v", err)
	}
}
