package window

import (
	"math/rand/v2"
	"testing"

	"github.com/wasmill/wasmill/host/state"
)

// TestWhatHasRoomIsNotRefused fills small budgets, in calls of ten records that have
// room made for them first.
func TestWhatHasRoomIsNotRefused(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: Fixed, Size: 100, Lateness: 50, Every: 7}, {Kind: Sliding, Size: 100, Slide: 30}, {Kind: Global, EveryRecords: 2}, {Kind: Session, Gap: 30},
	} {
		for seed := range uint64(3) {
			random := rand.New(rand.NewPCG(seed, 1))
			budget := state.NewBudget("test", 1<<20+int64(random.IntN(1<<18)))
			store, timers := state.NewMemory(1, budget), state.NewTimers(1, budget)
			o, err := New(spec, count{}, store, timers)
			if err != nil {
				t.Fatal(err)
			}
			folded := 0
			for now := int64(0); folded < 100_000; {
				var records []Record
				var room [4]int
				for range 10 {
					key := make([]byte, random.IntN(400))
					for i := range key {
						key[i] = byte(random.Uint32())
					}
					records = append(records, Record{Key: key, Time: now + random.Int64N(100)})
					a, b, c, d := spec.Room(len(key), countSize)
					room = [4]int{room[0] + a, room[1] + b, room[2] + c, room[3] + d}
				}
				if store.Reserve(0, room[0], room[1]) != nil || timers.Reserve(0, room[2], room[3]) != nil {
					break
				}
				for _, r := range records {
					if _, err := o.Add(0, r, watermark(now), func(Result) {}); err != nil {
						t.Fatalf("%s, after %d: %v", spec.Kind, folded, err)
					}
					folded++
				}
				store.Release(0)
				timers.Release(0)
				now += random.Int64N(3)
			}
			if folded < 100 || folded == 100_000 {
				t.Errorf("%s: %d records had room", spec.Kind, folded)
			}
		}
	}
}
