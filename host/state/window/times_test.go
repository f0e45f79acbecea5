package window

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// counting is an aggregation that counts, built in or by a guest, called as a pipeline
// with one shard does.
type counting struct {
	*testing.T
	stream.Keyed
	now  int64
	said []result // by windows
	late int
}

// result is one of a window.
type result struct {
	key        string
	start, end int64
	count      int
}

// bothWays runs a test with what is built in and with a guest.
func bothWays(t *testing.T, what string, spec Spec, maxBytes int64, test func(c *counting)) {
	t.Helper()
	t.Run(what+", built in", func(t *testing.T) {
		k, err := NewTransform(Config{Vertex: "v", Spec: spec, Aggregate: "count", Groups: 3, MaxBytes: maxBytes, Late: 7})
		if err != nil {
			t.Fatal(err)
		}
		test(&counting{T: t, Keyed: k, now: int64(noWatermark)})
	})
	t.Run(what+", by a guest", func(t *testing.T) {
		g := &tally{t: t, agg: "count", calls: map[string]int{}}
		k, err := NewGuests(GuestConfig{Vertex: "v", Spec: spec, Guest: g, Groups: 3, MaxBytes: maxBytes, Late: 7})
		if err != nil {
			t.Fatal(err)
		}
		test(&counting{T: t, Keyed: k, now: int64(noWatermark)})
	})
}

// add counts a record of a key at each of the times, in one call. It returns false if
// there is no room.
func (c *counting) add(key string, times ...int64) bool {
	c.Helper()
	in := &stream.Batch{Watermark: watermark(c.now)}
	for _, at := range times {
		in.Append(at, []byte(key), []byte("1"), nil)
		in.Records[in.Len()-1].Group = uint16(c.Group([]byte(key)))
	}
	return c.call(in)
}

func (c *counting) call(in *stream.Batch) bool {
	c.Helper()
	out := stream.Output{Batch: &stream.Batch{}}
	err := c.In(c.Context(), in, &out)
	if stream.CodeOf(err) == stream.StateFull {
		return false
	}
	if err != nil || len(out.Failures) > 0 {
		c.Fatal(err, out.Failures)
	}
	c.hear(out.Batch)
	return true
}

func (c *counting) hear(b *stream.Batch) {
	c.Helper()
	for i, r := range b.Records {
		if r.Tag == 7 {
			c.late++
			continue
		}
		c.said = append(c.said, c.read(string(b.Key(i)), string(b.Value(i))))
	}
}

// read reads a result, of JSON or of a tally.
func (c *counting) read(key, text string) (r result) {
	c.Helper()
	if i := strings.LastIndex(text, " ["); i >= 0 {
		r.key = key
		if _, err := fmt.Sscanf(text[i:], " [%d,%d) %d", &r.start, &r.end, &r.count); err != nil {
			c.Fatalf("%s: %v", text[i:], err)
		}
		return r
	}
	var v struct {
		Key        string
		Start, End *time.Time
		Count      int
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		c.Fatalf("%.200s: %v", text, err)
	}
	r = result{v.Key, math.MinInt64, math.MaxInt64, v.Count}
	if v.Start != nil {
		r.start, r.end = v.Start.UnixNano(), v.End.UnixNano()
	}
	if r.key != key {
		c.Fatalf("result of %.20q has the key %.20q", r.key, key)
	}
	return r
}

// advance moves the watermark and returns the results since the last call, by time.
func (c *counting) advance(now int64) []result {
	c.Helper()
	c.now = now
	for {
		at, due := c.Due(0, c.Groups())
		if !due || at > watermark(now) {
			break
		}
		in, out := &stream.Batch{Watermark: watermark(now)}, stream.Output{Batch: &stream.Batch{}}
		if err := c.Advance(c.Context(), 0, c.Groups(), watermark(now), 0, in, &out); err != nil {
			c.Fatal(err)
		}
		c.hear(out.Batch)
		if in.Len() > 0 && !c.call(in) {
			c.Fatal("a result that is due has no room")
		}
	}
	said := c.said
	c.said = nil
	slices.SortFunc(said, func(a, b result) int {
		if a.start != b.start {
			return map[bool]int{true: -1, false: 1}[a.start < b.start]
		}
		return strings.Compare(a.key, b.key)
	})
	return said
}

// empty says that nothing is remembered.
func (c *counting) empty() bool {
	windows, timers := c.Keyed.(interface {
		Usage() (windows, timers state.Usage)
	}).Usage()
	return windows.Keys+timers.Keys == 0
}

func instantOf(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixNano()
}

// TestEveryTimeThereIsHasItsWindow counts records from 1677 to 2262, the first and the
// last ns included, each twice and none in order.
func TestEveryTimeThereIsHasItsWindow(t *testing.T) {
	const day = 24 * time.Hour
	times := []int64{
		math.MaxInt64, 0, math.MinInt64, -1, 1, math.MaxInt64 - 1, math.MinInt64 + 1, instantOf(t, "1969-12-31T23:59:59.999999999Z"),
		instantOf(t, "1970-01-01T00:00:00.001Z"), instantOf(t, "2262-04-11T00:00:00Z"), instantOf(t, "1677-09-22T00:00:00Z"), instantOf(t, "2026-02-28T12:00:00Z"),
	}
	for what, spec := range map[string]Spec{
		"1 ms":            {Kind: Fixed, Size: time.Millisecond},
		"30 days":         {Kind: Fixed, Size: 30 * day},
		"30 days, moved":  {Kind: Fixed, Size: 30 * day, Offset: -7 * time.Hour},
		"sliding":         {Kind: Sliding, Size: 3 * day, Slide: day},
		"sliding by 1 ms": {Kind: Sliding, Size: 4 * time.Millisecond, Slide: time.Millisecond},
	} {
		bothWays(t, what, spec, 1<<20, func(c *counting) {
			for range 2 {
				for _, at := range times {
					if !c.add("k", at) {
						c.Fatal("no room")
					}
				}
			}
			var want []result
			for _, at := range times {
				spec.Each(at, func(w Window) bool {
					i := slices.IndexFunc(want, func(r result) bool { return r.start == w.Start })
					if i < 0 {
						i = len(want)
						want = append(want, result{"k", w.Start, w.End, 0})
					}
					want[i].count += 2
					if w.Start > at || w.End <= at && w.End != math.MaxInt64 {
						c.Errorf("%d is in [%d,%d)", at, w.Start, w.End)
					}
					return true
				})
			}
			slices.SortFunc(want, func(a, b result) int { return map[bool]int{true: -1, false: 1}[a.start < b.start] })
			var got []result
			for _, w := range want { // none before its end, and each at its end
				if w.end == math.MaxInt64 {
					continue
				}
				if early := c.advance(w.end - 1); slices.ContainsFunc(early, func(r result) bool { return r.end >= w.end }) {
					c.Errorf("before %d got %v", w.end, early)
				} else {
					got = append(got, early...)
				}
				got = append(got, c.advance(w.end)...)
			}
			last := c.advance(int64(endOfTime))
			for _, r := range last {
				if r.end != math.MaxInt64 {
					c.Errorf("at the end of time got %v", r)
				}
			}
			got = append(got, last...)
			slices.SortFunc(got, func(a, b result) int { return map[bool]int{true: -1, false: 1}[a.start < b.start] })
			if !slices.Equal(got, want) {
				c.Errorf("got  %v\nwant %v", got, want)
			}
			if c.late > 0 || !c.empty() {
				c.Errorf("%d records were late, empty: %v", c.late, c.empty())
			}
		})
	}
}

// TestAnOffsetIsTheSameAllYear has days of a zone an hour ahead of UTC, as it is in
// Berlin in winter. In summer that zone is two hours ahead, and the days of the window
// go on to be those of winter: the day on which clocks change has 24 hours, and after
// it days begin at one o'clock by the clocks there.
func TestAnOffsetIsTheSameAllYear(t *testing.T) {
	spec := Spec{Kind: Fixed, Size: 24 * time.Hour, Offset: -time.Hour}
	for _, tt := range []struct{ what, at, start string }{
		{"the last moment of Saturday", "2026-03-28T23:59:59.999999999+01:00", "2026-03-28T00:00:00+01:00"},
		{"midnight before spring", "2026-03-29T00:00:00+01:00", "2026-03-29T00:00:00+01:00"},
		{"the moment after the hour that is missing", "2026-03-29T03:00:00+02:00", "2026-03-29T00:00:00+01:00"},
		{"midnight by the clocks of summer", "2026-03-30T00:00:00+02:00", "2026-03-29T00:00:00+01:00"},
		{"one o'clock by the clocks of summer", "2026-03-30T01:00:00+02:00", "2026-03-30T01:00:00+02:00"},
		{"the first of two o'clocks in autumn", "2026-10-25T02:00:00+02:00", "2026-10-25T01:00:00+02:00"},
		{"the second of two o'clocks in autumn", "2026-10-25T02:00:00+01:00", "2026-10-25T01:00:00+02:00"},
		{"midnight after it", "2026-10-26T00:00:00+01:00", "2026-10-26T00:00:00+01:00"},
	} {
		bothWays(t, tt.what, spec, 1<<20, func(c *counting) {
			c.add("k", instantOf(t, tt.at))
			start := instantOf(t, tt.start)
			if early := c.advance(start + int64(spec.Size) - 1); len(early) > 0 {
				c.Errorf("got %v an hour short of its end", early)
			}
			want := []result{{"k", start, start + int64(spec.Size), 1}}
			if got := c.advance(start + int64(spec.Size)); !slices.Equal(got, want) {
				c.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestTimesInAnyOrder gives early, late and equal times.
func TestTimesInAnyOrder(t *testing.T) {
	bothWays(t, "fixed", Spec{Kind: Fixed, Size: 100, Lateness: 50}, 1<<20, func(c *counting) {
		c.add("k", 250, 10, 10, 999, 10, 99, 100)
		if got, want := c.advance(100), []result{{"k", 0, 100, 4}}; !slices.Equal(got, want) {
			c.Errorf("got %v, want %v", got, want)
		}
		c.add("k", 5, 5) // late, and in time
		if got, want := c.advance(149), []result{{"k", 0, 100, 6}}; !slices.Equal(got, want) {
			c.Errorf("of late ones got %v, want %v", got, want)
		}
		c.advance(150)
		if c.add("k", 5, 99, 5, 100); c.late != 3 {
			c.Errorf("%d records were late, want 3", c.late)
		}
		if got, want := c.advance(int64(endOfTime)), []result{{"k", 100, 200, 2}, {"k", 200, 300, 1}, {"k", 900, 1000, 1}}; !slices.Equal(got, want) {
			c.Errorf("in the end got %v, want %v", got, want)
		}
	})
}
