package process

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state/statetest"
	"github.com/wasmill/wasmill/host/stream"
)

// survivors are vertices with the guest script, and the stream that they get.
type survivors struct {
	front  stream.Watermark
	now    int64
	groups int
	keys   []string
}

func (s *survivors) plan() statetest.Plan {
	return statetest.Plan{Fresh: s.fresh, Step: s.step, Steps: 60, End: func(v *statetest.Driver) { v.Until(stream.EndOfTime, math.MaxInt64) }}
}

func (s *survivors) fresh(t *rapid.T) *statetest.Driver {
	return &statetest.Driver{Durable: scripted(s.groups), T: t}
}

func (s *survivors) step(t *rapid.T) func(v *statetest.Driver) {
	switch rapid.IntRange(0, 4).Draw(t, "step") {
	case 0:
		s.front = max(s.front, 0) + stream.Watermark(rapid.IntRange(0, 400).Draw(t, "forward"))
	case 1:
		s.now += int64(rapid.IntRange(0, 400).Draw(t, "clock"))
	default:
		w := rapid.SampledFrom([]stream.Watermark{s.front, s.front, stream.NoWatermark}).Draw(t, "watermark")
		var records []statetest.Record
		for range rapid.IntRange(1, 8).Draw(t, "records") {
			records = append(records, s.record(t))
		}
		return func(v *statetest.Driver) { v.Take(w, records...) }
	}
	w, now := s.front, s.now
	return func(v *statetest.Driver) { v.Until(w, now) }
}

var keptNames = []string{"", "n", "get", "list"}

// record draws one. No two timers have the same time: those may fire in any order.
func (s *survivors) record(t *rapid.T) statetest.Record {
	key := rapid.IntRange(0, len(s.keys)-1).Draw(t, "key")
	r := statetest.Record{Key: s.keys[key], Time: int64(max(s.front, 0)) + int64(rapid.IntRange(-200, 200).Draw(t, "time"))}
	var words []string
	for range rapid.IntRange(0, 6).Draw(t, "words") {
		k, clock := rapid.IntRange(0, len(keptNames)-1).Draw(t, "name"), rapid.IntRange(0, 1).Draw(t, "clock")
		name, n := keptNames[k], rapid.IntRange(1, 9).Draw(t, "n")
		from := s.now
		if clock == EventTime {
			from = int64(max(s.front, 0))
		}
		at := (from/128+int64(n))*128 + int64(key*8+k*2+clock)
		words = append(words, rapid.SampledFrom([]string{
			fmt.Sprintf("put:%s:%d", name, n), fmt.Sprintf("put:%s:%d:%d", name, n, 40*n), fmt.Sprintf("put:%s:%d:%d", name, n, 80*n),
			"get:" + name, "del:" + name, "list:" + name, fmt.Sprintf("at:%d:%s:%d", clock, name, at), fmt.Sprintf("off:%d:%s", clock, name),
		}).Draw(t, "word"))
	}
	if rapid.IntRange(0, 19).Draw(t, "spoilt") == 0 {
		words = append(words, "fail")
	}
	r.Value = strings.Join(slices.Concat(words, []string{"list"}), " ")
	return r
}

func survivingOnes(t *rapid.T) statetest.Plan {
	s := &survivors{front: stream.NoWatermark, groups: rapid.SampledFrom([]int{1, 3}).Draw(t, "groups"), keys: someKeys}
	for k := range 10 {
		s.keys = append(s.keys[:len(s.keys):len(s.keys)], fmt.Sprint("key ", k))
	}
	return s.plan()
}

func TestValuesAndTimersSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Survives(t, survivingOnes(t)) })
}

func TestValuesAndTimersWithstandDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { statetest.Withstands(t, survivingOnes(t)) })
}

// TestAValueWhoseTimeHasPassedIsNotBackAfterARestore has it in a part from before.
func TestAValueWhoseTimeHasPassedIsNotBackAfterARestore(t *testing.T) {
	tr := scripted(1)
	in(t, tr, stream.NoWatermark, record{"a", "put:1:x put:2:x put:3:x put:4:x:50", 0, 0})
	fresh := scripted(1)
	move := func(full bool) {
		f := tr.Freeze(false)
		if err := f.Parts(func(table string, _, _ int, is bool, _ int, data []byte) error {
			if table == "values" && is != full {
				t.Errorf("full: %v", is)
			}
			return fresh.Restore(table, is, data)
		}); err != nil {
			t.Fatal(err)
		}
		f.Release(true)
	}
	move(true)
	in(t, tr, 60, record{"a", "put:1:y", 0, 0})
	move(false)
	if err := fresh.Restored(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := in(t, fresh, 60, record{"a", "list", 0, 0}); got != "1=y 2=x 3=x ." {
		t.Errorf("got %s", got)
	}
}
