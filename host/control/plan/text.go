package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/wasmill/wasmill/host/stream"
)

// Summary says in a sentence what applying the plan means.
func (p Plan) Summary() string {
	switch p.Class() {
	case None:
		return "nothing changes"
	case Live:
		return "it is applied while everything runs"
	case Vertex:
		names := p.Vertices()
		all := make([]string, len(names))
		for i, n := range names {
			all[i] = string(n)
		}
		if len(all) == 1 {
			return "vertex " + all[0] + " is swapped in place while the others run on"
		}
		return "vertices " + strings.Join(all, ", ") + " are swapped in place while the others run on"
	case Graph:
		return "the graph stops at a checkpoint, and a new one goes on from it"
	}
	return "it needs a restart: nothing of it is applied while the process runs"
}

// nothing stands for a value that is not set.
const nothing = "-"

// String is the summary, and then a line for each step: its class, its path, and
// what was and will be there.
func (p Plan) String() string {
	var s strings.Builder
	s.WriteString(p.Summary() + "\n")
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	for _, step := range p.Steps {
		old, new := step.Old, step.New
		if old == "" {
			old = nothing
		}
		if new == "" {
			new = nothing
		}
		fmt.Fprintf(w, "  %s\t%s\t%s → %s\n", step.Class, step.Path, old, new)
	}
	w.Flush() // a strings.Builder takes all
	return s.String()
}

// MarshalJSON writes the plan with its class and its summary.
func (p Plan) MarshalJSON() ([]byte, error) {
	type step struct {
		Path  string `json:"path"`
		Class Class  `json:"class"`
		Old   string `json:"old,omitempty"`
		New   string `json:"new,omitempty"`
	}
	out := struct {
		Class    Class             `json:"class"`
		Summary  string            `json:"summary"`
		Vertices []stream.VertexID `json:"vertices,omitempty"` // that are swapped in place
		Steps    []step            `json:"steps"`
	}{Class: p.Class(), Summary: p.Summary(), Steps: make([]step, len(p.Steps))}
	if out.Class == Vertex {
		out.Vertices = p.Vertices()
	}
	for i, s := range p.Steps {
		out.Steps[i] = step{s.Path, s.Class, s.Old, s.New}
	}
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // edges[a->b]
	err := e.Encode(out)
	return data.Bytes(), err
}

// Bounds of what a step shows, in runes.
const (
	longest = 60
	before  = 12 // of what two long texts have in common, ahead of where they differ
)

// shorten cuts two texts so that they still differ if they did.
func shorten(old, new string) (string, string) {
	a, b := []rune(old), []rune(new)
	if len(a) <= longest && len(b) <= longest {
		return old, new
	}
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	from := max(0, same-before)
	if same < longest/2 {
		from = 0
	}
	return cut(a, from), cut(b, from)
}

func cut(text []rune, from int) string {
	s := ""
	if from > 0 {
		s, text = "…", text[from:]
	}
	if len(text) > longest {
		return s + string(text[:longest]) + "…"
	}
	return s + string(text)
}
