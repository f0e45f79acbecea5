package window

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

type watermark = stream.Watermark

const noWatermark, endOfTime = stream.NoWatermark, stream.EndOfTime

// seen is a record that the model took.
type seen struct {
	at    int64
	value int64
}

// pane is a window of the model with all of its records.
type pane struct {
	key        string
	start, end int64
	records    []seen
	news       int
	armed      bool // it owes a result once the watermark is at its end
	late       bool // which will be a late one
	tick       int64
	ticking    bool
}

// model evaluates windows the naive way: it keeps every record, looks at every
// window each time, and knows no timers.
type model struct {
	spec  Spec
	agg   string
	now   int64
	panes []*pane
	said  []string
}

func (m *model) say(p *pane, f Firing) {
	p.news = 0
	m.said = append(m.said, fmt.Sprintf("%s [%d,%d) %s %s", p.key, p.start, p.end, evaluate(m.agg, p.records), f))
}

// panesOf returns the windows that a record goes to, new ones included.
func (m *model) panesOf(key string, at int64) (to []*pane) {
	var ranges [][2]int64
	switch m.spec.Kind {
	case Global:
		ranges = [][2]int64{{math.MinInt64, math.MaxInt64}}
	case Session:
		return m.sessionOf(key, at)
	default:
		step := m.spec.Size
		if m.spec.Kind == Sliding {
			step = m.spec.Slide
		}
		for k := int64(-1000); k < 1000; k++ {
			start := k*int64(step) + int64(m.spec.Offset)
			if end := start + int64(m.spec.Size); start <= at && at < end {
				ranges = append(ranges, [2]int64{start, end})
			}
		}
	}
	for _, r := range ranges {
		i := slices.IndexFunc(m.panes, func(p *pane) bool { return p.key == key && p.start == r[0] })
		if i < 0 {
			to = append(to, &pane{key: key, start: r[0], end: r[1]})
		} else {
			to = append(to, m.panes[i])
		}
	}
	return to
}

// sessionOf sorts all records of a key with the new one and cuts them where the gap
// is long enough.
func (m *model) sessionOf(key string, at int64) []*pane {
	times := []int64{at}
	for _, p := range m.panes {
		for _, r := range p.records {
			if p.key == key {
				times = append(times, r.at)
			}
		}
	}
	slices.Sort(times)
	gap := int64(m.spec.Gap)
	s := &pane{key: key, start: times[0], end: times[0] + gap}
	for _, t := range times[1:] {
		if t >= s.end {
			if at < s.end {
				break
			}
			s.start = t
		}
		s.end = t + gap
	}
	first := int64(math.MaxInt64)
	for _, p := range m.panes {
		if p.key == key && p.start >= s.start && p.end <= s.end {
			s.records = append(s.records, p.records...)
			s.news += p.news
			if p.start < first {
				first, s.tick, s.ticking = p.start, p.tick, p.ticking
			}
		}
	}
	return []*pane{s}
}

func (m *model) add(key string, at, value int64) (late bool) {
	late = true
	for _, p := range m.panesOf(key, at) {
		if m.now != math.MinInt64 && (m.now == math.MaxInt64 || p.end != math.MaxInt64 && p.end+int64(m.spec.Lateness) <= m.now) {
			continue
		}
		late = false
		m.panes = slices.DeleteFunc(m.panes, func(q *pane) bool {
			return q.key == key && q.start >= p.start && q.end <= p.end && m.spec.Kind == Session
		})
		if !slices.Contains(m.panes, p) {
			m.panes = append(m.panes, p)
		}
		p.records = append(p.records, seen{at, value})
		p.news++
		p.armed, p.late = true, p.end <= m.now
		if every := int64(m.spec.Every); every > 0 && !p.late && !p.ticking && (m.spec.EveryRecords == 0 || p.news < m.spec.EveryRecords) {
			from := m.now
			if from == math.MinInt64 {
				from = at
			}
			p.tick = int64(math.Floor(float64(from)/float64(every)))*every + every
			p.ticking = p.tick < p.end
		}
		if m.spec.EveryRecords > 0 && p.news >= m.spec.EveryRecords && !p.late {
			m.say(p, Early)
		}
	}
	return late
}

func (m *model) advance(now int64) {
	m.now = now
	for _, p := range m.panes {
		if p.ticking && p.tick <= now {
			if p.ticking = false; p.news > 0 && p.end > now {
				m.say(p, Early)
			}
		}
		if p.armed && p.end <= now {
			p.armed = false
			if p.late {
				m.say(p, Late)
			} else {
				m.say(p, OnTime)
			}
		}
	}
	m.panes = slices.DeleteFunc(m.panes, func(p *pane) bool {
		return now == math.MaxInt64 || p.end != math.MaxInt64 && p.end+int64(m.spec.Lateness) <= now
	})
}

// evaluate is what an aggregator makes of records, as JSON.
func evaluate(agg string, records []seen) string {
	var sum int64
	low, high := records[0].value, records[0].value
	differ := map[int64]bool{}
	for _, r := range records {
		sum += r.value
		low, high = min(low, r.value), max(high, r.value)
		differ[r.value] = true
	}
	switch agg {
	case "count":
		return strconv.Itoa(len(records))
	case "sum":
		return strconv.FormatInt(sum, 10)
	case "min":
		return strconv.FormatInt(low, 10)
	case "max":
		return strconv.FormatInt(high, 10)
	case "distinct":
		return strconv.Itoa(len(differ))
	case "avg":
		b, _ := json.Marshal(float64(sum) / float64(len(records)))
		return string(b)
	}
	top := slices.Clone(records)
	slices.SortFunc(top, func(a, b seen) int { return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.at, b.at)) })
	text := "["
	for i, r := range top[:min(len(top), 2)] {
		text += fmt.Sprintf(`%s{"by":%d,"item":%d}`, map[bool]string{true: ","}[i > 0], r.value, r.value)
	}
	return text + "]"
}

func drawSpec(t *rapid.T) Spec {
	s := Spec{
		Kind:         rapid.SampledFrom([]Kind{Fixed, Sliding, Session, Global}).Draw(t, "kind"),
		Lateness:     time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 30}).Draw(t, "lateness")),
		EveryRecords: rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "everyRecords"),
		Every:        time.Duration(rapid.SampledFrom([]int{0, 0, 1, 4, 10}).Draw(t, "every")),
	}
	switch s.Kind {
	case Sliding:
		s.Size = time.Duration(rapid.IntRange(1, 20).Draw(t, "size"))
		s.Slide = time.Duration(rapid.IntRange(1, int(s.Size)).Draw(t, "slide"))
	case Fixed:
		s.Size = time.Duration(rapid.IntRange(1, 20).Draw(t, "size"))
	case Session:
		s.Gap = time.Duration(rapid.IntRange(1, 10).Draw(t, "gap"))
	}
	if s.Kind == Fixed || s.Kind == Sliding {
		s.Offset = time.Duration(rapid.IntRange(-25, 25).Draw(t, "offset"))
	}
	return s
}

// TestWindowsEqualANaiveEvaluation steps an operator and the model through the same
// stream: out of order, with equal times, late, quiet, and cut by snapshots.
func TestWindowsEqualANaiveEvaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		name := rapid.SampledFrom([]string{"count", "sum", "min", "max", "avg", "topK", "distinct"}).Draw(t, "aggregator")
		agg, err := Builtin(name, map[bool]int{true: 2}[name == "topK"])
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, spec, agg)
		m := &model{spec: spec, agg: name, now: math.MinInt64}
		compare := func(what string) {
			got, want := w.heard(), m.said
			m.said = nil
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s at %d:\n got %q\nwant %q", what, m.now, got, want)
			}
		}
		front := int64(rapid.IntRange(-50, 50).Draw(t, "from"))
		steps := rapid.IntRange(1, 80).Draw(t, "steps")
		for range steps {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1:
				front += int64(rapid.IntRange(0, 15).Draw(t, "forward"))
				w.advanceOrdered(t, front)
				m.advance(front)
				compare("advance")
			case 2:
				w.edits = rapid.Bool().Draw(t, "edits")
				w.restore()
			default:
				key := rapid.SampledFrom([]string{"", "a", "ab", "b\x00"}).Draw(t, "key")
				at := front + int64(rapid.IntRange(-30, 30).Draw(t, "at"))
				value := int64(rapid.IntRange(-5, 5).Draw(t, "value"))
				got := w.add(key, at, strconv.FormatInt(value, 10))
				if want := m.add(key, at, value); got != want {
					t.Fatalf("record of %d at %d: late %v, want %v", at, m.now, got, want)
				}
				compare(fmt.Sprintf("add %q at %d", key, at))
			}
		}
		w.advanceOrdered(t, int64(endOfTime))
		m.advance(int64(endOfTime))
		compare("end")
		if len(w.store.values)+len(w.timers.set) > 0 {
			t.Fatalf("left at the end: %v, %v", w.store.values, w.timers.set)
		}
	})
}

// advanceOrdered checks that on-time and late results come by end, then by key.
func (w *world) advanceOrdered(t *rapid.T, now int64) {
	var last Result
	some := false
	w.now = now
	err := w.Advance(0, watermark(now), func(r Result) {
		w.hear(r)
		if r.Fired == Early {
			return
		}
		if some && cmp.Or(cmp.Compare(last.End, r.End), bytes.Compare(last.Key, r.Key)) > 0 {
			t.Fatalf("[%d,%d) of %q after [%d,%d) of %q", r.Start, r.End, r.Key, last.Start, last.End, last.Key)
		}
		last, some = r, true
		last.Key = bytes.Clone(r.Key)
	})
	if err != nil {
		t.Fatal(err)
	}
}
