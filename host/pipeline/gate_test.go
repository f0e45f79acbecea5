package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// tally counts records by key in windows of ten, as naively as can be. What is due
// in odd groups it handles like a record, which fails at first.
type tally struct {
	t      *testing.T
	pace   int
	groups []map[string]map[int64]int // by key and start
	tried  []map[string]bool          // by group: results that failed once
	used   []bool                     // for finding two goroutines in one group
}

func newTally(t *testing.T, groups, pace int) *tally {
	y := &tally{t: t, pace: pace, used: make([]bool, groups)}
	for range groups {
		y.groups, y.tried = append(y.groups, map[string]map[int64]int{}), append(y.tried, map[string]bool{})
	}
	return y
}

func (y *tally) Groups() int { return len(y.groups) }

func (y *tally) Key(b *stream.Batch, i int) ([]byte, bool) {
	return append([]byte("+"), b.Key(i)...), string(b.Value(i)) != "13" // not what the record says
}

func (y *tally) Group(key []byte) int {
	n, err := strconv.Atoi(string(key))
	if err != nil {
		panic(err)
	}
	return n % len(y.groups)
}

// enter says that a call has groups for a while.
func (y *tally) enter(groups ...int) func() {
	for _, g := range groups {
		if y.used[g] {
			y.t.Errorf("two calls at once for group %d", g)
		}
		y.used[g] = true
	}
	time.Sleep(time.Duration(groups[0]*y.pace%3000) * time.Microsecond)
	return func() {
		for _, g := range groups {
			y.used[g] = false
		}
	}
}

func (y *tally) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without groups")
}

func (y *tally) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	var groups []int
	for _, r := range in.Records {
		if g := int(r.Group); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	defer y.enter(groups...)()
	for i, r := range in.Records {
		switch r.Port {
		case stream.NoKey:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "no key"})
		case stream.EventTimer:
			if what := string(in.Value(i)); !y.tried[r.Group][what] {
				y.tried[r.Group][what] = true
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "not now"})
			}
		default:
			if g := y.Group(in.Key(i)); g != int(r.Group) {
				y.t.Errorf("key %s comes in group %d", in.Key(i), r.Group)
			}
		}
	}
	if len(out.Failures) > 0 {
		return nil
	}
	for i, r := range in.Records {
		if r.Port == stream.EventTimer {
			out.AppendFrom(in, i)
			continue
		}
		key, group := string(in.Key(i)[1:]), y.groups[r.Group]
		if group[key] == nil {
			group[key] = map[int64]int{}
		}
		group[key][r.Time/10*10]++
	}
	return nil
}

func (y *tally) Due(from, to int) (at stream.Watermark, ok bool) {
	at = stream.EndOfTime
	for g := from; g < to; g++ {
		if y.used[g] {
			y.t.Errorf("asked what is due in group %d during a call", g)
		}
		for _, windows := range y.groups[g] {
			for start := range windows {
				at, ok = min(at, stream.Watermark(start+10)), true
			}
		}
	}
	return at, ok
}

func (y *tally) Alarm(int, int) (int64, bool) { return 0, false }

func (y *tally) Advance(_ context.Context, from, to int, until stream.Watermark, _ int64, in *stream.Batch, out *stream.Output) error {
	groups := upTo(to)[from:]
	defer y.enter(groups...)()
	left := 3 // at a time
	for _, g := range groups {
		for key, windows := range y.groups[g] {
			for start, n := range windows {
				if stream.Watermark(start+10) > until || left == 0 {
					continue
				}
				delete(windows, start)
				b := out.Batch
				if g%2 == 1 {
					b = in
				}
				b.Append(start+9, nil, fmt.Appendf(nil, "%s@%d=%d", key, start, n), nil)
				r := &b.Records[b.Len()-1]
				r.Source, r.Port, r.Group = stream.NoSource, stream.EventTimer, uint16(g)
				left--
			}
		}
	}
	if left == 3 {
		y.t.Errorf("nothing is due in groups %d to %d at %d", from, to, until)
	}
	return nil
}

func (y *tally) Close(context.Context) error { return nil }

// inTime is a sink that minds the watermark.
type inTime struct {
	collect
	t *testing.T
}

func (s *inTime) Write(ctx context.Context, b *stream.Batch) error {
	for i, r := range b.Records {
		if stream.Watermark(r.Time) < b.Watermark {
			s.t.Errorf("%s comes after watermark %d", b.Value(i), b.Watermark)
		}
	}
	return s.collect.Write(ctx, b)
}

func TestWhatIsDueLeavesBeforeTheWatermark(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 5))
				count, keys := 1+rng.IntN(2000), 1+rng.IntN(50)
				in := &withKeys{numbers{count: count, batch: 1 + rng.IntN(100)}, keys}
				v, a := udf("x", 1+rng.IntN(8), newTally(t, 1+rng.IntN(16), rng.IntN(3000))), &inTime{t: t}
				v.OnError, v.Retry = OnErrorDrop, Retry{Attempts: 2, Backoff: time.Millisecond, MaxBackoff: time.Millisecond}
				v.Call.Records = 1 + rng.IntN(50)
				if rng.IntN(2) == 0 {
					v.Output = Limit{1 + rng.IntN(10), 1 << 20}
					v.Processing = Limit{1 + rng.IntN(100), 1 << 20}
				}
				p := mustNew(t, graph([]Vertex{source("in", in), v, sink("a", a)}, "in x", "x a"), Hooks{})
				done := make(chan error)
				go func() { done <- p.Run(t.Context(), nil) }()
				for running := true; running; {
					select {
					case err := <-done:
						if err != nil {
							t.Fatal(err)
						}
						running = false
					case <-time.After(10 * time.Millisecond):
						if rng.IntN(3) == 0 {
							p.Inject(&stream.Barrier{Epoch: 1})
						}
						if rng.IntN(3) == 0 {
							v.Concurrency = 1 + rng.IntN(8)
							p.Adjust(&v)
						}
					}
				}
				want := map[string]int{}
				for n := range count {
					if n != 13 {
						want[fmt.Sprintf("%d@%d", n%keys, n/10*10)]++
					}
				}
				for _, v := range a.values {
					window, n, _ := strings.Cut(v, "=")
					if strconv.Itoa(want[window]) != n {
						t.Errorf("got %s, want %d", v, want[window])
					}
					delete(want, window)
				}
				if len(want) > 0 {
					t.Errorf("%d windows are missing", len(want))
				}
				if count > 13 && p.Stats()[1].Dropped[DroppedError] != 1 {
					t.Errorf("dropped %v, want the one without a key", p.Stats()[1].Dropped)
				}
				if k := p.transforms[0].in.keys; k.pending != (Limit{}) {
					t.Errorf("%+v is pending in the end", k.pending)
				}
				if !slices.Contains(in.acked, count) {
					t.Errorf("acknowledged %v of %d", in.acked, count)
				}
			})
		})
	}
}
