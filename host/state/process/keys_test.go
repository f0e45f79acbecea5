package process

import (
	"math"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestKeysOfAnySize has the shortest key and one of 1 MiB, with values and timers.
func TestKeysOfAnySize(t *testing.T) {
	tr := NewTransform(Config{Vertex: "v", Groups: 2, MaxBytes: 64 << 20, CallBytes: 8 << 20}, script)
	long := strings.Repeat("k", 1<<20)
	keys := []string{"", long, long[1:], "k"}
	for _, key := range keys {
		in(t, tr, 0, record{key: key, value: "put:n:1 put::2 at:0:x:5"})
		if got := in(t, tr, 0, record{key: key, value: "list:"}); got != "=2 n=1 ." {
			t.Errorf("a key of %d bytes has %q", len(key), got)
		}
	}
	fired := map[string]int{}
	for range keys {
		b := (&stream.BatchPool{}).New()
		if err := tr.Advance(t.Context(), 0, 2, 5, 0, b, output()); err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			fired[string(b.Key(i))]++
		}
	}
	for _, key := range keys {
		if fired[key] != 1 {
			t.Errorf("the timer of a key of %d bytes fired %d times", len(key), fired[key])
		}
		in(t, tr, 5, record{key: key, value: "del:n del:"})
	}
	if got := holds(tr); got != "[] 0 0 0 0" {
		t.Errorf("left %.100s", got)
	}
}

// TestTimersAtTheEndsOfTime sets them at the first and the last moments.
func TestTimersAtTheEndsOfTime(t *testing.T) {
	const first, last = math.MinInt64, math.MaxInt64
	for _, clock := range []struct{ number, by string }{{"0", "event"}, {"1", "clock"}} {
		tr := scripted(3)
		for i, at := range []string{"9223372036854775807", "-9223372036854775808", "0", "-1", "9223372036854775806"} {
			in(t, tr, stream.NoWatermark, record{key: string(rune('a' + i)), value: "at:" + clock.number + ":x:" + at})
		}
		upTo := func(at int64) string {
			t.Helper()
			if clock.by == "event" {
				return advance(t, tr, stream.Watermark(at), first)
			}
			return advance(t, tr, stream.NoWatermark, at)
		}
		if got := upTo(first); clock.by == "clock" && got != "b/x@-9223372036854775808 by clock" {
			t.Errorf("at the first moment: got %s", got)
		}
		upTo(first + 1)
		expect(t, "before 1970", upTo(-1), "d/x@-1 by "+clock.by)
		expect(t, "in 1970", upTo(0), "c/x@0 by "+clock.by)
		expect(t, "in 2262", upTo(last-2), "")
		if at := strings.Count(upTo(last), "by "+clock.by); at != 2 {
			t.Errorf("%d timers fired at the last moment, want 2", at)
		}
	}
}

// TestAFullStateGoesOnForTheKeysInIt fills it with values and timers, and changes the
// values that are there. Their timers fire.
func TestAFullStateGoesOnForTheKeysInIt(t *testing.T) {
	tr := NewTransform(Config{Vertex: "v", Groups: 2, MaxBytes: 64 << 10, CallBytes: 1 << 20}, script)
	var there []string
	for i := range 5000 {
		key := "key " + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		b, out := batch(tr, 0, record{key: key, value: "put:n:1 at:0:x:5 at:1:y:7"}), output()
		switch err := tr.In(t.Context(), b, out); {
		case err == nil:
			there = append(there, key)
		case stream.CodeOf(err) != stream.StateFull:
			t.Fatal(err)
		}
	}
	if len(there) < 50 || len(there) == 5000 {
		t.Fatalf("%d keys had room", len(there))
	}
	for _, key := range there {
		in(t, tr, 0, record{key: key, value: "put:n:2 off:0:none"})
	}
	fired := 0
	for range 10 * len(there) {
		got := advance(t, tr, 5, 7)
		if got == "" {
			break
		}
		fired += strings.Count(got, "/x@5 by event") + strings.Count(got, "/y@7 by clock")
	}
	if fired != 2*len(there) {
		t.Errorf("%d timers fired of %d keys", fired, len(there))
	}
	for _, key := range there {
		expect(t, key, in(t, tr, 6, record{key: key, value: "get:n del:n"}), "n=2")
	}
	expect(t, "in the end", holds(tr), "[] 0 0 0 0")
}
