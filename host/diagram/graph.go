package diagram

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/config"
)

// Node is one vertex.
type Node struct {
	Name   string
	Role   string // source, udf or sink
	Detail string // what it is made of
}

// Edge joins two nodes by index.
type Edge struct {
	From, To int
	Label    string // its condition
}

// Graph is what is drawn.
type Graph struct {
	Name  string
	Nodes []Node
	Edges []Edge
}

// Of returns the graph of a pipeline.
func Of(c *config.Pipeline) Graph {
	g := Graph{Name: c.Name}
	index := map[string]int{}
	for _, v := range c.Vertices {
		index[string(v.Name)] = len(g.Nodes)
		n := Node{Name: string(v.Name)}
		switch {
		case v.Source != nil:
			n.Role, n.Detail = "source", v.Source.Kind
		case v.Sink != nil:
			n.Role, n.Detail = "sink", v.Sink.Kind
		default:
			n.Role, n.Detail = "udf", fmt.Sprintf("%s × %d", v.UDF.Plugin, v.Concurrency)
		}
		g.Nodes = append(g.Nodes, n)
	}
	for _, e := range c.Edges {
		g.Edges = append(g.Edges, Edge{index[string(e.From)], index[string(e.To)], strings.Join(e.Tags(), ", ")})
	}
	return g
}
