package window

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state"
)

// place is a key in a group.
type place struct {
	g   state.Group
	key string
}

// fakeStore keeps values in a map, and scribbles over what Get returned once the
// group changes.
type fakeStore struct {
	values map[place][]byte
	given  [][]byte
	full   bool // refuse new entries
}

func newStore() *fakeStore { return &fakeStore{values: map[place][]byte{}} }

func (s *fakeStore) Value(g state.Group, key []byte) ([]byte, bool) {
	v, ok := s.values[place{g, string(key)}]
	v = bytes.Clone(v)
	s.given = append(s.given, v)
	return v, ok
}

// fakeEditor is a store that can be edited.
type fakeEditor struct{ *fakeStore }

func (e fakeEditor) Edit(g state.Group, key []byte) ([]byte, bool) {
	v, ok := e.values[place{g, string(key)}]
	return v, ok
}

func (s *fakeStore) Put(g state.Group, key, value []byte, _ int64) error {
	p := place{g, string(key)}
	if s.values[p] == nil && s.full {
		return errFull
	}
	s.values[p] = append([]byte{}, value...)
	s.scribble()
	return nil
}

func (s *fakeStore) Delete(g state.Group, key []byte) {
	delete(s.values, place{g, string(key)})
	s.scribble()
}

func (s *fakeStore) scribble() {
	for _, b := range s.given {
		for i := range b {
			b[i] = 0xEE
		}
	}
	s.given = nil
}

var errFull = fmt.Errorf("full")

// alarm is what a timer is known by.
type alarm struct {
	place
	name string
}

// fakeTimers gives timers of one time in any order.
type fakeTimers struct{ set map[alarm]int64 }

func newTimers() *fakeTimers { return &fakeTimers{map[alarm]int64{}} }

func (t *fakeTimers) Set(g state.Group, at int64, key, name []byte) error {
	t.set[alarm{place{g, string(key)}, string(name)}] = at
	return nil
}

func (t *fakeTimers) Due(g state.Group, until int64) (at int64, key, name []byte, ok bool) {
	var first alarm
	for a, due := range t.set {
		if a.g == g && due <= until && (!ok || due < at) {
			first, at, ok = a, due, true
		}
	}
	delete(t.set, first)
	return at, []byte(first.key), []byte(first.name), ok
}

// world is an operator with its store and timers, and what it said.
type world struct {
	t      rapid.TB
	store  *fakeStore
	timers *fakeTimers
	*Operator
	now   int64
	said  []string
	edits bool // give the operator a store that can be edited
}

func newWorld(t rapid.TB, spec Spec, agg Aggregator) *world {
	w := &world{t: t, store: newStore(), timers: newTimers(), now: int64(noWatermark)}
	w.build(spec, agg)
	return w
}

func (w *world) build(spec Spec, agg Aggregator) {
	var store Store = w.store
	if w.edits {
		store = fakeEditor{w.store}
	}
	o, err := New(spec, agg, store, w.timers)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Operator = o
}

// restore goes on with another operator, over copies.
func (w *world) restore() {
	store := newStore()
	for p, v := range w.store.values {
		store.values[p] = bytes.Clone(v)
	}
	w.store = store
	w.timers = &fakeTimers{maps.Clone(w.timers.set)}
	w.build(w.spec, w.agg)
}

func (w *world) hear(r Result) {
	w.said = append(w.said, fmt.Sprintf("%s [%d,%d) %s %s", r.Key, r.Start, r.End, r.Value, r.Fired))
}

// heard returns what was said since the last call.
func (w *world) heard() []string {
	said := w.said
	w.said = nil
	return said
}

func (w *world) add(key string, at int64, value string) (late bool) {
	late, err := w.Add(0, Record{Key: []byte(key), Time: at, Value: []byte(value), Item: []byte(value)}, watermark(w.now), w.hear)
	if err != nil {
		w.t.Fatal(err)
	}
	return late
}

func (w *world) advance(now int64) {
	w.now = now
	if err := w.Advance(0, watermark(now), w.hear); err != nil {
		w.t.Fatal(err)
	}
}

// tell does a line of a story, and compares what was said with the line's end.
func (w *world) tell(line string) {
	does, want, _ := strings.Cut(line, "|")
	for _, step := range strings.Split(strings.Trim(does, " "), " ") {
		if at, ok := strings.CutPrefix(step, ">"); ok {
			w.advance(instant(at))
			continue
		}
		step, late := strings.CutPrefix(step, "late:")
		key, rest, ok := strings.Cut(step, "@")
		if !ok {
			continue
		}
		at, value, _ := strings.Cut(rest, "=")
		if got := w.add(key, instant(at), value); got != late {
			w.t.Errorf("%s: late is %v", step, got)
		}
	}
	var told []string
	for _, s := range strings.Split(want, "|") {
		if s = strings.TrimPrefix(strings.TrimSuffix(s, " "), " "); s != "" {
			told = append(told, strings.NewReplacer("min,", strconv.Itoa(math.MinInt64)+",", "max)", strconv.Itoa(math.MaxInt64)+")").Replace(s))
		}
	}
	if got := w.heard(); !slices.Equal(got, told) {
		w.t.Errorf("%s\n said %q\n want %q", does, got, told)
	}
}

func instant(s string) int64 {
	if s == "end" {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return n
}
