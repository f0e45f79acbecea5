package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/join"
	"github.com/wasmill/wasmill/host/state/statetest"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// Whatever has keys can be in a checkpoint.
var (
	_ stream.Durable = processed{}
	_ stream.Durable = folded{}
	_ stream.Durable = partitioned{}
	_ stream.Durable = (*window.Transform)(nil)
	_ stream.Durable = (*join.Transform)(nil)
)

// mixing is a guest that passes records through, with times that tell of all the
// records before: it keeps a number in each of 32 units of memory, clears some of them
// at times, and one in a global.
func mixing() []byte {
	const frame, count, record, entry, index, slot, low = 0, 1, 2, 3, 4, 5, 6
	const header, entries, slots = 0x3fff0, 0x40000, 0x80000
	var (
		getGlobal, setGlobal = []byte{0x23, 0}, []byte{0x24, 0}
		extend, add64, mul64 = abitest.Op(0xad), abitest.Op(0x7c), abitest.Op(0x7e)
		shl, rem, div        = abitest.Op(0x74), abitest.Op(0x70), abitest.Op(0x6e)
	)
	a := abitest.NewGuest()
	a.Global()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32, abitest.I32, abitest.I32, abitest.I32, abitest.I32, abitest.I32},
		abitest.Get(frame), abitest.Load(0), abitest.Set(count),
		abitest.Get(frame), abitest.Load(4), abitest.Set(record),
		abitest.Const(entries), abitest.Set(entry),
		abitest.Block(), abitest.Loop(),
		abitest.Get(index), abitest.Get(count), abitest.Op(abitest.LessU, abitest.Eqz), abitest.BrIf(1),
		abitest.Get(record), abitest.Load(0), abitest.Set(low),
		abitest.Get(low), abitest.Const(31), abitest.Op(abitest.And), abitest.Const(12), shl, abitest.Const(slots), abitest.Op(abitest.Add), abitest.Set(slot),
		abitest.Get(slot), abitest.Get(slot), abitest.Load(0), abitest.Get(low), abitest.Op(abitest.Add), abitest.Store(0),
		abitest.Get(low), abitest.Const(7), rem, abitest.Op(abitest.Eqz), abitest.If(),
		abitest.Get(slot), abitest.Const(0), abitest.Store(0), abitest.Op(abitest.End),
		getGlobal, abitest.Const64(3), mul64, abitest.Get(low), extend, add64, setGlobal,
		abitest.Get(entry), abitest.Get(record), abitest.Const(32), abitest.MemoryCopy(),
		abitest.Get(entry), abitest.Get(slot), abitest.Load(0), extend, getGlobal, add64, abitest.Store64(0),
		abitest.Get(entry), abitest.Get(index), abitest.Store(32),
		abitest.Get(entry), abitest.Const(0), abitest.Store(36),
		abitest.Get(entry), abitest.Const64(0), abitest.Store64(40),
		abitest.Get(entry), abitest.Const(abi.OutSize), abitest.Op(abitest.Add), abitest.Set(entry),
		abitest.Get(record), abitest.Const(abi.InSize), abitest.Op(abitest.Add), abitest.Set(record),
		abitest.Get(index), abitest.Const(1), abitest.Op(abitest.Add), abitest.Set(index),
		abitest.Br(0), abitest.Op(abitest.End), abitest.Op(abitest.End),
		abitest.Const(header), abitest.Get(entry), abitest.Const(-entries), abitest.Op(abitest.Add), abitest.Const(abi.OutSize), div, abitest.Store(0),
		abitest.Const(header), abitest.Const(entries), abitest.Store(4),
		abitest.Const(header))
	return a.Bytes()
}

// mixers returns how to make vertices of the guest mixing, with so many partitions.
func mixers(t *testing.T) func(t rapid.TB, n int) stream.Durable {
	g, err := builtWith(t, remembering, mixing(), 0)
	if err != nil {
		t.Fatal(err)
	}
	first := g.Vertices[1].Transform.(partitioned)
	t.Cleanup(func() {
		if err := first.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return func(t rapid.TB, n int) stream.Durable {
		parts, err := first.plugin.Partitions(context.Background(), wasm.Config{Vertex: "f", Tags: stream.NewTagTable()}, n)
		if err != nil {
			t.Fatal(err)
		}
		t.(interface{ Cleanup(func()) }).Cleanup(func() {
			if err := parts.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return partitioned{state.NewKeys(n, nil), newMemories("f", parts, n), parts, first.plugin}
	}
}

func planOf(fresh func(t rapid.TB, n int) stream.Durable) statetest.Plan {
	return statetest.Plan{
		Fresh: func(t *rapid.T) *statetest.Driver { return &statetest.Driver{Durable: fresh(t, 3), T: t} },
		Step: func(t *rapid.T) func(d *statetest.Driver) {
			key := rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(t, "key")
			var records []statetest.Record
			for range rapid.IntRange(1, 5).Draw(t, "records") {
				records = append(records, statetest.Record{Key: key, Time: int64(rapid.IntRange(1, 300).Draw(t, "time"))})
			}
			return func(d *statetest.Driver) { d.Take(0, records...) }
		},
		End:   func(d *statetest.Driver) { d.Until(stream.EndOfTime, math.MaxInt64) },
		Steps: 30,
		Loose: true,
	}
}

func TestPartitionsSurvive(t *testing.T) {
	plan := planOf(mixers(t))
	rapid.Check(t, func(t *rapid.T) { statetest.Survives(t, plan) })
}

func TestPartitionsWithstandDamage(t *testing.T) {
	plan := planOf(mixers(t))
	rapid.Check(t, func(t *rapid.T) { statetest.Withstands(t, plan) })
}

// partsOf reads a Frozen, and releases it.
func partsOf(t *testing.T, f stream.Frozen, saved bool) (parts []statetest.Part) {
	t.Helper()
	if err := f.Parts(func(table string, from, to int, full bool, _ int, data []byte) error {
		parts = append(parts, statetest.Part{Table: table, From: from, To: to, Full: full, Data: bytes.Clone(data)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.Release(saved)
	return parts
}

// list names parts: f of partition 0 if all of it, d if what changed, - if nothing.
func list(parts []statetest.Part) string {
	var all []string
	for _, p := range parts {
		what := "d"
		switch {
		case p.Full && len(p.Data) == memoryHead:
			what = "-"
		case p.Full:
			what = "f"
		}
		all = append(all, fmt.Sprint(what, p.From))
	}
	return strings.Join(all, " ")
}

func take(d stream.Durable, t testing.TB, part int, at int64) int64 {
	t.Helper()
	in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
	in.Append(at, nil, nil, nil)
	in.Records[0].Group = uint16(part)
	if err := d.In(t.Context(), in, &out); err != nil || out.Len() != 1 {
		t.Fatalf("%v, %d records", err, out.Len())
	}
	return out.Records[0].Time
}

func TestOnlyPartitionsThatChangedHaveParts(t *testing.T) {
	fresh := mixers(t)
	d := fresh(t, 3)
	hold := func(name, want string, full, saved bool) (parts []statetest.Part) {
		t.Helper()
		parts = partsOf(t, d.Freeze(full), saved)
		if got := list(parts); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		return parts
	}
	hold("first, not saved", "f0 -1 -2", false, false)
	chain := hold("first", "f0 -1 -2", false, true)
	hold("nothing has changed", "", false, true)
	take(d, t, 1, 5)
	hold("one has started, not saved", "f1", false, false)
	take(d, t, 0, 6)
	chain = append(chain, hold("and one has changed", "d0 f1", false, true)...)
	take(d, t, 1, 7)
	chain = append(chain, hold("another", "d1", false, true)...)
	chain = append(chain, hold("all is asked for", "f0 f1 -2", true, true)...)
	take(d, t, 1, 8)
	want := take(d, t, 1, 9)

	d = fresh(t, 3)
	if err := statetest.Restore(d, chain); err != nil {
		t.Fatal(err)
	}
	hold("what was restored is saved", "", false, true)
	take(d, t, 1, 8)
	chain = append(chain, hold("it builds on that", "d1", false, true)...)
	other := fresh(t, 3)
	if err := statetest.Restore(other, chain); err != nil {
		t.Fatal(err)
	}
	if a, b := take(d, t, 1, 9), take(other, t, 1, 9); a != want || b != want {
		t.Errorf("got %d and %d, want %d", a, b, want)
	}
}

// TestChainsOfPartitionsEnd holds that one does not grow for ever.
func TestChainsOfPartitionsEnd(t *testing.T) {
	d := mixers(t)(t, 1)
	longest, length := 0, 0
	for i := range 40 {
		take(d, t, 0, int64(1+i))
		if length++; list(partsOf(t, d.Freeze(false), true)) == "f0" {
			length = 0
		}
		longest = max(longest, length)
	}
	if longest < 2 || longest > 20 {
		t.Errorf("%d parts build on a full one", longest)
	}
}

func TestAPartitionIsBackAtItsBeginningAfterReset(t *testing.T) {
	fresh := mixers(t)
	d, other := fresh(t, 2), fresh(t, 2)
	want := []int64{take(d, t, 0, 5), take(d, t, 1, 6)}
	parts := partsOf(t, d.Freeze(false), true)
	if err := statetest.Restore(other, parts); err != nil {
		t.Fatal(err)
	}
	other.Reset()
	if err := other.Restored(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := list(partsOf(t, other.Freeze(false), true)); got != "-0 -1" {
		t.Errorf("after Reset: %q", got)
	}
	if got := []int64{take(other, t, 0, 5), take(other, t, 1, 6)}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

// brokenPartitions have started, and cannot be read.
type brokenPartitions struct{ broken map[int]bool }

var errBroken = errors.New("the guest does not come back")

func (b *brokenPartitions) Version(int) uint64 { return 3 }

func (b *brokenPartitions) Snapshot(_ context.Context, part int, _ uint64, dst []byte) ([]byte, error) {
	if b.broken[part] {
		return dst, errBroken
	}
	return append(dst, 1), nil
}

func (b *brokenPartitions) Restore(context.Context, int, ...[]byte) error { return errBroken }

func TestWhatGoesWrongInFreezeComesOutOfParts(t *testing.T) {
	b := &brokenPartitions{map[int]bool{1: true}}
	m := newMemories("f", b, 3)
	f := m.Freeze(false)
	if err := f.Parts(func(string, int, int, bool, int, []byte) error { return nil }); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	f.Release(true) // what was not given is not saved
	b.broken = nil
	f = m.Freeze(false)
	if err := f.Parts(func(_ string, from, _ int, _ bool, _ int, _ []byte) error {
		if from == 1 {
			return errBroken
		}
		return nil
	}); !errors.Is(err, errBroken) {
		t.Errorf("got %v of yield", err)
	}
	f.Release(true)
	if got := list(partsOf(t, m.Freeze(false), true)); got != "f0 f1 f2" {
		t.Errorf("got %q", got)
	}
	if err := m.Restore(memoryTable, true, append([]byte{memoryForm, 0, 0, 0, 0, 3, 0, 0, 0}, 1)); err != nil {
		t.Fatal(err)
	}
	if err := m.Restored(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Restored: %v", err)
	}
}

func TestPartsOfOtherPartitionsAreRefused(t *testing.T) {
	m := newMemories("f", &brokenPartitions{}, 3)
	head := func(form, part, of byte) []byte { return []byte{form, part, 0, 0, 0, of, 0, 0, 0} }
	tests := []struct {
		name, table string
		full        bool
		data        []byte
		code        stream.Code
		want        string
	}{
		{"another table", "groups", true, head(1, 0, 3), stream.StateCorrupt, `"groups"`},
		{"nothing", memoryTable, true, nil, stream.StateCorrupt, "within its head"},
		{"another form", memoryTable, true, head(2, 0, 3), stream.StateCorrupt, "form is 2"},
		{"a partition that is not there", memoryTable, true, head(1, 3, 3), stream.StateCorrupt, "partition 3 of 3"},
		{"more partitions", memoryTable, true, head(1, 2, 4), stream.StateForeign, "that of 4 partitions, not 3"},
		{"changes of nothing", memoryTable, false, append(head(1, 0, 3), 1), stream.StateCorrupt, "comes after nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Restore(tt.table, tt.full, tt.data); stream.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s with …%s…", err, tt.code, tt.want)
			}
		})
	}
	if err := m.Restore(memoryTable, true, head(1, 0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := m.Restore(memoryTable, false, head(1, 0, 3)); stream.CodeOf(err) != stream.StateCorrupt {
		t.Errorf("changes that are nothing: %v", err)
	}
}

// FuzzMemoryPart holds that no bytes make the decoder of a part panic.
func FuzzMemoryPart(f *testing.F) {
	f.Add([]byte{memoryForm, 1, 0, 0, 0, 3, 0, 0, 0, 7}, true)
	f.Fuzz(func(t *testing.T, data []byte, full bool) {
		m := newMemories("f", &brokenPartitions{}, 3)
		if err := m.Restore(memoryTable, full, data); err != nil && stream.CodeOf(err) != stream.StateCorrupt && stream.CodeOf(err) != stream.StateForeign {
			t.Errorf("got %v", err)
		}
	})
}
