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
			store, timers := newMemory(1, budget), state.NewTimers(1, budget)
			o, err := New(spec, count{}, store, timers)
			if err != nil {
				t.Fatal(err)
			}
			folded := 0
			for now := int64(0); folded < 100_000; {
				var records []Record
				var need room
				for range 10 {
					key := make([]byte, random.IntN(400))
					for i := range key {
						key[i] = byte(random.Uint32())
					}
					records = append(records, Record{Key: key, Time: now + random.Int64N(100)})
					a, b, c := spec.Room(len(key), countSize)
					need.windows.add(a)
					need.members.add(b)
					need.timers.add(c)
				}
				if store.reserve(0, need.windows, need.members) != nil || timers.Reserve(0, need.timers.Entries, need.timers.Bytes) != nil {
					break
				}
				for _, r := range records {
					if _, err := o.Add(0, r, watermark(now), func(Result) {}); err != nil {
						t.Fatalf("%s, after %d: %v", spec.Kind, folded, err)
					}
					folded++
				}
				store.release(0)
				timers.Release(0)
				now += random.Int64N(3)
			}
			if folded < 100 || folded == 100_000 {
				t.Errorf("%s: %d records had room", spec.Kind, folded)
			}
		}
	}
}
