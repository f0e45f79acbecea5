package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/pipeline"
)

// topView is what top shows and how. It does nothing itself, and knows no terminal.
type topView struct {
	at        time.Time // when it was so
	pipelines []seenPipeline
	rates     map[string]topRate // by pipeline/vertex
	problem   string             // why nothing newer is known; empty = it is new
	frozen    bool
	order     int // index of topColumns; those without a value: as in the config
	reversed  bool
	skip      int // lines that are scrolled off
}

// topRate is records/s; negative = not known.
type topRate struct{ in, out float64 }

// topRow is a vertex with what is derived from it.
type topRow struct {
	*control.VertexStatus
	topRate
	now time.Time
}

// topColumn is one of the table. Numbers stand to the right.
type topColumn struct {
	name  string
	width int
	rank  int // the highest are left out first where there is no room
	text  func(topRow) string
	value func(topRow) float64 // to sort by, the highest first; nil = it cannot be
}

// nameWidth is the least and the most that there is for names of vertices.
var nameWidth = struct{ least, most int }{12, 30}

func topColumns() []topColumn {
	return []topColumn{
		{"ROLE", 9, 6, func(r topRow) string { return safe(r.Role) }, nil},
		{"IN/S", 6, 5, func(r topRow) string { return shortCount(r.in) }, func(r topRow) float64 { return r.in }},
		{"OUT/S", 6, 0, func(r topRow) string { return shortCount(r.out) }, func(r topRow) float64 { return r.out }},
		{"QUEUE", 10, 1, func(r topRow) string { return bar(r.queue()) }, topRow.queue},
		{"CALLS", 6, 4, topRow.calls, func(r topRow) float64 { return float64(r.InFlight) }},
		{"P50", 6, 8, func(r topRow) string { return shortTime(r.latency(0.5)) }, func(r topRow) float64 { return r.latency(0.5) }},
		{"P99", 6, 3, func(r topRow) string { return shortTime(r.latency(0.99)) }, func(r topRow) float64 { return r.latency(0.99) }},
		{"LAG", 7, 2, func(r topRow) string { return strings.TrimSuffix(lag(r.VertexStatus, r.now), " (idle)") }, topRow.lag},
		{"ERRORS", 6, 7, func(r topRow) string { return shortCount(r.errors()) }, topRow.errors},
	}
}

// queue is how full the inbound edges are, 0 to 1; negative = there are none.
func (r topRow) queue() float64 {
	full := -1.0
	for _, s := range r.Stages {
		if s.Stage == pipeline.StageInput {
			full = max(full, float64(s.Records)/float64(max(1, s.MaxRecords)), float64(s.Bytes)/float64(max(1, s.MaxBytes)))
		}
	}
	return min(1, full)
}

// calls are those under way, and the most there may be: 0 of a vertex that rests.
func (r topRow) calls() string {
	if r.Role == string(pipeline.RoleSource) || r.Role == string(pipeline.RoleSink) {
		return "-"
	}
	return fmt.Sprintf("%d/%d", r.InFlight, r.Permits)
}

// latency is that of calls, in seconds; negative = there are none.
func (r topRow) latency(q float64) float64 {
	for _, s := range r.Stages {
		switch {
		case s.Stage != pipeline.StageProcessing || s.P99 == 0:
		case q > 0.5:
			return s.P99
		default:
			return s.P50
		}
	}
	return -1
}

// lag is seconds; negative = not known.
func (r topRow) lag() float64 {
	if r.Watermark == nil {
		return -1
	}
	return r.now.Sub(*r.Watermark).Seconds()
}

// errors counts records that did not go their way.
func (r topRow) errors() float64 {
	return float64(r.DeadLetters + r.Dropped.Error + r.Dropped.Newest + r.Dropped.Oldest + r.Unrouted)
}

// frame draws lines of at most width columns, at most height of them; height 0 = as
// many as there are.
func (v *topView) frame(width, height int) []string {
	lines := v.body(width)
	if height > 0 {
		room := max(0, height-2)
		v.skip = max(0, min(v.skip, len(lines)-room))
		lines = lines[v.skip:min(len(lines), v.skip+room)]
		for len(lines) < room {
			lines = append(lines, "")
		}
	}
	lines = append([]string{v.title()}, lines...)
	if height > 0 {
		lines = append(lines, v.help())
		lines = lines[:min(len(lines), height)]
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(fit(l, width), " ")
	}
	return lines
}

func (v *topView) title() string {
	title := "wasmill top  " + v.at.Format("15:04:05")
	if v.frozen {
		title += "  FROZEN"
	}
	if v.problem != "" {
		title += "  " + safe(v.problem)
	}
	return title
}

func (v *topView) help() string {
	order := "none"
	if c := topColumns()[v.order]; c.value != nil {
		order = strings.ToLower(c.name)
		if v.reversed {
			order += " (least first)"
		}
	}
	return "q quit  p freeze  s sort: " + order + "  r reverse  up/down scroll"
}

// body is what can be scrolled.
func (v *topView) body(width int) (lines []string) {
	columns := topColumns()
	by := columns[v.order]
	columns, name := roomFor(columns, width)
	for i := range v.pipelines {
		p := &v.pipelines[i]
		if i > 0 {
			lines = append(lines, "")
		}
		head := strings.Split(headline(p), "\n")
		head[0] += everyOf(p.Checkpoint)
		lines = append(lines, head...)
		line := pad("VERTEX", name)
		for _, c := range columns {
			line += " " + c.align(c.name)
		}
		lines = append(lines, line)
		for _, r := range v.rows(p, by) {
			line := pad(safe(string(r.Vertex)), name)
			for _, c := range columns {
				line += " " + c.align(c.text(r))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// rows are the vertices of a pipeline in their order.
func (v *topView) rows(p *seenPipeline, by topColumn) []topRow {
	var rows []topRow
	for i := range p.Vertices {
		rate, ok := v.rates[p.Pipeline+"/"+string(p.Vertices[i].Vertex)]
		if !ok {
			rate = topRate{-1, -1}
		}
		rows = append(rows, topRow{&p.Vertices[i], rate, v.at})
	}
	if by.value != nil {
		slices.SortStableFunc(rows, func(a, b topRow) int {
			order := cmp.Compare(by.value(b), by.value(a))
			if v.reversed {
				order = -order
			}
			return order
		})
	}
	return rows
}

// roomFor leaves out columns until the others fit, and returns the width for names.
func roomFor(columns []topColumn, width int) ([]topColumn, int) {
	for {
		left, last := width, 0
		for i, c := range columns {
			left -= c.width + 1
			if c.rank > columns[last].rank {
				last = i
			}
		}
		if left >= nameWidth.least || len(columns) == 1 {
			return columns, max(1, min(left, nameWidth.most))
		}
		columns = slices.Delete(columns, last, last+1)
	}
}

// align puts a text into the column.
func (c *topColumn) align(text string) string {
	if c.name == "ROLE" || c.name == "QUEUE" {
		return pad(text, c.width)
	}
	return strings.Repeat(" ", max(0, c.width-utf8.RuneCountInString(text))) + fit(text, c.width)
}

func pad(text string, width int) string {
	text = fit(text, width)
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// fit cuts a text to a width.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(0, width-1)]) + "…"
}

// everyOf is the interval of checkpoints, as a headline goes on.
func everyOf(c *control.CheckpointStatus) string {
	switch {
	case c == nil || c.Interval == nil:
		return ""
	case *c.Interval == 0:
		return ", on request"
	}
	return ", every " + seconds(*c.Interval).String()
}

// bar shows how full something is.
func bar(full float64) string {
	if full < 0 {
		return "-"
	}
	const most = 5
	n := int(full*most + 0.5)
	return strings.Repeat("#", n) + strings.Repeat(".", most-n) + fmt.Sprintf("%4.0f%%", full*100)
}

// shortCount writes a count in at most six columns; a negative one is not known.
func shortCount(n float64) string {
	if n < 0 {
		return "-"
	}
	for _, unit := range []string{"", "k", "M", "G"} {
		switch {
		case unit == "" && n < 9999.5:
			return fmt.Sprintf("%.0f", n)
		case unit != "" && n < 99.95:
			return fmt.Sprintf("%.1f%s", n, unit)
		case unit != "" && n < 9999.5:
			return fmt.Sprintf("%.0f%s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.0fT", n)
}

// shortTime writes seconds in at most six columns; negative ones are not known.
func shortTime(s float64) string {
	switch {
	case s < 0:
		return "-"
	case s < 1e-3:
		return fmt.Sprintf("%.0fµs", s*1e6)
	case s < 0.01:
		return fmt.Sprintf("%.1fms", s*1e3)
	case s < 1:
		return fmt.Sprintf("%.0fms", s*1e3)
	case s < 100:
		return fmt.Sprintf("%.1fs", s)
	}
	return age(seconds(s))
}
