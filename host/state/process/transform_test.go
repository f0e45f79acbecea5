package process

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

func TestARecordSeesWhatItsKeyLeft(t *testing.T) {
	tr := scripted(4)
	got := in(t, tr, stream.NoWatermark,
		record{key: "a", value: "put:n:1 put:nn:2 put::0"}, record{key: "b", value: "get:n list:"}, record{key: "a", value: "get:n get::x list:n del:n list:"})
	expect(t, "within a call", got, "; .; n=1 =0 n=1 nn=2 . =0 nn=2 .")
	expect(t, "in the next call", in(t, tr, stream.NoWatermark, record{key: "a", value: "list: get:n"}, record{key: "", value: "list:"}), "=0 nn=2 .; .")
}

func TestNamesOfAKeyAreNotThoseOfAnother(t *testing.T) {
	tr := scripted(1)
	in(t, tr, stream.NoWatermark, record{key: "a", value: "put:bc:1"}, record{key: "ab", value: "put:c:2"}, record{key: "", value: "put:abc:3"}, record{key: strings.Repeat("a", 300), value: "put:bc:4"})
	got := in(t, tr, stream.NoWatermark, record{key: "a", value: "list:"}, record{key: "ab", value: "list:"}, record{key: "", value: "list:"}, record{key: "abc", value: "list: get:"})
	expect(t, "lists", got, "bc=1 .; c=2 .; abc=3 .; .")
}

func TestTwoVerticesDoNotSeeEachOther(t *testing.T) {
	one, two := scripted(4), scripted(4)
	in(t, one, stream.NoWatermark, record{key: "a", value: "put:n:1 at:0:x:5"})
	expect(t, "state", in(t, two, stream.NoWatermark, record{key: "a", value: "get:n list:"}), ".")
	expect(t, "timers", advance(t, two, 10, 0), "")
}

func TestACallThatFailsLeavesNothing(t *testing.T) {
	tr := scripted(4)
	in(t, tr, stream.NoWatermark, record{key: "a", value: "put:n:1 at:0:x:5 at:1:y:6"}, record{key: "b", value: "put:n:1"})
	before := holds(tr)
	for _, last := range []string{"trap", "fail"} {
		b := batch(tr, stream.NoWatermark, record{key: "a", value: "put:n:2 put:m:3 del:n off:0:x at:1:y:9 at:0:z:1"}, record{key: "b", value: "del:n " + last})
		out := output()
		if err := tr.In(t.Context(), b, out); (err == nil) != (last == "fail") || len(out.Failures) != b.Len()-1 && last == "fail" {
			t.Fatalf("%s: got %v, %+v", last, err, out.Failures)
		}
		expect(t, "state after "+last, holds(tr), before)
		expect(t, "read after "+last, in(t, tr, stream.NoWatermark, record{key: "a", value: "list:"}, record{key: "b", value: "list:"}), "n=1 .; n=1 .")
	}
	expect(t, "timers", advance(t, tr, 10, 10), "a/x@5 by event")
}

func TestARecordWithoutAKeyFails(t *testing.T) {
	tr := scripted(4)
	out := output()
	if err := tr.In(t.Context(), batch(tr, 0, record{key: "a", value: "put:n:1"}, record{value: "put:n:2", port: stream.NoKey}), out); err != nil {
		t.Fatal(err)
	}
	if len(out.Failures) != 1 || out.Failures[0].Input != 1 || !strings.Contains(out.Failures[0].Reason, "has no key") {
		t.Errorf("failures %+v", out.Failures)
	}
	expect(t, "state", holds(tr), "[] 0 0 0 0")
}

func TestAValueLastsUntilTheWatermarkHasPassedIt(t *testing.T) {
	tr := scripted(1)
	in(t, tr, stream.NoWatermark, record{key: "a", value: "put:short:1:10 put:long:2:100 put:ever:3", time: 1000})
	for _, c := range []struct {
		w    stream.Watermark
		port uint16
		time int64
		want string
	}{
		{stream.NoWatermark, 0, 5000, "ever=3 long=2 short=1 ."},
		{1009, 0, 5000, "ever=3 long=2 short=1 ."},
		{1500, stream.EventTimer, 1005, "ever=3 long=2 short=1 ."}, // it fires late
		{1010, 0, 5, "ever=3 long=2 ."},
		{stream.EndOfTime, stream.ClockTimer, math.MaxInt64, "ever=3 long=2 ."},
		{1100, 0, 5, "ever=3 ."},
	} {
		expect(t, fmt.Sprintf("at watermark %d", c.w), in(t, tr, c.w, record{key: "a", value: "list:", time: c.time, port: c.port}), c.want)
	}
}

func TestWhenATTLEnds(t *testing.T) {
	s := newSession(scripted(1))
	for _, c := range []struct {
		time, ttl int64
		port      uint16
		want      int64
	}{
		{5, 0, 0, 0}, {5, 7, 0, 12}, {-7, 7, 0, 1}, {5, math.MaxInt64, 0, math.MaxInt64}, {math.MinInt64, 1, 0, math.MinInt64 + 1},
		{5, 7, stream.EventTimer, 12}, {5, 7, stream.ClockTimer, 107},
	} {
		s.begin(batch(s.t, 100, record{time: c.time, port: c.port}))
		if got := s.expires(0, c.ttl); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
	s.begin(batch(s.t, stream.NoWatermark, record{time: 5, port: stream.ClockTimer}))
	if got := s.expires(0, 7); got != 12 {
		t.Errorf("without a watermark: got %d", got)
	}
}

func TestTimers(t *testing.T) {
	tr := scripted(1)
	in(t, tr, 0, record{key: "a", value: "at:0:x:5 at:0:y:3 at:1:x:4 at:0:gone:1 off:0:gone off:1:none at:0:x:7"}, record{key: "b", value: "at:0:x:3"})
	if at, ok := tr.Due(0, 1); at != 3 || !ok {
		t.Errorf("due at %d, %v", at, ok)
	}
	if at, ok := tr.Alarm(0, 1); at != 4 || !ok {
		t.Errorf("alarm at %d, %v", at, ok)
	}
	expect(t, "nothing due", advance(t, tr, 2, 3), "")
	expect(t, "one of each key", advance(t, tr, 10, 10), "a/y@3 by event; b/x@3 by event")
	expect(t, "the next, in order of time", advance(t, tr, 10, 10), "a/x@4 by clock")
	expect(t, "and the next", advance(t, tr, 10, 10), "a/x@7 by event")
	if at, ok := tr.Due(0, 1); ok {
		t.Errorf("still due at %d", at)
	}
	if at, ok := tr.Alarm(0, 1); ok {
		t.Errorf("still an alarm at %d", at)
	}
}

func TestATimerCanCallOffTheNextOne(t *testing.T) {
	tr := scripted(1)
	in(t, tr, 0, record{key: "a", value: "at:0:second:2"})
	b := (&stream.BatchPool{}).New()
	if err := tr.event.Set(0, 1, []byte("a"), []byte("off:0:second")); err != nil {
		t.Fatal(err)
	}
	if err := tr.Advance(t.Context(), 0, 1, 10, 0, b, output()); err != nil || b.Len() != 1 {
		t.Fatalf("%d timers, %v", b.Len(), err)
	}
	if b.Watermark != 10 {
		t.Errorf("watermark %d", b.Watermark)
	}
	if err := tr.In(t.Context(), b, output()); err != nil {
		t.Fatal(err)
	}
	expect(t, "what fires after it", advance(t, tr, 10, 0), "")
}

func TestAtTheEndAllTimersFireInOrder(t *testing.T) {
	tr := scripted(4)
	in(t, tr, 0, record{key: "a", value: fmt.Sprintf("at:0:last:%d at:1:c:30 at:0:e:20", int64(math.MaxInt64))}, record{key: "b", value: "at:1:c:1000000"})
	if at, ok := tr.Due(tr.Group([]byte("b")), tr.Group([]byte("b"))+1); !ok || at != stream.EndOfTime {
		t.Errorf("a key with timers by the clock alone is due at %d, %v", at, ok)
	}
	var got []string
	for range 4 {
		for f := range strings.SplitSeq(advance(t, tr, stream.EndOfTime, math.MaxInt64), "; ") {
			if strings.HasPrefix(f, "a/") {
				got = append(got, f)
			}
		}
	}
	expect(t, "timers of a", strings.Join(got, "; "), fmt.Sprintf("a/e@20 by event; a/c@30 by clock; a/last@%d by event", int64(math.MaxInt64-1)))
	if n := tr.event.Usage().Keys + tr.clock.Usage().Keys; n != 0 {
		t.Errorf("%d timers are left", n)
	}
}

func TestWhatSetsTimersForEverFailsAfterTheEnd(t *testing.T) {
	tr := NewTransform(Config{Vertex: "v", Groups: 1, CallBytes: 1 << 20}, guest(func(s *Session, in *stream.Batch, _ *stream.Output) error {
		return s.SetTimer(0, EventTime, nil, in.Records[0].Time+1)
	}))
	in(t, tr, 0, record{key: "a"})
	for fired := 0; ; fired++ {
		b := (&stream.BatchPool{}).New()
		err := tr.Advance(t.Context(), 0, 1, stream.EndOfTime, math.MaxInt64, b, output())
		if err != nil {
			if stream.CodeOf(err) != stream.GuestLimit || fired < lastTimers {
				t.Errorf("after %d timers: %v", fired, err)
			}
			return
		}
		if fired > lastTimers+2*lastTimes {
			t.Fatal("it goes on and on")
		}
		if err := tr.In(t.Context(), b, output()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAdvanceTakesAsMuchAsACallShould(t *testing.T) {
	tr := scripted(2)
	for n := range 3000 {
		in(t, tr, 0, record{key: fmt.Sprint(n), value: "at:0:x:1"})
	}
	for _, want := range []int{maxTimers, maxTimers, 3000 - 2*maxTimers, 0} {
		b := (&stream.BatchPool{}).New()
		if err := tr.Advance(t.Context(), 0, 2, 1, 0, b, output()); err != nil || b.Len() != want {
			t.Fatalf("%d timers, %v, want %d", b.Len(), err, want)
		}
	}
}

// TestAFullStateFailsTheCallAndLeavesItsInput has a guest that takes the arena of its
// input, as those of WebAssembly do.
func TestAFullStateFailsTheCallAndLeavesItsInput(t *testing.T) {
	big := strings.Repeat("x", 5000)
	tr := NewTransform(Config{Vertex: "v", Groups: 4, MaxBytes: 20_000, CallBytes: 1 << 20}, guest(func(s *Session, in *stream.Batch, out *stream.Output) error {
		for i := range in.Records {
			if err := s.Put(i, nil, in.Value(i), 0); err != nil {
				return err
			}
			if err := s.SetTimer(i, WallClock, in.Key(i), 1); err != nil {
				return err
			}
		}
		in.Store([]byte("more"))
		out.Records = append(out.Records, in.Records...)
		out.SwapArena(in)
		return nil
	}))
	in(t, tr, 0, record{key: "a", value: big})
	before := holds(tr)
	b := batch(tr, 0, record{key: "a", value: big[1:]}, record{key: "b", value: big}, record{key: "c", value: big}, record{key: "d", value: big})
	err := tr.In(t.Context(), b, output())
	if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "state.maxBytes") {
		t.Fatalf("got %v", err)
	}
	expect(t, "state", holds(tr), before)
	if b.Len() != 4 || string(b.Value(0)) != big[1:] || string(b.Key(3)) != "d" || b.Bytes() != 4*5000+3 {
		t.Errorf("the input has changed: %d records, %d bytes", b.Len(), b.Bytes())
	}
	in(t, tr, 0, record{key: "b", value: "fits"})
	values, timers := tr.Usage()
	if values.Keys != 2 || timers.Keys != 2 || values.Held+timers.Held > 20_000 {
		t.Errorf("it holds %+v, %+v", values, timers)
	}
}

func TestACallThatWritesTooMuchFails(t *testing.T) {
	for _, value := range []string{"put:n:" + strings.Repeat("x", 2000), strings.Repeat("at:0:x:1 ", 100), strings.Repeat("off:0:x ", 100)} {
		tr := NewTransform(Config{Vertex: "v", Groups: 4, CallBytes: 1000}, script)
		err := tr.In(t.Context(), batch(tr, 0, record{key: "a", value: value}), output())
		if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "limits.stateBytes") {
			t.Errorf("got %v", err)
		}
		expect(t, "state", holds(tr), "[] 0 0 0 0")
	}
}

func TestKeysAndGroups(t *testing.T) {
	tr := scripted(7)
	b := batch(tr, 0, record{key: "k", value: "v"})
	if key, ok := tr.Key(b, 0); !ok || string(key) != "k" || tr.Group(key) != int(state.GroupOf(key, 7)) || tr.Groups() != 7 {
		t.Errorf("key %q of group %d", key, tr.Group(key))
	}
	tr = NewTransform(Config{Groups: 7, Key: func(*stream.Batch, int) ([]byte, bool) { return nil, false }}, script)
	if _, ok := tr.Key(b, 0); ok {
		t.Error("the config's key was not asked for")
	}
}

// TestFunctionsOfASessionAllocateNothing but List, which visits through functions.
func TestFunctionsOfASessionAllocateNothing(t *testing.T) {
	name, value := []byte("name"), []byte("value")
	tr := NewTransform(Config{Vertex: "v", Groups: 4, MaxBytes: 1 << 20, CallBytes: 1 << 20}, guest(func(s *Session, in *stream.Batch, _ *stream.Output) error {
		for i := range in.Records {
			if _, ok := s.Get(i, name); !ok || i%2 == 0 {
				if err := s.Put(i, name, value, 500); err != nil {
					return err
				}
			}
			if err := s.SetTimer(i, EventTime, name, 7); err != nil {
				return err
			}
			if err := s.DeleteTimer(i, WallClock, name); err != nil {
				return err
			}
			if err := s.Delete(i, value); err != nil {
				return err
			}
		}
		return nil
	}))
	b, out := batch(tr, 5, record{key: "a"}, record{key: "b"}, record{key: "c"}), output()
	if n := testing.AllocsPerRun(100, func() {
		if err := tr.In(t.Context(), b, out); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
}
