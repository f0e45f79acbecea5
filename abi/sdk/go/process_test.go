//go:build !wasm

package wasmill

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// spoiled undoes what a plugin of kind process sets for the tests of others.
func spoiled() { kinds, state, fire = 0, State{}, func(*Timer, *State, *Output) error { return nil } }

func TestAProcessGetsRecordsWithTheStateOfTheirKey(t *testing.T) {
	defer spoiled()
	seen := Int("seen")
	Process(`{}`, func(r *Record, s *State, out *Output) error {
		n, _ := seen.Get(s)
		seen.Put(s, n+1)
		s.SetTimer(EventTime, "later", r.Time+1)
		if string(r.Value) == "bad" {
			return errors.New("no good")
		}
		out.Buf = fmt.Appendf(out.Buf, "%s %d", r.Key, n+1)
		r.Value = out.Take()
		out.Emit(r)
		return nil
	})
	Timers(func(timer *Timer, s *State, out *Output) error {
		n, _ := seen.Get(s)
		out.Buf = fmt.Appendf(out.Buf, "%s at %d by %d: %d", timer.Name, timer.Time, timer.Clock, n)
		timer.Value = out.Take()
		out.Emit(&timer.Record)
		return nil
	})
	// The frame of call has no keys: a record's own state is that of the empty one.
	var text string
	for _, r := range call(handle, "a", "bad", "reserved", "b") {
		text += fmt.Sprintf("%d/%s/%d ", r.input, r.Value, r.outcome)
	}
	if want := "0/ 1/0 1/no good/1 2/reserved at 2 by 0: 2/0 3/ 3/0 "; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if at := state.Timers[TimerID{EventTime, "later"}]; at != 4 {
		t.Errorf("the timer is at %d", at)
	}
}

func TestState(t *testing.T) {
	var s State
	name, number := String("item name"), Int("item number")
	if _, ok := name.Get(&s); ok {
		t.Error("an empty state has a value")
	}
	name.Put(&s, "tea")
	number.Put(&s, -5)
	s.Put("other", []byte("x"), time.Hour)
	if v, ok := name.Get(&s); v != "tea" || !ok {
		t.Errorf("got %q, %v", v, ok)
	}
	if v, ok := number.Get(&s); v != -5 || !ok {
		t.Errorf("got %d, %v", v, ok)
	}
	var text string
	list := s.List("item ")
	for n, _, rest, ok := list.Next(); ok; n, _, rest, ok = rest.Next() {
		text += string(n) + ","
	}
	if text != "item name,item number," {
		t.Errorf("listed %s", text)
	}
	name.Delete(&s)
	s.SetTimer(WallClock, "a", 1)
	s.SetTimer(WallClock, "b", 2)
	s.DeleteTimer(WallClock, "a")
	if _, ok := name.Get(&s); ok || len(s.Timers) != 1 || s.Timers[TimerID{WallClock, "b"}] != 2 {
		t.Errorf("left are %v and timers %v", s.Values, s.Timers)
	}
}

func TestOutputSaysWhenTheStreamHasEnded(t *testing.T) {
	if (&Output{Watermark: 1<<63 - 1}).Ended() != true || (&Output{Watermark: 5}).Ended() {
		t.Error("Ended is wrong")
	}
}
