package window

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/statetest"
	"github.com/wasmill/wasmill/host/stream"
)

// survivors are vertices of one kind, and the stream that they get.
type survivors struct {
	front watermark
	keys  int
	fresh func(t *rapid.T) *statetest.Driver
}

func (s *survivors) plan() statetest.Plan {
	return statetest.Plan{
		Fresh: s.fresh,
		Step:  s.step,
		End:   func(v *statetest.Driver) { v.Until(endOfTime, 1<<62) },
		Steps: 60,
	}
}

func (s *survivors) step(t *rapid.T) func(v *statetest.Driver) {
	if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
		s.front = max(s.front, -30) + watermark(rapid.IntRange(0, 15).Draw(t, "forward"))
		now := s.front
		return func(v *statetest.Driver) { v.Until(now, 0) }
	}
	w := rapid.SampledFrom([]watermark{s.front, s.front, noWatermark}).Draw(t, "watermark")
	var records []statetest.Record
	for range rapid.IntRange(1, 12).Draw(t, "records") {
		records = append(records, statetest.Record{
			Key:   someKeys[rapid.IntRange(0, s.keys-1).Draw(t, "key")],
			Value: strconv.Itoa(rapid.IntRange(-5, 5).Draw(t, "value")),
			Time:  int64(max(s.front, -30)) + int64(rapid.IntRange(-30, 30).Draw(t, "at")),
		})
	}
	return func(v *statetest.Driver) { v.Take(w, records...) }
}

var someKeys = []string{"", "a", "ab", "b\x00", "c", "d", "e", "f", "g", "h", "i", "j"}

func drawKeys(t *rapid.T) int   { return rapid.SampledFrom([]int{3, len(someKeys)}).Draw(t, "keys") }
func drawGroups(t *rapid.T) int { return rapid.SampledFrom([]int{1, 3}).Draw(t, "groups") }

// built are survivors with what is built in.
func built(t *rapid.T) statetest.Plan {
	groups := drawGroups(t)
	c := Config{Vertex: "v", Spec: drawSpec(t), Groups: groups, MaxBytes: 64 << 20, Late: 7}
	c.Aggregate = rapid.SampledFrom([]string{"count", "sum", "min", "avg", "topK", "distinct"}).Draw(t, "aggregator")
	if c.Aggregate == "topK" {
		c.K = 2
	}
	if c.Aggregate != "count" {
		c.Value = func(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), true }
	}
	s := survivors{front: noWatermark, keys: drawKeys(t), fresh: func(t *rapid.T) *statetest.Driver {
		tr, err := NewTransform(c)
		if err != nil {
			t.Fatal(err)
		}
		return driven(t, tr, func(g state.Group) *progress { return &tr.groups[g].progress })
	}}
	return s.plan()
}

// guested are survivors with guests.
func guested(t *rapid.T) statetest.Plan {
	groups := drawGroups(t)
	spec, g := drawSpec(t), &tally{agg: rapid.SampledFrom([]string{"count", "sum", "unlucky"}).Draw(t, "aggregator")}
	s := survivors{front: noWatermark, keys: drawKeys(t), fresh: func(t *rapid.T) *statetest.Driver {
		g.t, g.spec, g.calls = t, spec, map[string]int{}
		tr, err := NewGuests(GuestConfig{Spec: spec, Guest: g, Groups: groups, MaxBytes: 64 << 20, Late: 7})
		if err != nil {
			t.Fatal(err)
		}
		return driven(t, tr, func(g state.Group) *progress { return &tr.groups[g].progress })
	}}
	return s.plan()
}

func driven(t *rapid.T, tr stream.Durable, of func(g state.Group) *progress) *statetest.Driver {
	return &statetest.Driver{Durable: tr, T: t, Ended: func() {
		for g := range tr.Groups() {
			if p := of(state.Group(g)); p.reached == endOfTime {
				p.reached = noWatermark
			}
		}
	}}
}

func TestWindowsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Survives(t, built(t)) })
}

func TestWindowsOfGuestsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Survives(t, guested(t)) })
}

func TestWindowsWithstandDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Withstands(t, built(t)) })
}
