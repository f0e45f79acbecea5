package diagram

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/config"
)

// Node is one vertex.
type Node struct {
	Name   string `json:"name"`
	Role   string `json:"role"`   // source, udf, aggregate or sink
	Detail string `json:"detail"` // what it is made of
}

// Edge joins two nodes by index.
type Edge struct {
	From  int    `json:"from"`
	To    int    `json:"to"`
	Label string `json:"label,omitempty"` // its condition
	Dead  bool   `json:"dead_letters,omitempty"`
}

// Graph is what is drawn.
type Graph struct {
	Name  string `json:"name"`
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
}

// Of returns the graph of a pipeline.
func Of(c *config.Pipeline) Graph {
	g := Graph{Name: c.Name}
	index := map[string]int{}
	for _, v := range c.Vertices {
		index[string(v.Name)] = len(g.Nodes)
		n := Node{Name: string(v.Name), Role: v.Role()}
		switch {
		case v.Source != nil:
			n.Detail = v.Source.Kind
		case v.Sink != nil:
			n.Detail = v.Sink.Kind
		case v.Aggregate != nil:
			n.Detail = fmt.Sprintf("%s × %v", v.Aggregate.Kind, v.Concurrency)
		default:
			n.Detail = fmt.Sprintf("%s × %v", v.UDF.Plugin, v.Concurrency)
		}
		g.Nodes = append(g.Nodes, n)
	}
	for _, e := range c.Edges {
		label := strings.Join(e.Tags(), ", ")
		if e.DeadLetters() {
			label = "dead letters"
		}
		if e.Side != "" {
			label = strings.TrimPrefix(label+", side "+e.Side, ", ")
		}
		g.Edges = append(g.Edges, Edge{index[string(e.From)], index[string(e.To)], label, e.DeadLetters()})
	}
	return g
}
