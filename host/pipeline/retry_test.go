package pipeline

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func never() float64 { return 0 }

func TestRetriesWaitLongerEachTimeUpToTheMost(t *testing.T) {
	tests := []struct {
		name  string
		retry Retry
		want  []time.Duration // after attempt 1, 2 …
	}{
		{"one attempt is no retry", Retry{1, time.Second, time.Minute}, nil},
		{"none set is no retry", Retry{}, nil},
		{"doubles", Retry{4, time.Second, time.Minute}, []time.Duration{1e9, 2e9, 4e9}},
		{"stops at the most", Retry{6, time.Second, 3 * time.Second}, []time.Duration{1e9, 2e9, 3e9, 3e9, 3e9}},
		{"the most is less than the first", Retry{3, time.Minute, time.Second}, []time.Duration{1e9, 1e9}},
		{"without a wait", Retry{3, 0, 0}, []time.Duration{0, 0}},
		{"without a first wait", Retry{3, 0, time.Second}, []time.Duration{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := newRetries[string](tt.retry, never)
			now := time.Unix(100, 0)
			for i, want := range tt.want {
				if !q.add("a", Limit{1, 5}, i+1, now) {
					t.Fatalf("attempt %d is the last", i+1)
				}
				due, ok := q.next()
				if !ok || due.Sub(now) != want {
					t.Errorf("after attempt %d: waits %v, want %v", i+1, due.Sub(now), want)
				}
				if _, _, ok := q.due(due.Add(-1)); ok {
					t.Errorf("after attempt %d: due too early", i+1)
				}
				now = due
				if _, attempt, ok := q.due(now); !ok || attempt != i+2 {
					t.Errorf("due for attempt %d, %v, want %d", attempt, ok, i+2)
				}
			}
			if q.add("a", Limit{1, 5}, len(tt.want)+1, now) {
				t.Errorf("attempt %d is not the last", len(tt.want)+1)
			}
			if q.len() != 0 || q.size() != (Limit{}) {
				t.Errorf("%d with %+v are left", q.len(), q.size())
			}
		})
	}
}

func TestRetriesCutAtMostHalfOfAWait(t *testing.T) {
	now := time.Unix(100, 0)
	for _, random := range []float64{0, 0.25, 0.999} {
		q := newRetries[int](Retry{3, 8 * time.Second, time.Minute}, func() float64 { return random })
		q.add(1, Limit{}, 1, now)
		due, _ := q.next()
		want := 8*time.Second - time.Duration(random*4e9)
		if got := due.Sub(now); got != want {
			t.Errorf("random %v: waits %v, want %v", random, got, want)
		}
	}
}

func TestRetriesOutlastTheLongestWait(t *testing.T) {
	q := newRetries[int](Retry{math.MaxInt, 1, math.MaxInt64}, never)
	now := time.Unix(100, 0)
	q.add(1, Limit{}, 1, now)
	q.due(now.Add(time.Second))
	for _, attempt := range []int{62, 63, 64, 1 << 40, math.MaxInt - 1} {
		q.add(2, Limit{}, attempt, now.Add(time.Hour))
		if _, _, ok := q.due(now.Add(50 * 365 * 24 * time.Hour)); ok {
			t.Errorf("attempt %d came back early", attempt)
		}
	}
}

func TestRetriesAgreeWithAListScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type waiting struct {
			id  int
			due time.Time
			n   Limit
		}
		var list []waiting
		now, made, draw := time.Unix(100, 0), 0, 0.0
		q := newRetries[int](Retry{5, time.Second, 5 * time.Second}, func() float64 { return draw })
		uncut := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				draw = rapid.Float64Range(0, 0.99).Draw(t, "random")
				n := Limit{rapid.IntRange(1, 9).Draw(t, "records"), rapid.IntRange(0, 99).Draw(t, "bytes")}
				attempt := rapid.IntRange(1, 6).Draw(t, "attempt")
				if took := q.add(made, n, attempt, now); took != (attempt < 5) {
					t.Fatalf("attempt %d of 5 taken: %v", attempt, took)
				} else if took {
					full := uncut[attempt-1]
					list = append(list, waiting{made, now.Add(full - time.Duration(draw*float64(full)/2)), n})
				}
				made++
			},
			"pass": func(t *rapid.T) { now = now.Add(time.Duration(rapid.Int64Range(0, 3e9).Draw(t, "ns"))) },
			"due": func(t *rapid.T) {
				for last := (time.Time{}); ; {
					id, _, ok := q.due(now)
					if !ok {
						break
					}
					i := slices.IndexFunc(list, func(w waiting) bool { return w.id == id })
					if i < 0 || list[i].due.After(now) || list[i].due.Before(last) {
						t.Fatalf("item %d at %v, of %v", id, now, list)
					}
					last = list[i].due
					list = slices.Delete(list, i, i+1)
				}
			},
			"": func(t *rapid.T) {
				var held Limit
				first := time.Time{}
				for _, w := range list {
					held.Records += w.n.Records
					held.Bytes += w.n.Bytes
					if first.IsZero() || w.due.Before(first) {
						first = w.due
					}
				}
				next, ok := q.next()
				if ok != (len(list) > 0) || (ok && !next.Equal(first)) || q.len() != len(list) || q.size() != held {
					t.Fatalf("next %v, %d items of %+v, want %v, %d and %+v", next, q.len(), q.size(), first, len(list), held)
				}
			},
		})
	})
}
