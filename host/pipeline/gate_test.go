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

// tally counts records by key in windows of ten, as naively as can be.
type tally struct {
	t      *testing.T
	pace   int
	groups []map[string]map[int64]int // by key and start
	used   []bool                     // for finding two goroutines in one group
}

func newTally(t *testing.T, groups, pace int) *tally {
	y := &tally{t: t, pace: pace, used: make([]bool, groups)}
	for range groups {
		y.groups = append(y.groups, map[string]map[int64]int{})
	}
	return y
}

func (y *tally) Groups() int { return len(y.groups) }

func (y *tally) Key(b *stream.Batch, i int) ([]byte, bool) {
	return b.Key(i), string(b.Value(i)) != "13"
}

func (y *tally) Group(key []byte) int {
	n, err := strconv.Atoi(string(key))
	if err != nil {
		panic(err)
	}
	return n % len(y.groups)
}

func (y *tally) enter(group int) func() {
	if y.used[group] {
		y.t.Errorf("two calls at once for group %d", group)
	}
	y.used[group] = true
	time.Sleep(time.Duration(group*y.pace%3000) * time.Microsecond)
	return func() { y.used[group] = false }
}

func (y *tally) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without a group")
}

func (y *tally) In(_ context.Context, group int, in *stream.Batch, out *stream.Output) error {
	defer y.enter(group)()
	for i, r := range in.Records {
		if r.Port == stream.NoKey {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "no key"})
		}
	}
	if len(out.Failures) > 0 {
		return nil
	}
	for i, r := range in.Records {
		key := string(in.Key(i))
		if y.groups[group][key] == nil {
			y.groups[group][key] = map[int64]int{}
		}
		y.groups[group][key][r.Time/10*10]++
	}
	return nil
}

func (y *tally) Due(group int) (at stream.Watermark, ok bool) {
	at = stream.EndOfTime
	for _, windows := range y.groups[group] {
		for start := range windows {
			at, ok = min(at, stream.Watermark(start+10)), true
		}
	}
	return at, ok
}

func (y *tally) Advance(_ context.Context, group int, upTo stream.Watermark, out *stream.Output) error {
	defer y.enter(group)()
	for key, windows := range y.groups[group] {
		for start, n := range windows {
			if stream.Watermark(start+10) > upTo {
				continue
			}
			delete(windows, start)
			out.Append(start+9, nil, fmt.Appendf(nil, "%s@%d=%d", key, start, n), nil)
			out.Records[out.Len()-1].Source = stream.NoSource
			return nil // one at a time
		}
	}
	y.t.Errorf("nothing is due in group %d at %d", group, upTo)
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
				v.OnError = OnErrorDrop
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
				if !slices.Contains(in.acked, count) {
					t.Errorf("acknowledged %v of %d", in.acked, count)
				}
			})
		})
	}
}
