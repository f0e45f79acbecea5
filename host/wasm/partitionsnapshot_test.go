package wasm

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func mustSnapshot(t testing.TB, parts *Partitions, part int, since uint64) []byte {
	t.Helper()
	data, err := parts.Snapshot(t.Context(), part, since, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAPartitionThatHasNotStartedIsNothing(t *testing.T) {
	p := loadFile(t, newEngine(t), remembering(t, "c"), DefaultLimits())
	parts := mustPartitions(t, p, Config{}, 3)
	if s := parts.Stats(); s.Instances != 1 {
		t.Errorf("%d instances before the first record", s.Instances)
	}
	if data := mustSnapshot(t, parts, 2, 0); len(data) != 0 || parts.Version(2) != 0 {
		t.Errorf("version %d in %d bytes", parts.Version(2), len(data))
	}
	mustSay(t, parts, 2, "a")
	if err := parts.Restore(t.Context(), 2, nil); err != nil || parts.Version(2) != 0 {
		t.Errorf("got %v, version %d", err, parts.Version(2))
	}
	if got := mustSay(t, parts, 2, "a"); got[0] != "a 1/1/0" {
		t.Errorf("got %q", got)
	}
}

func TestASnapshotHasWhatChangedAndNothingElse(t *testing.T) {
	parts := mustPartitions(t, loadFile(t, newEngine(t), remembering(t, "c"), DefaultLimits()), Config{}, 1)
	mustSay(t, parts, 0, "a")
	whole, before := mustSnapshot(t, parts, 0, 0), parts.Version(0)
	mustSay(t, parts, 0, "b")
	delta, version := mustSnapshot(t, parts, 0, before), parts.Version(0)
	if version <= before {
		t.Errorf("version %d after %d", version, before)
	}
	if again := mustSnapshot(t, parts, 0, before); !bytes.Equal(again, delta) || parts.Version(0) != version {
		t.Error("a snapshot changed something")
	}
	if none := mustSnapshot(t, parts, 0, version); len(none) > snapshotHead+8*8 {
		t.Errorf("%d bytes since the last call", len(none))
	}
	// The frame, the answer, the words, the heap and the stack.
	if units := len(delta) / unit; units > 8 || len(whole) < len(delta) {
		t.Errorf("one word changed %d units; whole %d bytes, changes %d", units, len(whole), len(delta))
	}
}

// TestWhatBecomesZeroIsRestoredAsZero has a byte that is set and cleared again.
func TestWhatBecomesZeroIsRestoredAsZero(t *testing.T) {
	e := newEngine(t)
	load := func() *Partitions { return mustPartitions(t, mustLoad(t, e, abitest.Identity()), Config{}, 1) }
	from, to := load(), load()
	set := func(b byte) {
		i := from.parts[0].live
		i.refresh()[3*PageSize+5] = b
		mustSay(t, from, 0, "x")
	}
	set(7)
	a, v := mustSnapshot(t, from, 0, 0), from.Version(0)
	set(0)
	b := mustSnapshot(t, from, 0, v)
	if err := to.Restore(t.Context(), 0, a); err != nil || to.parts[0].live.refresh()[3*PageSize+5] != 7 {
		t.Fatalf("the first: %v", err)
	}
	if err := to.Restore(t.Context(), 0, a, b); err != nil || to.parts[0].live.refresh()[3*PageSize+5] != 0 {
		t.Errorf("the second: %v", err)
	}
	here, there := from.parts[0].live, to.parts[0].live
	if !bytes.Equal(here.refresh(), there.refresh()) {
		t.Error("memories differ")
	}
	if here.arena != there.arena || here.room != there.room || here.room == 0 {
		t.Errorf("the arena is at %#x with %d bytes, and was at %#x with %d", there.arena, there.room, here.arena, here.room)
	}
}

// TestWhatAFreshInstanceStartsWithIsOverwritten clears what a data segment writes.
func TestWhatAFreshInstanceStartsWithIsOverwritten(t *testing.T) {
	m := abitest.NewGuest()
	m.Data(8, make([]byte, 16))
	m.Data(20*unit, []byte("from a data segment"))
	m.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	p := mustLoad(t, newEngine(t), m.Bytes())
	from, to := mustPartitions(t, p, Config{}, 1), mustPartitions(t, p, Config{}, 1)
	clear(from.parts[0].live.refresh()[20*unit:][:unit])
	mustSay(t, from, 0, "x")
	if err := to.Restore(t.Context(), 0, mustSnapshot(t, from, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if got := to.parts[0].live.refresh()[20*unit]; got != 0 {
		t.Errorf("got %q", got)
	}
}

// TestSnapshotsOfSomethingElseAreRefused changes one thing after the other, and
// nothing of what the partition remembers.
func TestSnapshotsOfSomethingElseAreRefused(t *testing.T) {
	e := newEngine(t)
	p := loadFile(t, e, remembering(t, "c"), DefaultLimits())
	parts := mustPartitions(t, p, Config{}, 2)
	mustSay(t, parts, 0, "a", "hoard")
	good, first := mustSnapshot(t, parts, 0, 0), parts.Version(0)
	mustSay(t, parts, 0, "b")
	delta := mustSnapshot(t, parts, 0, first)
	le := binary.LittleEndian
	with := func(at int, bytes ...byte) []byte {
		data := slices.Clone(good)
		copy(data[at:], bytes)
		return data
	}
	u32 := func(v uint32) []byte { return le.AppendUint32(nil, v) }
	globals := snapshotHead + 8*len(p.globals)
	tests := []struct {
		name  string
		chain [][]byte
		code  stream.Code
		want  string
	}{
		{"one cut in its head", [][]byte{good[:snapshotHead-1]}, stream.StateCorrupt, "ends within its head"},
		{"more globals than bytes", [][]byte{with(snapshotHead-4, u32(1<<30)...)}, stream.StateCorrupt, "within its globals"},
		{"one cut in a run", [][]byte{good[:len(good)-1]}, stream.StateCorrupt, "ends within a run"},
		{"another form", [][]byte{with(0, 9)}, stream.StateCorrupt, "form is 9"},
		{"another build", [][]byte{with(1, 0xaa)}, stream.StateForeign, "another build of the plugin, aa"},
		{"other params", [][]byte{with(33, 1, 2, 3)}, stream.StateForeign, "other params"},
		{"another partition", [][]byte{with(65, 1)}, stream.StateForeign, "partition 1 of 2, not 0 of 2"},
		{"another number of partitions", [][]byte{with(69, 3)}, stream.StateForeign, "write partitions: 3"},
		{"too many pages", [][]byte{with(89, u32(70_000)...)}, stream.StateCorrupt, "70000 pages"},
		{"more memory than the limit", [][]byte{with(89, u32(60_000)...)}, stream.StateFull, "set limits.memory of the vertex to 3840000KiB"},
		{"an arena outside", [][]byte{with(93, u32(0xfffffff8)...)}, stream.StateCorrupt, "input arena"},
		{"random numbers without a state", [][]byte{with(117, []byte("readbuf:\xff")...)}, stream.StateCorrupt, "random numbers"},
		{"a run outside", [][]byte{with(globals, u32(1<<30)...)}, stream.StateCorrupt, "a run of"},
		{"changes alone", [][]byte{delta}, stream.StateCorrupt, "comes after version 0"},
		{"two whole ones", [][]byte{good, good}, stream.StateCorrupt, "since version 0, and comes after"},
		{"changes twice", [][]byte{good, delta, delta}, stream.StateCorrupt, "version 3 comes after version 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := parts.Restore(t.Context(), 0, tt.chain...)
			if stream.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s with …%s…", err, tt.code, tt.want)
			}
		})
	}
	if got := mustSay(t, parts, 0, "a"); got[0] != "a 2/3/1" {
		t.Errorf("got %q after all that", got)
	}
	if err := parts.Restore(t.Context(), 0, good, delta); err != nil {
		t.Fatal(err)
	}
	if got := mustSay(t, parts, 0, "a"); got[0] != "a 2/3/1" {
		t.Errorf("got %q after restoring", got)
	}
	other := mustPartitions(t, loadFile(t, e, remembering(t, "rust"), DefaultLimits()), Config{}, 2)
	if err := other.Restore(t.Context(), 0, good); stream.CodeOf(err) != stream.StateForeign {
		t.Errorf("another plugin: %v", err)
	}
}

// FuzzParseSnapshot holds that no bytes make the decoder panic or allocate beyond
// their own number, and that what it accepts lies inside of memory, in order.
func FuzzParseSnapshot(f *testing.F) {
	fresh := newWASI()
	random, err := fresh.random.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	memory := make([]byte, PageSize)
	memory[2*unit], memory[5*unit], memory[6*unit] = 1, 2, 3
	p := &partition{shadow: shadow{version: 5, bytes: memory, found: []uint64{5, 5, 3, 5, 2, 5, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0}, mind: mind{globals: []uint64{7, 8}}}}
	copy(p.shadow.random[:], random)
	parts := &Partitions{employer: employer{plugin: &Plugin{Hash: strings.Repeat("ab", 32)}}, parts: make([]partition, 1)}
	whole := parts.encode(p, 0, nil)
	f.Add(whole)
	f.Add(parts.encode(p, 3, nil))
	f.Add(whole[:snapshotHead])
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseSnapshot(data)
		if err != nil {
			if stream.CodeOf(err) != stream.StateCorrupt {
				t.Errorf("got %v", err)
			}
			return
		}
		if 8*len(d.globals) > len(data) {
			t.Errorf("%d globals of %d bytes", len(d.globals), len(data))
		}
		next := 0
		if err := d.each(func(first, count int, content []byte) {
			if first < next || count < 1 || (first+count)*unit > d.memory || content != nil && len(content) != count*unit {
				t.Errorf("run of %d from %d after %d", count, first, next)
			}
			next = first + count
		}); err != nil {
			t.Errorf("accepted, and then %v", err)
		}
	})
}

// FuzzRestore has a partition take any bytes: all of them or nothing.
func FuzzRestore(f *testing.F) {
	parts := mustPartitions(f, mustLoad(f, newEngine(f), abitest.Identity()), Config{}, 1)
	mustSay(f, parts, 0, "a")
	good := mustSnapshot(f, parts, 0, 0)
	f.Add(good)
	f.Add(good[:snapshotHead+8*len(parts.plugin.globals)])
	f.Fuzz(func(t *testing.T, data []byte) {
		before := mustSnapshot(t, parts, 0, 0)
		if err := parts.Restore(t.Context(), 0, data); err != nil {
			if after := mustSnapshot(t, parts, 0, 0); !bytes.Equal(before, after) {
				t.Error("a snapshot that was refused changed the partition")
			}
		} else if again := mustSnapshot(t, parts, 0, 0); len(data) > 0 && parts.Version(0) == 0 || len(again) > len(data)+runHead {
			t.Errorf("%d bytes restored give %d", len(data), len(again))
		}
		if err := parts.Restore(t.Context(), 0, good); err != nil {
			t.Fatal(err)
		}
	})
}
