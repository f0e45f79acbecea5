package diagram

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Sizes in the picture, in pixels.
const (
	boxHeight = 48
	gapX      = 72
	gapY      = 20
	margin    = 16
	charWidth = 8
)

// box is a node with its place: the left top corner and the width.
type box struct{ x, y, w int }

// SVG draws a graph from left to right: each node stands one column behind the
// furthest node that leads to it, and within its column near those.
func (g Graph) SVG() string {
	boxes, width, height := g.place()
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="13">
<title>%s</title>
<style>rect{stroke:#555;fill:#fff}.source{fill:#dcefff}.udf{fill:#fff3d6}.aggregate{fill:#efe3fa}.sink{fill:#e0f5e0}path{fill:none;stroke:#555}.dead{stroke-dasharray:5 4}.detail{fill:#666;font-size:11px}.tag{fill:#a33;font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#555"/></marker></defs>
`, width, height, escape(g.Name))
	for _, e := range g.Edges {
		a, b := boxes[e.From], boxes[e.To]
		x1, y1, x2, y2 := a.x+a.w, a.y+boxHeight/2, b.x, b.y+boxHeight/2
		mid := (x1 + x2) / 2
		class := ""
		if e.Dead {
			class = ` class="dead"`
		}
		fmt.Fprintf(&s, `<path%s d="M%d %dC%d %d %d %d %d %d" marker-end="url(#tip)"/>`+"\n", class, x1, y1, mid, y1, mid, y2, x2, y2)
		if e.Label != "" {
			fmt.Fprintf(&s, `<text class="tag" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", mid, (y1+y2)/2-4, escape(e.Label))
		}
	}
	for i, n := range g.Nodes {
		b := boxes[i]
		fmt.Fprintf(&s, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", n.Role, b.x, b.y, b.w, boxHeight)
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", b.x+b.w/2, b.y+20, escape(n.Name))
		fmt.Fprintf(&s, `<text class="detail" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", b.x+b.w/2, b.y+37, escape(n.Detail))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// place lays the nodes out in columns.
func (g Graph) place() (boxes []box, width, height int) {
	column := make([]int, len(g.Nodes))
	for range g.Nodes { // the longest path has fewer edges than there are nodes
		for _, e := range g.Edges {
			column[e.To] = max(column[e.To], min(column[e.From]+1, len(g.Nodes)))
		}
	}
	boxes = make([]box, len(g.Nodes))
	x := margin
	for c := 0; c <= slices.Max(append(column, 0)); c++ {
		var members []int
		wide := 0
		for i := range g.Nodes {
			if column[i] == c {
				members = append(members, i)
				wide = max(wide, g.width(i))
			}
		}
		slices.SortStableFunc(members, func(a, b int) int { return g.centre(a, boxes) - g.centre(b, boxes) })
		for k, i := range members {
			boxes[i] = box{x, margin + k*(boxHeight+gapY), wide}
			height = max(height, boxes[i].y+boxHeight+margin)
		}
		x += wide + g.labelRoom(column, c)
		width = x
	}
	return boxes, width - gapX + margin, height
}

// centre is the mean height of the nodes that lead to one.
func (g Graph) centre(node int, boxes []box) int {
	sum, n := 0, 0
	for _, e := range g.Edges {
		if e.To == node {
			sum += boxes[e.From].y
			n++
		}
	}
	return sum / max(n, 1)
}

func (g Graph) width(node int) int {
	n := g.Nodes[node]
	return max(len([]rune(n.Name)), len([]rune(n.Detail)))*charWidth + 24
}

// labelRoom is the space behind a column, with room for the labels there.
func (g Graph) labelRoom(column []int, c int) int {
	room := gapX
	for _, e := range g.Edges {
		if column[e.From] == c {
			room = max(room, len([]rune(e.Label))*charWidth+24)
		}
	}
	return room
}

func escape(text string) string {
	var s strings.Builder
	if err := xml.EscapeText(&s, []byte(text)); err != nil {
		panic("BUG: a strings.Builder refused to be written to: " + err.Error())
	}
	return s.String()
}
