package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// model is what a Transform with the guest script should be: maps, and one record
// after the other.
type model struct {
	values map[cell]held
	timers map[alarm]int64
	now    map[int]int64 // by group
}

type cell struct{ key, name string }

type held struct {
	value   string
	expires int64 // 0 = never
}

type alarm struct {
	key, name string
	clock     int
}

func (m *model) clone() model { return model{maps.Clone(m.values), maps.Clone(m.timers), m.now} }

// call does what a call with these records does to their keys, or nothing if one of
// them fails.
func (m *model) call(tr *Transform, w stream.Watermark, records []record) (said []string, ok bool) {
	now := int64(w)
	for _, r := range records {
		if r.port == stream.EventTimer {
			now = min(now, r.time)
		}
	}
	next := m.clone()
	for _, r := range records {
		if g := tr.Group([]byte(r.key)); w != stream.NoWatermark && w != stream.EndOfTime {
			if at, ok := m.now[g]; !ok || at < now {
				m.now[g] = now
			}
		}
		text, ok := next.record(tr, w, r)
		if !ok {
			return nil, false
		}
		said = append(said, text)
	}
	m.values, m.timers = next.values, next.timers
	return said, true
}

func (m *model) record(tr *Transform, w stream.Watermark, r record) (string, bool) {
	var said []string
	alive := func(c cell) (held, bool) {
		h, ok := m.values[c]
		now, known := m.now[tr.Group([]byte(r.key))]
		return h, ok && (h.expires == 0 || !known || h.expires > now)
	}
	for word := range strings.FieldsSeq(r.value) {
		p := append(strings.Split(word, ":"), "", "", "")
		c := cell{r.key, p[1]}
		switch p[0] {
		case "put":
			h := held{p[2], 0}
			if ttl := number(p[3]); ttl > 0 {
				h.expires = r.time + ttl
				if r.port == stream.ClockTimer && w != stream.NoWatermark {
					h.expires = math.MaxInt64
					if w != stream.EndOfTime {
						h.expires = int64(w) + ttl
					}
				}
			}
			m.values[c] = h
		case "get":
			if h, ok := alive(c); ok {
				said = append(said, c.name+"="+h.value)
			}
		case "del":
			delete(m.values, c)
		case "list":
			for _, k := range slices.SortedFunc(maps.Keys(m.values), func(a, b cell) int { return cmp.Compare(a.name, b.name) }) {
				if h, ok := alive(k); ok && k.key == r.key && strings.HasPrefix(k.name, p[1]) {
					said = append(said, k.name+"="+h.value)
				}
			}
			said = append(said, ".")
		case "at":
			m.timers[alarm{r.key, p[2], int(number(p[1]))}] = number(p[3])
		case "off":
			delete(m.timers, alarm{r.key, p[2], int(number(p[1]))})
		case "fail", "trap":
			return "", false
		}
	}
	return strings.Join(said, " "), true
}

// fires takes a timer out of the model and says what is wrong with its firing.
func (m *model) fires(r record, upTo stream.Watermark, now int64) error {
	clock, until := EventTime, int64(upTo)
	if r.port == stream.ClockTimer {
		clock, until = WallClock, now
	}
	a := alarm{r.key, r.value, clock}
	if at, ok := m.timers[a]; !ok || at != r.time || at > until {
		return fmt.Errorf("timer %+v fires at %d, set is %d, %v", a, r.time, at, ok)
	}
	delete(m.timers, a)
	for b, at := range m.timers {
		if due := b.clock == EventTime && at <= int64(upTo) || b.clock == WallClock && at <= now; due && b.key == a.key && at < r.time {
			return fmt.Errorf("timer %+v fires before %+v at %d", a, b, at)
		}
	}
	return nil
}

var (
	someKeys  = []string{"a", "b", "ab", "", strings.Repeat("k", 200)}
	someNames = []string{"", "n", "nn", "no", "put.n", "trap", "fail"}
)

// words draws the value of a record.
func words(t *rapid.T) string {
	var all []string
	for range rapid.IntRange(0, 6).Draw(t, "words") {
		name := rapid.SampledFrom(someNames).Draw(t, "name")
		clock := rapid.IntRange(0, 1).Draw(t, "clock")
		n := rapid.IntRange(1, 60).Draw(t, "n")
		all = append(all, rapid.SampledFrom([]string{
			fmt.Sprintf("put:%s:%d", name, n), fmt.Sprintf("put:%s:%d:%d", name, n, n), "get:" + name, "del:" + name, "list:" + name,
			fmt.Sprintf("at:%d:%s:%d", clock, name, n), fmt.Sprintf("at:%d:%s:%d", clock, name, n), fmt.Sprintf("off:%d:%s", clock, name),
		}).Draw(t, "word"))
	}
	if rapid.IntRange(0, 9).Draw(t, "spoilt") == 0 {
		all = append(all, rapid.SampledFrom([]string{"fail", "trap"}).Draw(t, "how"))
	}
	return strings.Join(all, " ")
}

// machine drives a transform as a pipeline does, and a model beside it.
type machine struct {
	*rapid.T
	tr    *Transform
	model model
	w     stream.Watermark
	now   int64
}

// call makes a call, and when it fails calls with each of its records.
func (m *machine) call(w stream.Watermark, records []record) {
	b, out := batch(m.tr, w, records...), output()
	err := m.tr.In(context.Background(), b, out)
	said, ok := m.model.call(m.tr, w, records)
	if failed := err != nil || len(out.Failures) > 0; failed == ok {
		m.Fatalf("call with %+v: %v, %+v, but the model says %v", records, err, out.Failures, ok)
	}
	switch {
	case ok && values(out) != strings.Join(said, "; "):
		m.Fatalf("call with %+v\ngot  %s\nwant %s", records, values(out), strings.Join(said, "; "))
	case !ok && len(records) > 1:
		for i := range records {
			m.call(w, records[i:i+1])
		}
	case !ok && err != nil && !errors.Is(err, errTrap):
		m.Fatal(err)
	}
}

// advance fires what is due until nothing is.
func (m *machine) advance() {
	for range 1000 {
		b := (&stream.BatchPool{}).New()
		if err := m.tr.Advance(context.Background(), 0, m.tr.Groups(), m.w, m.now, b, output()); err != nil {
			m.Fatal(err)
		}
		if b.Len() == 0 {
			m.quiet()
			return
		}
		var fired []record
		keys := map[string]bool{}
		for i, r := range b.Records {
			one := record{string(b.Key(i)), string(b.Value(i)), r.Time, r.Port}
			if keys[one.key] {
				m.Fatalf("two timers of %q in a call", one.key)
			}
			keys[one.key] = true
			fired = append(fired, one)
		}
		for _, one := range fired {
			if err := m.model.fires(one, m.w, m.now); err != nil {
				m.Fatal(err)
			}
		}
		m.call(m.w, fired)
	}
	m.Fatal("timers go on and on")
}

// quiet holds that nothing is due, and that the model agrees about what will be.
func (m *machine) quiet() {
	least := map[int]int64{}
	for a, at := range m.model.timers {
		if l, ok := least[a.clock]; !ok || at < l {
			least[a.clock] = at
		}
	}
	due, isDue := m.tr.Due(0, m.tr.Groups())
	at, rings := m.tr.Alarm(0, m.tr.Groups())
	if want, ok := least[WallClock]; rings != ok || ok && at != want || ok && at <= m.now {
		m.Fatalf("alarm at %d, %v, want %d, %v", at, rings, want, ok)
	}
	want, ok := least[EventTime]
	if !ok {
		want, ok = math.MaxInt64, rings
	}
	if isDue != ok || ok && int64(due) != want || ok && due <= m.w && m.w != stream.EndOfTime {
		m.Fatalf("due at %d, %v, want %d, %v", due, isDue, want, ok)
	}
}

// TestItIsAMapPerKey compares a transform with maps, over random records, timers that
// do what their names say, traps and failures.
func TestItIsAMapPerKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{T: t, tr: scripted(3), model: model{map[cell]held{}, map[alarm]int64{}, map[int]int64{}}, w: stream.NoWatermark}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				m.w = max(m.w, 0) + stream.Watermark(rapid.IntRange(0, 20).Draw(t, "watermark"))
			case 1:
				m.now += int64(rapid.IntRange(0, 20).Draw(t, "clock"))
			default:
				var records []record
				for range rapid.IntRange(1, 8).Draw(t, "records") {
					records = append(records, record{rapid.SampledFrom(someKeys).Draw(t, "key"), words(t), int64(rapid.IntRange(0, 60).Draw(t, "time")), 0})
				}
				m.call(m.w, records)
			}
			m.advance()
		}
		m.w, m.now = stream.EndOfTime, math.MaxInt64
		m.advance()
		if len(m.model.timers) > 0 {
			t.Fatalf("after the end timers are set: %v", m.model.timers)
		}
	})
}
