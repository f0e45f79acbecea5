package join

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state/statetest"
	"github.com/wasmill/wasmill/host/stream"
)

// survivors are joins of one kind, and the stream that they get.
type survivors struct {
	Config
	front stream.Watermark
	value int
}

func survivingJoins(t *rapid.T) statetest.Plan {
	s := &survivors{Config: drawConfig(t), front: stream.NoWatermark}
	s.Config.Right, s.Config.Late = []bool{false, true}, lateTag
	return statetest.Plan{Fresh: s.fresh, Step: s.step, Steps: 60, End: func(v *statetest.Driver) { v.Until(stream.EndOfTime, math.MaxInt64) }}
}

func (s *survivors) fresh(t *rapid.T) *statetest.Driver {
	j, err := New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	return &statetest.Driver{Durable: j, T: t, Ended: func() {
		for n := range j.groups {
			if g := &j.groups[n]; g.reached == stream.EndOfTime {
				g.reached = stream.NoWatermark
			}
		}
	}}
}

func (s *survivors) step(t *rapid.T) func(v *statetest.Driver) {
	if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
		s.front = max(s.front, -50) + stream.Watermark(rapid.IntRange(0, 25).Draw(t, "forward"))
		w := s.front
		return func(v *statetest.Driver) { v.Until(w, 0) }
	}
	w := rapid.SampledFrom([]stream.Watermark{s.front, s.front, stream.NoWatermark}).Draw(t, "watermark")
	var records []statetest.Record
	for range rapid.IntRange(1, 8).Draw(t, "records") {
		s.value++
		records = append(records, statetest.Record{
			Key: rapid.SampledFrom([]string{"", "a", "ab", "b", "c", "d", "e"}).Draw(t, "key"), Value: fmt.Sprint(s.value),
			Time: int64(max(s.front, -50)) + int64(rapid.IntRange(-30, 30).Draw(t, "at")), Port: uint16(rapid.IntRange(0, 1).Draw(t, "side")),
		})
	}
	return func(v *statetest.Driver) { v.Take(w, records...) }
}

func TestJoinsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Survives(t, survivingJoins(t)) })
}

func TestJoinsWithstandDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Withstands(t, survivingJoins(t)) })
}
