package window

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestSpecsAreRefused(t *testing.T) {
	tests := []struct {
		name string
		spec Spec
		want string
	}{
		{"no kind", Spec{}, "not a kind"},
		{"another kind", Spec{Kind: "tumbling", Size: 1}, `"tumbling" is not a kind`},
		{"a fixed window without a size", Spec{Kind: Fixed}, "size 0s"},
		{"a size below zero", Spec{Kind: Sliding, Size: -1, Slide: 1}, "size -1ns"},
		{"a sliding window without a slide", Spec{Kind: Sliding, Size: 1}, "slide 0s"},
		{"a slide beyond the size", Spec{Kind: Sliding, Size: 1, Slide: 2}, "would be in none"},
		{"too many windows", Spec{Kind: Sliding, Size: 10*time.Second + 1, Slide: 10 * time.Millisecond}, "1001 windows, more than 1000"},
		{"too many for a limit", Spec{Kind: Sliding, Size: 4, Slide: 1, MaxPerRecord: 3}, "4 windows, more than 3"},
		{"a limit below zero", Spec{Kind: Fixed, Size: 4, MaxPerRecord: -3}, "may be in -3 windows"},
		{"a fixed window with a slide", Spec{Kind: Fixed, Size: 1, Slide: 1}, "has a slide"},
		{"a fixed window with a gap", Spec{Kind: Fixed, Size: 1, Gap: 1}, "has a gap"},
		{"a session without a gap", Spec{Kind: Session}, "gap 0s"},
		{"a session with a size", Spec{Kind: Session, Gap: 1, Size: 1}, "has a size"},
		{"a session with an offset", Spec{Kind: Session, Gap: 1, Offset: 1}, "has an offset"},
		{"a global window with a size", Spec{Kind: Global, Size: 1}, "has a size"},
		{"a lateness below zero", Spec{Kind: Global, Lateness: -1}, "lateness is -1ns"},
		{"early results below zero", Spec{Kind: Global, EveryRecords: -1}, "every -1 records"},
		{"early results at no time", Spec{Kind: Global, Every: -1}, "every -1ns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agg, _ := Builtin("count", 0)
			_, err := New(tt.spec, agg, nil, nil)
			var e *stream.Error
			if !errors.As(err, &e) || e.Code != stream.ConfigValue || e.Fix == "" || !strings.Contains(e.Why, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := (Spec{Kind: Sliding, Size: 10 * time.Second, Slide: 10 * time.Millisecond}).Validate(); err != nil {
		t.Error(err)
	}
}

// TestTimesFallIntoWindows names windows by the times of their boundaries.
func TestTimesFallIntoWindows(t *testing.T) {
	const first, last = math.MinInt64, math.MaxInt64
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixNano()
	}
	day := 24 * time.Hour
	tests := []struct {
		name       string
		spec       Spec
		t          int64
		start, end int64
	}{
		{"the first ns of a window", Spec{Kind: Fixed, Size: 10}, 20, 20, 30},
		{"the last ns of a window", Spec{Kind: Fixed, Size: 10}, 29, 20, 30},
		{"1970", Spec{Kind: Fixed, Size: time.Minute}, 0, 0, int64(time.Minute)},
		{"just before 1970", Spec{Kind: Fixed, Size: 10}, -1, -10, 0},
		{"a boundary before 1970", Spec{Kind: Fixed, Size: 10}, -10, -10, 0},
		{"1 ms", Spec{Kind: Fixed, Size: time.Millisecond}, at("2026-03-29T01:00:00.0019Z"), at("2026-03-29T01:00:00.001Z"), at("2026-03-29T01:00:00.002Z")},
		{"30 days", Spec{Kind: Fixed, Size: 30 * day}, at("1970-01-31T00:00:00Z"), at("1970-01-31T00:00:00Z"), at("1970-03-02T00:00:00Z")},
		{"a day in UTC", Spec{Kind: Fixed, Size: day}, at("2026-06-30T22:30:00Z"), at("2026-06-30T00:00:00Z"), at("2026-07-01T00:00:00Z")},
		{"a day two hours ahead", Spec{Kind: Fixed, Size: day, Offset: -2 * time.Hour}, at("2026-06-30T22:30:00Z"), at("2026-06-30T22:00:00Z"), at("2026-07-01T22:00:00Z")},
		{"a day five hours behind", Spec{Kind: Fixed, Size: day, Offset: 5 * time.Hour}, at("2026-06-30T04:59:59Z"), at("2026-06-29T05:00:00Z"), at("2026-06-30T05:00:00Z")},
		{"an offset of several sizes", Spec{Kind: Fixed, Size: 10, Offset: 33}, 2, -7, 3},
		{"the last minute of 2261", Spec{Kind: Fixed, Size: time.Minute}, at("2261-12-31T23:59:59Z"), at("2261-12-31T23:59:00Z"), at("2262-01-01T00:00:00Z")},
		{"an end beyond 2262", Spec{Kind: Fixed, Size: day}, last, last - last%int64(day), last},
		{"a start before 1677", Spec{Kind: Fixed, Size: day}, first, first, first - first%int64(day)},
		{"all that there is", Spec{Kind: Fixed, Size: last}, first + 1, first + 1, 0},
		{"the largest offset", Spec{Kind: Fixed, Size: last, Offset: last}, 5, 0, last},
		{"the smallest offset", Spec{Kind: Fixed, Size: 10, Offset: first}, 5, 2, 12},
		{"the newest that slides", Spec{Kind: Sliding, Size: 10, Slide: 4}, 9, 8, 18},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w, _ := tt.spec.newest(tt.t); w.Start != tt.start || w.End != tt.end {
				t.Errorf("%d is in [%d,%d), want [%d,%d)", tt.t, w.Start, w.End, tt.start, tt.end)
			}
		})
	}
}

// TestTheEndsOfTime folds records at the first and last times there are.
func TestTheEndsOfTime(t *testing.T) {
	const first, last = math.MinInt64, math.MaxInt64
	for _, spec := range []Spec{
		{Kind: Fixed, Size: 30 * 24 * time.Hour}, {Kind: Sliding, Size: 10 * time.Hour, Slide: 3 * time.Hour},
		{Kind: Session, Gap: time.Hour}, {Kind: Global}, {Kind: Fixed, Size: last, Lateness: last},
	} {
		w := newWorld(t, spec, count{})
		for range 2 {
			for _, at := range []int64{first, first + 1, -1, 0, 1, last - 1, last} {
				if w.add("k", at, "1") {
					t.Errorf("%+v: %d is late", spec, at)
				}
			}
		}
		w.advance(int64(endOfTime))
		if len(w.heard()) == 0 || len(w.store.values)+len(w.timers.set) > 0 {
			t.Errorf("%+v: left at the end: %v, %v", spec, w.store.values, w.timers.set)
		}
		if !w.add("k", last, "1") {
			t.Errorf("%+v: a record after the end of time is not late", spec)
		}
	}
}
