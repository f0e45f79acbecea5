package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Finding is something that is not as expected.
type Finding struct {
	What string `json:"what"` // a sink or vertex, "errors", or "state of" a vertex
	Why  string `json:"why"`
	Diff []Line `json:"diff,omitempty"`
	Hint string `json:"hint,omitempty"`
}

// Line is one of a diff.
type Line struct {
	Mark Mark   `json:"mark"`
	Text string `json:"text"`
}

// Mark says what a line shows.
type Mark string

// The marks.
const (
	Equal    Mark = "=" // as expected
	Expected Mark = "-" // expected, and not there
	Actual   Mark = "+" // there, and not expected
	Differs  Mark = "~" // in what the two lines before differ
	Skipped  Mark = "…" // so many equal ones are not shown
)

// judge compares what was made of a test's input with what it expects.
func judge(t *config.Test, wanted map[stream.VertexID][]config.Expected, o *outcome) (all []Finding) {
	if wanted != nil {
		for _, exit := range slices.Sorted(maps.Keys(wanted)) {
			if f, ok := records(exit, wanted[exit], o.left[exit], t.Order == config.SequenceAny); !ok {
				all = append(all, f)
			}
		}
	}
	if f, ok := failures(t.Errors, o.failures); !ok {
		all = append(all, f)
	}
	for _, v := range slices.Sorted(maps.Keys(t.State)) {
		if f, ok := state(v, t.State[v], o.kept); !ok {
			all = append(all, f)
		}
	}
	if all == nil {
		return nil
	}
	for _, q := range o.unanswered {
		all = append(all, Finding{What: "http", Why: fmt.Sprintf("a plugin asked %s, and the test has no answer to it", q), Hint: "add it below http:, as in - {url: …, json: {…}}"})
	}
	for _, w := range o.waits {
		all = append(all, Finding{What: "side inputs", Why: w, Hint: "add a record for it to the input, before the others"})
	}
	return all
}

// records compares what left by one exit.
func records(exit stream.VertexID, want []config.Expected, got []Record, anyOrder bool) (Finding, bool) {
	var pairs []pair
	different := func(w, g int) int { return len(differences(&want[w], &got[g])) }
	if anyOrder {
		pairs = inAnyOrder(len(want), len(got), different)
	} else {
		pairs = inOrder(len(want), len(got), func(w, g int) bool { return different(w, g) == 0 })
	}
	about := regards(want, exit == resultsName)
	f, ok := finding(whatOf(exit), "record", pairs, len(want), len(got), func(w int) string { return about.expected(&want[w]) }, func(g int) string { return about.actual(&got[g]) },
		func(w, g int) []string { return differences(&want[w], &got[g]) })
	if !ok && !anyOrder && len(want) == len(got) && len(want) <= 1000 {
		if free := inAnyOrder(len(want), len(got), different); !slices.ContainsFunc(free, func(p pair) bool { return !p.equal }) {
			f.Hint = "these are the same records in another order: correct it, or write order: any if it does not matter"
		}
	}
	return f, ok
}

// failures compares the records that could not be handled.
func failures(want []config.Failed, got []Failure) (Finding, bool) {
	differ := func(w, g int) (lines []string) {
		e, a := &want[w], &got[g]
		add := func(what, want, got string) {
			lines = append(lines, fmt.Sprintf("%s: expected %s, actual %s", what, want, got))
		}
		if e.Record != 0 && e.Record != a.Record {
			add("record", fmt.Sprint(e.Record), number(a.Record))
		}
		if e.Vertex != "" && e.Vertex != a.Vertex {
			add("vertex", string(e.Vertex), string(a.Vertex))
		}
		if e.Code != "" && e.Code != string(a.Code()) {
			add("code", e.Code, string(a.Code()))
		}
		if !strings.Contains(a.Reason(), e.Message) {
			lines = append(lines, fmt.Sprintf("message: %q does not contain %q", cut(a.Reason()), e.Message))
		}
		return lines
	}
	pairs := inOrder(len(want), len(got), func(w, g int) bool { return differ(w, g) == nil })
	f, ok := finding("errors", "error", pairs, len(want), len(got), func(w int) string {
		e := &want[w]
		var parts []string
		if e.Record != 0 {
			parts = append(parts, fmt.Sprintf("record %d", e.Record))
		}
		for _, p := range []string{string(e.Vertex), e.Code, e.Message} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		return strings.Join(parts, ", ")
	}, func(g int) string {
		return got[g].String()
	}, differ)
	if !ok && want == nil {
		f.Hint = "if that is right, list them below errors:"
	}
	return f, ok
}

func number(record int) string {
	if record == 0 {
		return "no record"
	}
	return fmt.Sprintf("record %d", record)
}

// state compares what a vertex keeps.
func state(v stream.VertexID, want []map[string]any, kept map[stream.VertexID][]string) (Finding, bool) {
	got, ok := kept[v]
	if !ok {
		return Finding{What: "state of " + string(v), Why: "it has none that can be looked at", Hint: "state: is about plugins of the kinds process and aggregate, and built-in aggregates"}, false
	}
	differ := func(w, g int) []string { return differencesJSON(want[w], []byte(got[g]), true) }
	pairs := inAnyOrder(len(want), len(got), func(w, g int) int { return len(differ(w, g)) })
	return finding("state of "+string(v), "entry", pairs, len(want), len(got), func(w int) string { return compact(want[w]) }, func(g int) string { return cut(got[g]) }, differ)
}

// finding makes one of pairs that are not all equal.
func finding(what, thing string, pairs []pair, wants, gots int, want, got func(int) string, differ func(w, g int) []string) (Finding, bool) {
	f := Finding{What: what}
	equal, skipped := 0, 0
	near := func(i int) bool {
		for j := max(0, i-1); j <= min(i+1, len(pairs)-1); j++ {
			if !pairs[j].equal {
				return true
			}
		}
		return false
	}
	add := func(m Mark, text string) {
		if skipped > 0 {
			f.Diff = append(f.Diff, Line{Skipped, fmt.Sprintf("%s as expected", counted(skipped, thing))})
			skipped = 0
		}
		f.Diff = append(f.Diff, Line{m, text})
	}
	for i, p := range pairs {
		switch {
		case p.equal && !near(i):
			equal++
			skipped++
			continue
		case p.equal:
			equal++
			add(Equal, got(p.got))
			continue
		}
		if p.want >= 0 {
			add(Expected, want(p.want))
		}
		if p.got >= 0 {
			add(Actual, got(p.got))
		}
		if p.want >= 0 && p.got >= 0 {
			for _, line := range differ(p.want, p.got) {
				add(Differs, line)
			}
		}
	}
	if equal == len(pairs) {
		return f, true
	}
	if skipped > 0 {
		f.Diff = append(f.Diff, Line{Skipped, fmt.Sprintf("%s as expected", counted(skipped, thing))})
	}
	f.Why = fmt.Sprintf("expected %s, got %d, of which %d as expected", counted(wants, thing), gots, equal)
	return f, false
}

func counted(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case thing == "entry":
		return fmt.Sprintf("%d entries", n)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// regard says which parts of records a list looks at, so that a diff shows them.
type regard struct{ key, time, headers, tag bool }

func regards(want []config.Expected, tag bool) (r regard) {
	r.tag = tag
	for _, e := range want {
		r.key, r.time, r.headers = r.key || e.Key != nil, r.time || e.Time != nil, r.headers || e.Headers != nil
	}
	return r
}

func (r regard) actual(one *Record) string {
	var parts []string
	if r.tag && one.DeadLetter {
		parts = append(parts, "#dead-letter")
	} else if r.tag && one.Tag != "" {
		parts = append(parts, "#"+one.Tag)
	}
	if r.time {
		parts = append(parts, stamp(one.Time))
	}
	if r.key {
		parts = append(parts, "key="+shown(one.Key))
	}
	if r.headers {
		for _, h := range one.Headers {
			parts = append(parts, h.Name+"="+cut(h.Value))
		}
	}
	return strings.Join(append(parts, shown(one.Value)), " ")
}

func (r regard) expected(e *config.Expected) string {
	var parts []string
	if e.Tag != nil && *e.Tag != "" {
		parts = append(parts, "#"+*e.Tag)
	}
	if e.Time != nil {
		parts = append(parts, stamp(e.Time.UnixNano()))
	}
	if e.Key != nil {
		parts = append(parts, "key="+*e.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		parts = append(parts, name+"="+e.Headers[name])
	}
	switch {
	case e.Value != nil:
		parts = append(parts, cut(*e.Value))
	case e.Base64 != nil:
		parts = append(parts, quoted(string(e.Base64)))
	case e.JSON != nil:
		parts = append(parts, compact(e.JSON))
	case e.JSONContains != nil:
		parts = append(parts, "has "+compact(e.JSONContains))
	case e.Contains != nil:
		parts = append(parts, "contains "+quoted(*e.Contains))
	case e.Matches != nil:
		parts = append(parts, "matches "+e.Matches.String())
	default:
		parts = append(parts, "(any value)")
	}
	return strings.Join(parts, " ")
}
