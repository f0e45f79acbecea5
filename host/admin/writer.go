package admin

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Writer takes samples. Labels are names and values in turn; the names are ours,
// the values may be anything. A series, that is a name with its labels, may be
// written once.
type Writer struct {
	families map[Name]*family
	labels   string // of With, as they are written
}

// family gathers the lines of one name.
type family struct {
	Family
	lines bytes.Buffer
}

func newWriter() *Writer {
	w := &Writer{families: make(map[Name]*family)}
	for _, f := range Families() {
		w.families[f.Name] = &family{Family: f}
	}
	return w
}

// With returns a Writer that gives these labels to everything.
func (w *Writer) With(labels ...string) *Writer {
	return &Writer{families: w.families, labels: w.all(labels)}
}

// Counter writes how often something has happened so far.
func (w *Writer) Counter(name Name, value uint64, labels ...string) {
	w.sample(name, KindCounter, "", w.all(labels), strconv.FormatUint(value, 10))
}

// Gauge writes how much there is of something now.
func (w *Writer) Gauge(name Name, value float64, labels ...string) {
	w.sample(name, KindGauge, "", w.all(labels), number(value))
}

// Histogram writes how many values were at most bounds[i], which rise, for each
// i; the last of counts, one more than there are bounds, counts all values. sum
// is that of all values.
func (w *Writer) Histogram(name Name, bounds []float64, counts []uint64, sum float64, labels ...string) {
	if len(counts) != len(bounds)+1 {
		panic(fmt.Sprintf("BUG: admin: %s has %d bounds and %d counts", name, len(bounds), len(counts)))
	}
	all := w.all(labels)
	for i, count := range counts {
		le := math.Inf(1)
		if i < len(bounds) {
			le = bounds[i]
		}
		w.sample(name, KindHistogram, "_bucket", join(all, `le="`+number(le)+`"`), strconv.FormatUint(count, 10))
	}
	w.sample(name, KindHistogram, "_sum", all, number(sum))
	w.sample(name, KindHistogram, "_count", all, strconv.FormatUint(counts[len(bounds)], 10))
}

func (w *Writer) sample(name Name, kind Kind, suffix, labels, value string) {
	f, ok := w.families[name]
	if !ok || f.Kind != kind {
		panic(fmt.Sprintf("BUG: admin: there is no %s %s", kind, name))
	}
	f.lines.WriteString(string(name) + suffix)
	if labels != "" {
		f.lines.WriteString("{" + labels + "}")
	}
	f.lines.WriteString(" " + value + "\n")
}

// all returns the labels of With and these, as they are written.
func (w *Writer) all(labels []string) string {
	all := w.labels
	for i := 0; i < len(labels); i += 2 {
		all = join(all, labels[i]+`="`+escape.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))+`"`)
	}
	return all
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

// escape writes what would end a label value or its line.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// text returns what was written: https://prometheus.io/docs/instrumenting/exposition_formats/
func (w *Writer) text() []byte {
	var out bytes.Buffer
	for _, f := range Families() {
		if lines := w.families[f.Name].lines.Bytes(); len(lines) > 0 {
			fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Kind)
			out.Write(lines)
		}
	}
	return out.Bytes()
}
