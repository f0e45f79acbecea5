package window

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/state"
)

const (
	benchKeys   = 1_000_000
	benchGroups = 128
)

// lane is the records of some groups, in the order they came.
type lane struct {
	groups  []state.Group
	records []Record
}

// benchRecords returns n records of random keys of 8 bytes, a microsecond apart,
// in parts by group as a vertex with so many lanes has them.
func benchRecords(n, lanes, keys int) []lane {
	parts := make([]lane, lanes)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		key := binary.BigEndian.AppendUint64(nil, random.Uint64N(uint64(keys)))
		g := state.GroupOf(key, benchGroups)
		l := &parts[int(g)%lanes]
		l.groups = append(l.groups, g)
		l.records = append(l.records, Record{Key: key, Time: int64(i) * 1000, Value: []byte("12")})
	}
	return parts
}

// editable is a store whose values may be written to.
type editable struct{ *state.Memory }

func (e editable) Edit(g state.Group, key []byte) ([]byte, bool) { return e.Value(g, key) }

func benchmark(b *testing.B, spec Spec, agg Aggregator, lanes, keys int, inPlace bool) {
	const n, rounds = 2_000_000, 4
	parts := benchRecords(n, lanes, keys)
	for b.Loop() {
		budget := state.NewBudget("bench", 0)
		memory, timers := state.NewMemory(benchGroups, budget), state.NewTimers(benchGroups, budget)
		var store Store = memory
		if inPlace {
			store = editable{memory}
		}
		var wait sync.WaitGroup
		for _, part := range parts {
			wait.Go(func() {
				o, err := New(spec, agg, store, timers)
				if err != nil {
					b.Error(err)
					return
				}
				for range rounds {
					for i := 0; i < len(part.records); i += 1000 {
						end := min(i+1000, len(part.records))
						if err := o.AddBatch(part.groups[i:end], part.records[i:end], noWatermark, nil, nil); err != nil {
							b.Error(err)
							return
						}
					}
				}
			})
		}
		wait.Wait()
		b.ReportMetric(float64(budget.Held())/float64(memory.Usage().Keys), "B/window")
	}
	b.ReportMetric(float64(b.N)*n*rounds/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n/rounds, "ns/record")
}

func BenchmarkCountFixed1Lane(b *testing.B) {
	benchmark(b, Spec{Kind: Fixed, Size: time.Hour}, count{}, 1, benchKeys, false)
}

func BenchmarkCountFixed2Lanes(b *testing.B) {
	benchmark(b, Spec{Kind: Fixed, Size: time.Hour}, count{}, 2, benchKeys, false)
}

func BenchmarkCountFixed2LanesInPlace(b *testing.B) {
	benchmark(b, Spec{Kind: Fixed, Size: time.Hour}, count{}, 2, benchKeys, true)
}

func BenchmarkSumFixed2Lanes(b *testing.B) {
	benchmark(b, Spec{Kind: Fixed, Size: time.Hour}, sum{}, 2, benchKeys, false)
}

func BenchmarkCountFixed1000Keys(b *testing.B) {
	benchmark(b, Spec{Kind: Fixed, Size: time.Second}, count{}, 1, 1000, false)
}

func BenchmarkCountSliding5(b *testing.B) {
	benchmark(b, Spec{Kind: Sliding, Size: 10 * time.Second, Slide: 2 * time.Second}, count{}, 1, 1000, false)
}

func BenchmarkCountSession(b *testing.B) {
	benchmark(b, Spec{Kind: Session, Gap: 100 * time.Millisecond}, count{}, 1, 100_000, false)
}

func BenchmarkAdvance(b *testing.B) {
	const n = 1_000_000
	parts := benchRecords(n, 1, benchKeys)
	results := 0
	for b.Loop() {
		b.StopTimer()
		budget := state.NewBudget("bench", 0)
		o, err := New(Spec{Kind: Fixed, Size: time.Hour}, count{}, state.NewMemory(benchGroups, budget), state.NewTimers(benchGroups, budget))
		if err != nil {
			b.Fatal(err)
		}
		if err := o.AddBatch(parts[0].groups, parts[0].records, noWatermark, nil, nil); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for g := range benchGroups {
			if err := o.Advance(state.Group(g), endOfTime, func(Result) { results++ }); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(results), "ns/result")
}

// TestNothingIsAllocatedPerRecord adds to windows that are there.
func TestNothingIsAllocatedPerRecord(t *testing.T) {
	for _, spec := range []Spec{{Kind: Fixed, Size: time.Hour}, {Kind: Sliding, Size: 10 * time.Second, Slide: 2 * time.Second}, {Kind: Session, Gap: time.Hour, EveryRecords: 3}, {Kind: Global}} {
		for name := range catalog {
			budget := state.NewBudget("test", 0)
			o, err := New(spec, builtin(t, name), state.NewMemory(1, budget), state.NewTimers(1, budget))
			if err != nil {
				t.Fatal(err)
			}
			results := 0
			emit := func(Result) { results++ }
			r := Record{Key: []byte("key"), Time: 5e9, Value: []byte("12"), Item: []byte("1")}
			got := testing.AllocsPerRun(100, func() {
				if _, err := o.Add(0, r, noWatermark, emit); err != nil {
					t.Fatal(err)
				}
			})
			if got > 0 && !(name == "topK" && spec.EveryRecords > 0) {
				t.Errorf("%s, %s: %v allocations", spec.Kind, name, got)
			}
		}
	}
}
