package diagram

import (
	"fmt"
	"strconv"
	"strings"
)

// Mermaid draws a graph as a Mermaid flowchart.
func (g Graph) Mermaid() string {
	var s strings.Builder
	s.WriteString("flowchart LR\n")
	shapes := map[string][2]string{"source": {"([", "])"}, "udf": {"[", "]"}, "aggregate": {"[[", "]]"}, "sink": {"[(", ")]"}}
	for i, n := range g.Nodes {
		shape := shapes[n.Role]
		fmt.Fprintf(&s, "  v%d%s\"%s<br/>%s\"%s\n", i, shape[0], mermaidText(n.Name), mermaidText(n.Detail), shape[1])
	}
	for _, e := range g.Edges {
		label := ""
		if e.Label != "" {
			label = `|"` + mermaidText(e.Label) + `"|`
		}
		arrow := "-->"
		if e.Dead {
			arrow = "-.->"
		}
		fmt.Fprintf(&s, "  v%d %s%s v%d\n", e.From, arrow, label, e.To)
	}
	return s.String()
}

func mermaidText(s string) string {
	return strings.NewReplacer("&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(s)
}

// DOT draws a graph in the language of Graphviz.
func (g Graph) DOT() string {
	var s strings.Builder
	fmt.Fprintf(&s, "digraph %s {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=sans];\n  edge [fontname=sans];\n", strconv.Quote(g.Name))
	for _, n := range g.Nodes {
		fmt.Fprintf(&s, "  %s [label=%s];\n", strconv.Quote(n.Name), strconv.Quote(n.Name+"\n"+n.Detail))
	}
	for _, e := range g.Edges {
		label := ""
		switch {
		case e.Dead:
			label = " [style=dashed, label=" + strconv.Quote(e.Label) + "]"
		case e.Label != "":
			label = " [label=" + strconv.Quote(e.Label) + "]"
		}
		fmt.Fprintf(&s, "  %s -> %s%s;\n", strconv.Quote(g.Nodes[e.From].Name), strconv.Quote(g.Nodes[e.To].Name), label)
	}
	s.WriteString("}\n")
	return s.String()
}
