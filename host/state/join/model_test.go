package join

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

const lateTag = 7

// came is a record as the model knows it.
type came struct {
	side    int
	key     string
	at      int64
	value   string
	windows []window.Window // that took it
	matched bool
	told    []window.Window // in which it was said to be alone
}

// model joins by comparing each record with each.
type model struct {
	cfg  Config
	now  int64
	seq  stream.Seq
	seen []*came
	said []string
}

// windows returns those that a time is in, found by trying each start near by.
func (m *model) windows(at int64) (all []window.Window) {
	s := m.cfg.Spec
	step := int64(s.Slide)
	switch s.Kind {
	case window.Global:
		return []window.Window{window.All()}
	case window.Fixed:
		step = int64(s.Size)
	}
	for n := (at-int64(s.Size)-int64(s.Offset))/step - 2; ; n++ {
		w := window.Window{Start: n*step + int64(s.Offset)}
		if w.End = w.Start + int64(s.Size); w.Start > at {
			return all
		}
		if at < w.End {
			all = append(all, w)
		}
	}
}

func plus(at int64, d time.Duration) int64 {
	if at == math.MaxInt64 {
		return at
	}
	return at + int64(d)
}

func (m *model) add(side int, key string, at int64, value string) (late bool) {
	r := &came{side: side, key: key, at: at, value: value}
	for _, w := range m.windows(at) {
		over := plus(w.End, m.cfg.Spec.Lateness) <= m.now
		if m.cfg.Within > 0 {
			over = plus(at, m.cfg.Spec.Lateness) < m.now
		}
		if !over {
			r.windows = append(r.windows, w)
		}
	}
	for _, w := range r.windows {
		for _, o := range m.seen {
			if o.side == side || o.key != key || !slices.Contains(o.windows, w) {
				continue
			}
			if m.cfg.Within > 0 && max(at, o.at)-min(at, o.at) > int64(m.cfg.Within) {
				continue
			}
			l, r := pair(r, o)
			m.say(key, l.value, r.value, w, max(at, o.at), fmt.Sprint(m.seq))
			l.matched = true
		}
	}
	m.seen = append(m.seen, r)
	m.seq++
	return len(r.windows) == 0
}

func pair(a, b *came) (l, r *came) {
	if a.side == left {
		return a, b
	}
	return b, a
}

func (m *model) advance(now int64) {
	m.now = max(m.now, now)
	if !m.cfg.Outer {
		return
	}
	for _, r := range m.seen {
		if r.side == right {
			continue
		}
		for _, w := range r.windows {
			over := plus(w.End, m.cfg.Spec.Lateness)
			if in := int64(m.cfg.Within); in > 0 {
				part := (in + outerPanes - 1) / outerPanes
				over = (floor(r.at, part)+1)*part + in + int64(m.cfg.Spec.Lateness)
			}
			if over > m.now || slices.Contains(r.told, w) {
				continue
			}
			r.told = append(r.told, w)
			found := slices.ContainsFunc(m.seen, func(o *came) bool {
				return o.side == right && o.key == r.key && slices.Contains(o.windows, w)
			})
			if m.cfg.Within > 0 {
				found = r.matched
			}
			if !found {
				at := r.at
				if over < math.MaxInt64-1 {
					at = max(at, over-int64(m.cfg.Spec.Lateness)-1)
				}
				m.say(r.key, r.value, "null", w, at, "none")
			}
		}
	}
}

func floor(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

func (m *model) say(key, left, right string, w window.Window, at int64, source string) {
	m.said = append(m.said, fmt.Sprintf(`{"key":%q,"left":%s,"right":%s,%s} at %d of %s`, key, left, right, w.AppendJSON(nil), at, source))
}

// world is a join and what it said.
type world struct {
	t testing.TB
	*Transform
	now  stream.Watermark
	seq  stream.Seq
	said []string
}

func newWorld(t testing.TB, c Config) *world {
	c.Right = []bool{false, true}
	c.Late = lateTag
	if c.Groups == 0 {
		c.Groups = 4
	}
	j, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, Transform: j, now: stream.NoWatermark}
}

// batch is records that are to come in one call.
func (w *world) batch() *stream.Batch { return &stream.Batch{Watermark: w.now} }

func (w *world) append(b *stream.Batch, side int, key string, at int64, value string) {
	b.Append(at, []byte(key), []byte(value), nil)
	r := &b.Records[b.Len()-1]
	r.Port, r.Group, r.Seq, r.Source = uint16(side), uint16(w.Group([]byte(key))), w.seq, 1
	w.seq++
}

// in makes a call, and returns which records were late.
func (w *world) in(b *stream.Batch) (late []stream.Seq) {
	out := stream.Output{Batch: &stream.Batch{}}
	if err := w.In(w.t.Context(), b, &out); err != nil || len(out.Failures) > 0 {
		w.t.Fatal(err, out.Failures)
	}
	for i, r := range out.Records {
		if r.Tag == lateTag {
			late = append(late, r.Seq)
		} else {
			w.hear(&out, i)
		}
	}
	return late
}

func (w *world) hear(out *stream.Output, i int) {
	r, source := out.Records[i], "none"
	if r.Source != stream.NoSource {
		source = fmt.Sprint(r.Seq)
	}
	if !json.Valid(out.Value(i)) {
		w.t.Fatalf("not JSON: %s", out.Value(i))
	}
	if !bytes.HasPrefix(out.Value(i), fmt.Appendf(nil, `{"key":%q,`, out.Key(i))) {
		w.t.Fatalf("the key is %q: %s", out.Key(i), out.Value(i))
	}
	w.said = append(w.said, fmt.Sprintf("%s at %d of %s", out.Value(i), r.Time, source))
}

// advance does all that is due.
func (w *world) advance(now stream.Watermark) (calls int) {
	w.now = max(w.now, now)
	for {
		at, ok := w.Due(0, w.Groups())
		if !ok || at > w.now {
			if _, err := w.step(w.now); err != nil { // as a vertex may, too
				w.t.Fatal(err)
			}
			return calls
		}
		n, err := w.step(w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		if calls++; n == 0 && calls > 1000 {
			w.t.Fatal("it does nothing")
		}
	}
}

func (w *world) step(now stream.Watermark) (results int, err error) {
	out := stream.Output{Batch: &stream.Batch{}}
	in := &stream.Batch{}
	err = w.Advance(w.t.Context(), 0, w.Groups(), now, 0, in, &out)
	for i := range out.Records {
		w.hear(&out, i)
	}
	return out.Len() + in.Len(), err
}

func (w *world) empty() {
	records, timers := w.Usage()
	if records.Keys != 0 || timers.Keys != 0 {
		w.t.Fatalf("%d entries and %d timers are left", records.Keys, timers.Keys)
	}
}

func drawConfig(t *rapid.T) Config {
	d := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name))
	}
	c := Config{Outer: rapid.Bool().Draw(t, "outer"), Groups: rapid.SampledFrom([]int{1, 3}).Draw(t, "groups")}
	c.Spec.Lateness = rapid.SampledFrom([]time.Duration{0, 0, 1, 7, 30}).Draw(t, "lateness")
	switch rapid.SampledFrom([]string{"fixed", "sliding", "global", "within"}).Draw(t, "kind") {
	case "fixed":
		c.Spec.Kind, c.Spec.Size, c.Spec.Offset = window.Fixed, d("size", 1, 20), d("offset", -25, 25)
	case "sliding":
		c.Spec.Kind, c.Spec.Size, c.Spec.Offset = window.Sliding, d("size", 1, 20), d("offset", -25, 25)
		c.Spec.Slide = d("slide", 1, int(c.Spec.Size))
	case "global":
		c.Spec.Kind = window.Global
	case "within":
		c.Spec.Kind, c.Within = window.Global, d("within", 1, 20)
	}
	return c
}

// compare compares what was said since the last time.
func compare(t *rapid.T, what string, w *world, m *model) {
	slices.Sort(w.said)
	slices.Sort(m.said)
	if !slices.Equal(w.said, m.said) {
		t.Fatalf("%s at %d:\n got %s\nwant %s", what, m.now, strings.Join(w.said, "\n     "), strings.Join(m.said, "\n     "))
	}
	w.said, m.said = nil, nil
}

// TestAJoinEqualsANaiveOne steps a join and the model through the same stream: out of
// order, late, in calls of several records, with watermarks at any time.
func TestAJoinEqualsANaiveOne(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := drawConfig(r)
		w, m := newWorld(t, c), &model{cfg: c, now: math.MinInt64}
		front := int64(rapid.IntRange(-50, 50).Draw(r, "from"))
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			if rapid.IntRange(0, 3).Draw(r, "step") == 0 {
				front += int64(rapid.IntRange(0, 25).Draw(r, "forward"))
				w.advance(stream.Watermark(front))
				m.advance(front)
				compare(r, "advance", w, m)
				continue
			}
			b := w.batch()
			if rapid.Bool().Draw(r, "waited") {
				b.Watermark = stream.NoWatermark
			}
			var want []stream.Seq
			for range rapid.IntRange(1, 6).Draw(r, "records") {
				side, key := rapid.IntRange(0, 1).Draw(r, "side"), rapid.SampledFrom([]string{"", "a", "ab"}).Draw(r, "key")
				at := front + int64(rapid.IntRange(-30, 30).Draw(r, "at"))
				value := fmt.Sprintf(`"%d"`, w.seq)
				if m.add(side, key, at, value) {
					want = append(want, w.seq)
				}
				w.append(b, side, key, at, value)
			}
			if late := w.in(b); !slices.Equal(late, want) {
				r.Fatalf("late are %v, want %v", late, want)
			}
			compare(r, "records", w, m)
		}
		w.advance(stream.EndOfTime)
		m.advance(math.MaxInt64)
		compare(r, "end", w, m)
		w.empty()
	})
}

// TestTheResultsDoNotDependOnTheOrderOfArrival lets the same records come in two
// orders, in calls and with watermarks of their own, none of them late.
func TestTheResultsDoNotDependOnTheOrderOfArrival(t *testing.T) {
	type one struct {
		side  int
		key   string
		at    int64
		value string
	}
	rapid.Check(t, func(r *rapid.T) {
		c := drawConfig(r)
		var records []one
		for i := range rapid.IntRange(1, 40).Draw(r, "records") {
			records = append(records, one{
				rapid.IntRange(0, 1).Draw(r, "side"), rapid.SampledFrom([]string{"a", "b"}).Draw(r, "key"),
				int64(rapid.IntRange(-60, 60).Draw(r, "at")), fmt.Sprintf(`{"n":%d}`, i),
			})
		}
		run := func(name string) []string {
			w := newWorld(t, c)
			left := rapid.Permutation(records).Draw(r, name)
			for len(left) > 0 {
				b := w.batch()
				for range min(len(left), rapid.IntRange(1, 10).Draw(r, "call")) {
					w.append(b, left[0].side, left[0].key, left[0].at, left[0].value)
					left = left[1:]
				}
				if late := w.in(b); late != nil {
					r.Fatalf("late: %v", late)
				}
				safe := int64(math.MaxInt64)
				for _, o := range left {
					safe = min(safe, o.at)
				}
				if rapid.Bool().Draw(r, "advance") {
					w.advance(stream.Watermark(safe))
				}
			}
			w.advance(stream.EndOfTime)
			w.empty()
			for i, s := range w.said {
				w.said[i], _, _ = strings.Cut(s, " of ")
			}
			slices.Sort(w.said)
			return w.said
		}
		if a, b := run("order"), run("other order"); !slices.Equal(a, b) {
			r.Fatalf("got\n%s\nand\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	})
}
