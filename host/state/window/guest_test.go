package window

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// vertex drives Guests as a pipeline does: it makes calls again that fail, and again
// without the records that do.
type vertex struct {
	t rapid.TB
	*Guests
	now     int64
	said    []string
	late    []string // values of records
	dropped []string
}

const vertexGroups = 4

func newVertex(t rapid.TB, spec Spec, g *tally) *vertex {
	g.t, g.spec, g.calls = t, spec, map[string]int{}
	guests, err := NewGuests(GuestConfig{Spec: spec, Guest: g, Groups: vertexGroups, MaxBytes: 64 << 20, Late: 7})
	if err != nil {
		t.Fatal(err)
	}
	return &vertex{t: t, Guests: guests, now: int64(noWatermark)}
}

func (v *vertex) append(b *stream.Batch, key string, at int64, value string) {
	b.Append(at, []byte(key), []byte(value), nil)
	b.Records[b.Len()-1].Group = uint16(v.Group([]byte(key)))
}

// call is what a pipeline makes of one batch.
func (v *vertex) call(in *stream.Batch) {
	in.Watermark = watermark(v.now)
	for in.Len() > 0 {
		out := stream.Output{Batch: &stream.Batch{}}
		err := v.In(context.Background(), in, &out)
		if errors.Is(err, errCrash) {
			continue
		}
		if err != nil {
			v.t.Fatal(err)
		}
		if len(out.Failures) == 0 {
			for i, r := range out.Records {
				if r.Tag == 7 {
					v.late = append(v.late, string(out.Value(i)))
				} else {
					v.said = append(v.said, string(out.Value(i)))
				}
			}
			return
		}
		bad := map[int]bool{}
		for _, x := range out.Failures {
			bad[x.Input] = true
		}
		rest := &stream.Batch{Watermark: in.Watermark}
		for i := range in.Records {
			if bad[i] {
				v.dropped = append(v.dropped, string(in.Value(i)))
			} else {
				rest.AppendFrom(in, i)
			}
		}
		in = rest
	}
}

func (v *vertex) advanceTo(now int64) {
	v.now = now
	for _, from := range []int{0, vertexGroups / 2} {
		for {
			at, ok := v.Due(from, from+vertexGroups/2)
			if !ok || at > watermark(now) {
				break
			}
			in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
			if err := v.Advance(context.Background(), from, from+vertexGroups/2, watermark(now), 0, in, &out); err != nil {
				v.t.Fatal(err)
			}
			if in.Len() > 0 {
				v.call(in)
			}
		}
	}
}

func (v *vertex) heard() []string {
	said := v.said
	v.said = nil
	return said
}

// TestGuestsEqualANaiveEvaluation gives batches to Guests and the records of each, one
// by one, to the model. Calls fail at random, and some records do.
func TestGuestsEqualANaiveEvaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		name := rapid.SampledFrom([]string{"count", "sum"}).Draw(t, "aggregator")
		often := rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(t, "crash")
		calls, next, gap := 0, often, often
		g := &tally{agg: name, crashes: func() bool { // less and less often, so that each call gets through
			calls++
			crash := calls == next
			if crash {
				gap += often
				next += gap
			}
			return crash
		}}
		v := newVertex(t, spec, g)
		m := &model{spec: spec, agg: name, now: math.MinInt64}
		compare := func(what string) {
			got, want := v.heard(), m.said
			m.said = nil
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s at %d:\n got %q\nwant %q", what, m.now, got, want)
			}
		}
		front := int64(rapid.IntRange(-50, 50).Draw(t, "from"))
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
				front += int64(rapid.IntRange(0, 15).Draw(t, "forward"))
				v.advanceTo(front)
				m.advance(front)
				compare("advance")
				continue
			}
			b := &stream.Batch{}
			var wantLate []string
			for range rapid.IntRange(1, 30).Draw(t, "records") {
				key := rapid.SampledFrom([]string{"", "a", "ab", "b\x00"}).Draw(t, "key")
				at := front + int64(rapid.IntRange(-30, 30).Draw(t, "at"))
				value := int64(rapid.IntRange(-5, 5).Draw(t, "value"))
				if rapid.IntRange(0, 30).Draw(t, "bad") == 0 {
					v.append(b, key, at, "bad")
					continue
				}
				v.append(b, key, at, strconv.FormatInt(value, 10))
				if m.add(key, at, value) {
					wantLate = append(wantLate, strconv.FormatInt(value, 10))
				}
			}
			v.late = nil
			v.call(b)
			if m.now != math.MinInt64 {
				m.advance(m.now)
			}
			compare("add")
			if got := slices.DeleteFunc(v.late, func(s string) bool { return s == "bad" }); !slices.Equal(got, wantLate) {
				t.Fatalf("late: got %q, want %q", got, wantLate)
			}
		}
		v.advanceTo(int64(endOfTime))
		m.advance(int64(endOfTime))
		compare("end")
		if windows, timers := v.Usage(); windows.Keys+timers.Keys > 0 {
			t.Fatalf("left at the end: %+v, %+v", windows, timers)
		}
	})
}

func TestAThousandRecordsAreOneCall(t *testing.T) {
	for _, tt := range []struct {
		spec  Spec
		keys  int
		calls map[string]int
	}{
		{Spec{Kind: Fixed, Size: 1000}, 1000, map[string]int{"add": 1}},
		{Spec{Kind: Global}, 1, map[string]int{"add": 1}},
		{Spec{Kind: Sliding, Size: 1000, Slide: 100}, 10, map[string]int{"add": 3}}, // 10,000 pairs
		{Spec{Kind: Session, Gap: 10}, 100, map[string]int{"add": 1}},
		{Spec{Kind: Fixed, Size: 1000, EveryRecords: 10}, 50, map[string]int{"add": 2, "result": 2}},
	} {
		g := &tally{agg: "count"}
		v := newVertex(t, tt.spec, g)
		b := &stream.Batch{}
		for i := range 1000 {
			v.append(b, strconv.Itoa(i%tt.keys), int64(i), "1")
		}
		v.call(b)
		for what, n := range tt.calls {
			if g.calls[what] != n {
				t.Errorf("%+v: calls %v, want %v", tt.spec, g.calls, tt.calls)
			}
		}
		if g.largest > maxPairs {
			t.Errorf("%+v: %d in one call", tt.spec, g.largest)
		}
	}
}

// TestAWindowMayHaveMoreRecordsThanACall adds ten thousand records of one key at once.
func TestAWindowMayHaveMoreRecordsThanACall(t *testing.T) {
	g := &tally{agg: "count"}
	v := newVertex(t, Spec{Kind: Global}, g)
	b := &stream.Batch{}
	for i := range 10_000 {
		v.append(b, "a", int64(i), "1")
	}
	v.append(b, "b", 1, "1")
	v.call(b)
	v.advanceTo(int64(endOfTime))
	said := strings.Join(slices.Sorted(slices.Values(v.heard())), " ")
	if g.calls["add"] != 3 || g.largest > maxPairs || !strings.Contains(said, ") 10000 on-time b ") {
		t.Errorf("%v calls of up to %d, said %q", g.calls, g.largest, said)
	}
}

// TestManySessionsMergeInFewCalls brings sixteen sessions of a hundred keys together.
func TestManySessionsMergeInFewCalls(t *testing.T) {
	g := &tally{agg: "count"}
	v := newVertex(t, Spec{Kind: Session, Gap: 10}, g)
	for _, offset := range []int64{0, 9} {
		b := &stream.Batch{}
		for key := range 100 {
			for at := range int64(16) {
				v.append(b, strconv.Itoa(key), 18*at+offset, "1")
			}
		}
		v.call(b)
	}
	v.advanceTo(int64(endOfTime))
	said := v.heard()
	if len(said) != 100 || !strings.Contains(said[0], " [0,289) 32 ") {
		t.Errorf("%d results, the first %q", len(said), said[0])
	}
	if want := map[string]int{"add": 2, "merge": 4, "result": 2}; !maps.Equal(g.calls, want) {
		t.Errorf("calls %v, want %v", g.calls, want)
	}
}

func TestAWindowWhoseResultFailsIsGone(t *testing.T) {
	g := &tally{agg: "unlucky"}
	v := newVertex(t, Spec{Kind: Fixed, Size: 100}, g)
	b := &stream.Batch{}
	for i := range 20 {
		for key := range i {
			v.append(b, strconv.Itoa(key), 5, "1")
		}
	}
	v.call(b)
	v.advanceTo(100)
	if said := v.heard(); len(said) != 18 {
		t.Errorf("%d results: %q", len(said), said)
	}
	if want := []string{`{"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:00:00.0000001Z","fired":"on-time"}`}; !slices.Equal(v.dropped, want) {
		t.Errorf("dropped %q", v.dropped)
	}
	if windows, _ := v.Usage(); windows.Keys > 0 {
		t.Errorf("left: %+v", windows)
	}
}

func TestAResultThatFailsIsThatOfItsRecords(t *testing.T) {
	g := &tally{agg: "unlucky"}
	v := newVertex(t, Spec{Kind: Fixed, Size: 100, Lateness: 1000, EveryRecords: 13}, g)
	b := &stream.Batch{}
	for i := range 14 {
		v.append(b, "a", 5, strconv.Itoa(i))
	}
	v.call(b)
	if said := v.heard(); !slices.Equal(v.dropped, []string{"12", "13"}) || len(said) != 0 {
		t.Errorf("early: dropped %q, said %q", v.dropped, said)
	}
	v.advanceTo(100)
	if said := v.heard(); !slices.Equal(said, []string{"a [0,100) 12 on-time"}) {
		t.Errorf("said %q", said)
	}
	b, v.dropped = &stream.Batch{}, nil
	v.append(b, "a", 6, "late")
	v.append(b, "b", 7, "1")
	b.Records[0].Value = b.Store([]byte("100"))
	v.call(b)
	if said := v.heard(); !slices.Equal(v.dropped, []string{"100"}) || !slices.Equal(said, []string{"b [0,100) 1 late"}) {
		t.Errorf("late: dropped %q, said %q", v.dropped, said)
	}
}

// TestAGuestMayStartAnew has each result replace the accumulator by an empty one.
func TestAGuestMayStartAnew(t *testing.T) {
	for _, spec := range []Spec{{Kind: Fixed, Size: 100, Lateness: 50, EveryRecords: 2, Every: 10}, {Kind: Session, Gap: 100, Lateness: 50, EveryRecords: 2, Every: 10}} {
		v := newVertex(t, spec, &tally{agg: "anew"})
		var said []string
		for _, step := range []struct {
			records int
			now     int64
		}{{3, 10}, {1, 20}, {1, 100}, {2, 100}, {0, 1000}} {
			b := &stream.Batch{}
			for range step.records {
				v.append(b, "a", 0, "1")
			}
			v.call(b)
			v.advanceTo(step.now)
			for _, s := range v.heard() {
				said = append(said, strings.TrimPrefix(s, "a [0,100) "))
			}
		}
		if want := []string{"2 early", "1 early", "1 early", "1 on-time", "2 late"}; !slices.Equal(said, want) {
			t.Errorf("%s: said %q, want %q", spec.Kind, said, want)
		}
	}
}

func TestACallWithoutRoomChangesNothing(t *testing.T) {
	for _, spec := range []Spec{{Kind: Fixed, Size: 100, Every: 7}, {Kind: Session, Gap: 30}} {
		g := &tally{agg: "count"}
		v := newVertex(t, spec, g)
		v.Guests, _ = NewGuests(GuestConfig{Spec: spec, Guest: g, Groups: vertexGroups, MaxBytes: 256 << 10})
		folded := 0
		for {
			b := &stream.Batch{Watermark: noWatermark}
			for i := range 100 { // some keys are there, some are new
				v.append(b, strconv.Itoa(max(0, folded/4+i-75)), int64(i), "1")
			}
			out := stream.Output{Batch: &stream.Batch{}}
			if err := v.In(t.Context(), b, &out); err != nil {
				if stream.CodeOf(err) != stream.StateFull {
					t.Fatal(err)
				}
				break
			}
			folded += 100
		}
		v.advanceTo(int64(endOfTime))
		n := 0
		for _, s := range v.heard() {
			parts := strings.Split(s, " ")
			count, err := strconv.Atoi(parts[2])
			if err != nil {
				t.Fatal(err)
			}
			n += count
		}
		if n != folded || folded < 1000 {
			t.Errorf("%s: %d records came out, %d were taken", spec.Kind, n, folded)
		}
	}
}

func TestSessionsNeedAGuestThatMerges(t *testing.T) {
	_, err := NewGuests(GuestConfig{Spec: Spec{Kind: Session, Gap: time.Second}, Guest: noMerge{}, Groups: 1})
	if stream.CodeOf(err) != stream.ConfigValue {
		t.Errorf("got %v", err)
	}
}

type noMerge struct{ *tally }

func (noMerge) Merges() bool { return false }

func TestARecordWithoutAKeyFails(t *testing.T) {
	v := newVertex(t, Spec{Kind: Global}, &tally{agg: "count"})
	b, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
	v.append(b, "a", 1, "1")
	v.append(b, "", 1, "1")
	b.Records[1].Port = stream.NoKey
	if err := v.In(t.Context(), b, &out); err != nil || len(out.Failures) != 1 || out.Failures[0].Input != 1 {
		t.Errorf("failures %+v, %v", out.Failures, err)
	}
}

// TestDueWindowsComeByTheirEnds looks at what Advance appends.
func TestDueWindowsComeByTheirEnds(t *testing.T) {
	v := newVertex(t, Spec{Kind: Fixed, Size: 10}, &tally{agg: "count"})
	b := &stream.Batch{}
	for i := range 100 {
		v.append(b, "k", int64(i), "1")
	}
	v.call(b)
	g := v.Group([]byte("k"))
	in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
	if err := v.Advance(t.Context(), g, g+1, 95, 0, in, &out); err != nil || in.Len() != 9 {
		t.Fatalf("%d are due, %v", in.Len(), err)
	}
	if !slices.IsSortedFunc(in.Records, func(x, y stream.Record) int { return cmp.Compare(x.Time, y.Time) }) {
		t.Error("not by their ends")
	}
	for i, r := range in.Records {
		if r.Port != stream.EventTimer || r.Source != stream.NoSource || int(r.Group) != g || string(in.Key(i)) != "k" {
			t.Errorf("record %+v", r)
		}
	}
	in.Records[0].Headers.Len--
	in.Records[0].Headers.Len = 5
	if err := v.In(t.Context(), in, &out); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a window that is cut off: %v", err)
	}
}
