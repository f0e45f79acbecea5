package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// TestABatchIsItsRecordsOneByOne folds the same records in batches into a store
// that finds many keys at once, and one by one into one that knows nothing but Value
// and Put. Calls take several groups.
func TestABatchIsItsRecordsOneByOne(t *testing.T) {
	specs := []Spec{
		{Kind: Fixed, Size: 50}, {Kind: Fixed, Size: 50, Lateness: 30, EveryRecords: 3}, {Kind: Fixed, Size: 50, Every: 20},
		{Kind: Global, EveryRecords: 5}, {Kind: Sliding, Size: 50, Slide: 20}, {Kind: Session, Gap: 4 * time.Nanosecond},
	}
	const groups = 4
	for _, spec := range specs {
		for _, name := range []string{"count", "sum", "topK", "distinct"} {
			t.Run(fmt.Sprint(spec, " ", name), func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(len(name))))
				agg := builtin(t, name)
				budget := state.NewBudget("test", 0)
				batched, err := New(spec, agg, state.NewMemory(groups, budget), state.NewTimers(groups, budget))
				if err != nil {
					t.Fatal(err)
				}
				single, err := New(spec, agg, newStore(), newTimers())
				if err != nil {
					t.Fatal(err)
				}
				var got, want []string
				say := func(to *[]string) func(Result) {
					return func(r Result) { *to = append(*to, string(r.AppendJSON(nil, name))) }
				}
				for now := int64(0); now < 600; now += random.Int64N(40) {
					var in []state.Group
					var records []Record
					for range random.IntN(200) {
						n := random.IntN(1 + random.IntN(100))
						key, value := fmt.Append(nil, "key ", n), fmt.Append(nil, random.IntN(300)*random.IntN(300))
						if random.IntN(300) == 0 {
							value = []byte("x")
						}
						in = append(in, state.GroupOf(key, groups))
						records = append(records, Record{Key: key, Time: now - 60 + random.Int64N(100), Value: value, Item: value})
					}
					if err := batched.AddBatch(in, records, stream.Watermark(now), func(i int, err error) { got = append(got, fmt.Sprint(now, i, err)) }, say(&got)); err != nil {
						t.Fatal(err)
					}
					for i, r := range records {
						late, err := single.Add(in[i], r, stream.Watermark(now), say(&want))
						if late || err != nil {
							want = append(want, fmt.Sprint(now, i, err))
						}
					}
					for g := range state.Group(groups) {
						for o, to := range map[*Operator]*[]string{batched: &got, single: &want} {
							if err := o.Advance(g, stream.Watermark(now), say(to)); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				if !slices.Equal(got, want) || len(got) < 100 {
					t.Errorf("%d results, want %d", len(got), len(want))
				}
			})
		}
	}
}
