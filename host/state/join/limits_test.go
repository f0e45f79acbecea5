package join

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// remembered is all that a join remembers.
func (w *world) remembered() []byte {
	var all []byte
	for g := range w.Groups() {
		all = w.store.Snapshot(state.Group(g), all)
		all = w.timers.Snapshot(state.Group(g), all)
	}
	return all
}

func fixed(outer bool) Config {
	return Config{Spec: window.Spec{Kind: window.Fixed, Size: time.Minute}, Outer: outer}
}

func TestAFullStateRefusesCallsAsAWhole(t *testing.T) {
	for _, outer := range []bool{false, true} {
		c := fixed(outer)
		c.MaxBytes = 100 << 10
		w := newWorld(t, c)
		refused := 0
		for i := range 300 {
			b := w.batch()
			for k := range 1 + i%9 {
				w.append(b, i%2, fmt.Sprint(i*k%50), int64(i), strings.Repeat("x", i*7%400))
			}
			before := w.remembered()
			out := stream.Output{Batch: &stream.Batch{}}
			err := w.In(t.Context(), b, &out)
			if err == nil {
				continue
			}
			refused++
			if stream.CodeOf(err) != stream.StateFull || len(out.Failures) > 0 {
				t.Fatal(err, out.Failures)
			}
			if !bytes.Equal(before, w.remembered()) {
				t.Fatal("a call that was refused has changed something")
			}
		}
		if refused < 10 {
			t.Errorf("only %d calls were refused", refused)
		}
		w.advance(stream.EndOfTime)
		w.empty()
	}
}

func TestARecordWithoutAKeyChangesNothing(t *testing.T) {
	w := newWorld(t, fixed(false))
	b := w.batch()
	w.append(b, left, "a", 1, "1")
	w.append(b, right, "a", 1, "2")
	b.Records[1].Port = stream.NoKey
	out := stream.Output{Batch: &stream.Batch{}}
	if err := w.In(t.Context(), b, &out); err != nil || len(out.Failures) != 1 || out.Failures[0].Input != 1 {
		t.Fatal(err, out.Failures)
	}
	w.empty()
}

// crowded is a join with so many left records of one key.
func crowded(t *testing.T, c Config, n int, value string) *world {
	w := newWorld(t, c)
	for n > 0 {
		b := w.batch()
		for range min(n, 50_000) {
			w.append(b, left, "hot", 5, value)
			n--
		}
		w.in(b)
	}
	return w
}

func TestACallForTooManyPairsIsRefusedAsAWhole(t *testing.T) {
	for _, tt := range []struct {
		what         string
		lefts, calls int
		value        string
	}{
		{"with those there before", 40_000, 2, "1"},
		{"in bytes", 400, 2, strings.Repeat("x", 100<<10)},
	} {
		w := crowded(t, fixed(true), tt.lefts, tt.value)
		b := w.batch()
		for range tt.calls {
			w.append(b, right, "hot", 6, "2")
		}
		before := w.remembered()
		if err := w.In(t.Context(), b, &stream.Output{Batch: &stream.Batch{}}); !errors.Is(err, errLarge) {
			t.Errorf("%s: got %v", tt.what, err)
		}
		if !bytes.Equal(before, w.remembered()) {
			t.Errorf("%s: a call that was refused has changed something", tt.what)
		}
		b.Records = b.Records[:1]
		if w.in(b); len(w.said) != tt.lefts {
			t.Errorf("%s: a record alone gave %d results", tt.what, len(w.said))
		}
	}
	w := newWorld(t, fixed(false))
	b := w.batch()
	for i := range 1000 {
		w.append(b, i%2, "hot", 1, "1")
	}
	if err := w.In(t.Context(), b, &stream.Output{Batch: &stream.Batch{}}); !errors.Is(err, errLarge) {
		t.Errorf("within one call: got %v", err)
	}
	w.empty()
	b = w.batch()
	for i := range 60_000 {
		w.append(b, i%2, fmt.Sprint(i/2), 1, "1")
	}
	if w.in(b); len(w.said) != 30_000 {
		t.Errorf("many keys: got %d results", len(w.said))
	}
}

func TestARecordForTooManyPairsFails(t *testing.T) {
	w := crowded(t, fixed(false), maxResultsOfOne+1, "1")
	b := w.batch()
	w.append(b, right, "hot", 6, "2")
	out := stream.Output{Batch: &stream.Batch{}}
	err := w.In(t.Context(), b, &out)
	if err != nil || len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "up to 1048577 others of its key") {
		t.Errorf("got %v, %v", err, out.Failures)
	}
}

func TestALargePaneEndsInPieces(t *testing.T) {
	const n = 3*maxEnded + 5
	w := crowded(t, fixed(true), n, "1")
	if calls := w.advance(1 << 60); calls != 4 || len(w.said) != n {
		t.Errorf("%d calls for %d results", calls, len(w.said))
	}
	w.empty()
	w = crowded(t, fixed(true), 200, strings.Repeat("x", 100<<10))
	if calls := w.advance(1 << 60); calls != 2 || len(w.said) != 200 {
		t.Errorf("%d calls for %d results", calls, len(w.said))
	}
	w.empty()
}

// TestALargePaneEndsAtOnceIfThereIsNoRoom has no room to set its timer again.
func TestALargePaneEndsAtOnceIfThereIsNoRoom(t *testing.T) {
	c := fixed(true)
	c.MaxBytes = 1 << 20
	w := crowded(t, c, 100, "1")
	g := state.Group(w.Group([]byte("hot")))
	at, _, _, _ := w.timers.Due(g, int64(stream.EndOfTime))
	l := w.take()
	for i := 0; w.timers.Set(g, 1<<62, fmt.Append(nil, i), nil) == nil; i++ {
	}
	out := stream.Output{Batch: &stream.Batch{}}
	e := ending{lane: l, out: &out, ended: maxEnded}
	if err := e.end(g, at, 0); err != nil || out.Len() != 100 || w.store.Usage().Keys != 0 {
		t.Errorf("%d results, %v", out.Len(), err)
	}
}

func TestLateRecordsAreCounted(t *testing.T) {
	w := newWorld(t, fixed(false))
	w.advance(stream.Watermark(time.Hour))
	b := w.batch()
	w.append(b, left, "a", 1, "1")
	w.append(b, left, "a", int64(2*time.Hour), "1")
	if late := w.in(b); len(late) != 1 || late[0] != 0 || w.Late() != 1 {
		t.Errorf("late %v, counted %d", late, w.Late())
	}
}

func TestJoinsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []Config{
		{Spec: window.Spec{Kind: window.Session, Gap: 1}},
		{Spec: window.Spec{Kind: window.Fixed}},
		{Spec: window.Spec{Kind: window.Fixed, Size: 1, Every: 1}},
		{Spec: window.Spec{Kind: window.Fixed, Size: 1, EveryRecords: 1}},
		{Spec: window.Spec{Kind: window.Fixed, Size: 1}, Within: 1},
		{Spec: window.Spec{Kind: window.Global}, Within: -1},
	} {
		c.Groups = 1
		if _, err := New(c); stream.CodeOf(err) != stream.ConfigValue {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

// TestCorruptStateIsFound reads entries that were cut or are gone.
func TestCorruptStateIsFound(t *testing.T) {
	for _, tt := range []struct {
		what    string
		corrupt func(w *world, g state.Group)
	}{
		{"a head of another size", func(w *world, g state.Group) {
			_ = w.store.Put(g, appendHead(nil, []byte("a"), 0), []byte("x"), 0)
		}},
		{"a record that is gone", func(w *world, g state.Group) {
			w.store.Delete(g, appendRecord(nil, []byte("a"), 0, left, 0))
		}},
		{"a record cut off", func(w *world, g state.Group) {
			_ = w.store.Put(g, appendRecord(nil, []byte("a"), 0, left, 0), []byte("x"), 0)
		}},
	} {
		w := newWorld(t, fixed(true))
		b := w.batch()
		w.append(b, left, "a", 1, "1")
		w.in(b)
		tt.corrupt(w, state.Group(b.Records[0].Group))
		_, err := w.step(stream.EndOfTime)
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: Advance says %v", tt.what, err)
		}
	}
}

// TestTheFirstAndTheLastTimesAreTimes joins at the ends of what an int64 holds.
func TestTheFirstAndTheLastTimesAreTimes(t *testing.T) {
	for _, c := range []Config{
		fixed(true), {Spec: window.Spec{Kind: window.Global}}, {Spec: window.Spec{Kind: window.Global}, Within: time.Second, Outer: true},
		{Spec: window.Spec{Kind: window.Sliding, Size: time.Minute, Slide: 7 * time.Second, Offset: time.Second, Lateness: time.Hour}},
	} {
		w := newWorld(t, c)
		b := w.batch()
		for _, at := range []int64{math.MinInt64, math.MaxInt64, math.MinInt64 + 1, math.MaxInt64 - 1} {
			w.append(b, left, "a", at, "1")
			w.append(b, right, "a", at, "2")
		}
		w.in(b)
		if n := len(w.said); n < 8 || c.Spec.Kind == window.Global && c.Within == 0 && n != 16 {
			t.Errorf("%v: %d results", c.Spec.Kind, n)
		}
		w.advance(stream.EndOfTime)
		w.empty()
	}
}

func TestPairsAtTheFirstAndTheLastTimes(t *testing.T) {
	for _, at := range [][2]int64{{math.MinInt64 + 1e9, math.MinInt64}, {math.MaxInt64 - 1e9, math.MaxInt64}} {
		w := newWorld(t, Config{Spec: window.Spec{Kind: window.Global}, Within: time.Second, Outer: true})
		b := w.batch()
		w.append(b, right, "a", at[0], "2")
		w.append(b, left, "a", at[1], "1")
		if w.in(b); len(w.said) != 1 {
			t.Errorf("%d: %d results", at, len(w.said))
		}
	}
}

func TestManyKeysEndInPieces(t *testing.T) {
	c := fixed(true)
	c.Groups = 1
	w := newWorld(t, c)
	const n = 2*maxEnded + 5
	for i := 0; i < n; {
		b := w.batch()
		for range min(n-i, 10_000) {
			w.append(b, left, fmt.Sprint(i), 5, "1")
			i++
		}
		w.in(b)
	}
	calls := w.advance(1 << 60)
	slices.Sort(w.said)
	if w.said = slices.Compact(w.said); calls != 3 || len(w.said) != n {
		t.Errorf("%d calls for %d different results", calls, len(w.said))
	}
	w.empty()
}

// TestCallsAddNoMoreThanTheyReserve compares what calls add with the room for it.
func TestCallsAddNoMoreThanTheyReserve(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := drawConfig(r)
		c.Groups = 1
		w := newWorld(t, c)
		for range rapid.IntRange(1, 10).Draw(r, "calls") {
			b := w.batch()
			for range rapid.IntRange(1, 8).Draw(r, "records") {
				key := strings.Repeat("k", rapid.SampledFrom([]int{0, 1, 2, 3, 100, 300}).Draw(r, "key"))
				w.append(b, rapid.IntRange(0, 1).Draw(r, "side"), key, int64(rapid.IntRange(-30, 30).Draw(r, "at")), "1")
			}
			l := w.take()
			l.render(b)
			if err := l.measure(b, nil); err != nil {
				r.Fatal(err)
			}
			entries, bytes, timers := 0, 0, 0
			for i := range b.Records {
				e, n := l.roomFor(len(b.Key(i)), &l.records[i])
				entries, bytes, timers = entries+e, bytes+n, timers+l.records[i].panes
			}
			w.give(l)
			was, wasTimers := w.Usage()
			w.in(b)
			now, nowTimers := w.Usage()
			if int(now.Keys-was.Keys) > entries || int(now.Bytes-was.Bytes) > bytes || int(nowTimers.Keys-wasTimers.Keys) > timers {
				r.Fatalf("%d entries of %d bytes and %d timers, more than %d, %d and %d",
					now.Keys-was.Keys, now.Bytes-was.Bytes, nowTimers.Keys-wasTimers.Keys, entries, bytes, timers)
			}
		}
	})
}
