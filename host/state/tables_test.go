package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// noted are groups of two numbers each.
type noted [][]int64

func newNoted(groups int) noted {
	n := make(noted, groups)
	for g := range n {
		n[g] = []int64{math.MinInt64, 7}
	}
	return n
}

func (n noted) notes() Notes {
	return Notes{
		Fresh:  []int64{math.MinInt64, 7},
		Note:   func(g Group, to []int64) { copy(to, n[g]) },
		Recall: func(g Group, from []int64) { n[g] = slices.Clone(from) },
	}
}

func TestNotesComeBackAsTheyWere(t *testing.T) {
	from, to := newNoted(5), newNoted(5)
	from[1], from[4] = []int64{10, -3}, []int64{math.MinInt64, 8}
	a := NewTables(5, from.notes())
	f := a.Freeze(false)
	from[0][1] = 99 // after it
	var part []byte
	if err := f.Parts(func(table string, from, to int, full bool, entries int, data []byte) error {
		if table != "groups" || from != 0 || to != 5 || !full || entries != 2 || int64(len(data)) != f.Size() {
			t.Errorf("table %s, groups %d to %d, full: %v, %d entries in %d bytes, said %d", table, from, to, full, entries, len(data), f.Size())
		}
		part = bytes.Clone(data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.Release(true)
	to[2], to[4] = []int64{1, 1}, []int64{2, 2} // are not in the part, or others
	b := NewTables(5, to.notes())
	if err := b.Restore("groups", true, part); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(to), fmt.Sprint(noted{{math.MinInt64, 7}, {10, -3}, {math.MinInt64, 7}, {math.MinInt64, 7}, {math.MinInt64, 8}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if b.Reset(); fmt.Sprint(to) != fmt.Sprint(newNoted(5)) {
		t.Errorf("after Reset: %v", to)
	}
}

func TestTheEndOfTimeIsNotKept(t *testing.T) {
	from, to := newNoted(2), newNoted(2)
	from[0], from[1] = []int64{math.MaxInt64, math.MaxInt64}, []int64{math.MaxInt64, 7}
	n := from.notes()
	data, entries := n.encode(2)
	m := to.notes()
	if err := m.restore(2, data); err != nil || entries != 1 || to[0][0] != math.MinInt64 || to[0][1] != math.MaxInt64 {
		t.Errorf("%v of %d entries, %v", to, entries, err)
	}
}

func TestWhatIsNoPartOfAVertexIsRefusedAndChangesNothing(t *testing.T) {
	n := newNoted(3)
	n[0], n[2] = []int64{1, 2}, []int64{3, 4}
	a := NewTables(3, n.notes(), Table{"values", NewMemory(3, NewBudget("", 0))})
	good, _ := a.notes.encode(3)
	with := func(at int, b ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], b)
		return data
	}
	twice := with(notesHead+20, 0)
	before := fmt.Sprint(n)
	tests := []struct {
		name, table string
		full        bool
		data        []byte
		want        string
	}{
		{"another table", "timers", true, good, `"timers", which the vertex does not have`},
		{"not all of the groups", "groups", false, good, "not whole"},
		{"nothing", "groups", true, nil, "ends within its head"},
		{"another version", "groups", true, with(0, 2), "version of the table groups is 2"},
		{"another hash", "groups", true, with(1, 9), "hash version 9"},
		{"one number of a group", "groups", true, with(2, 1), "1 numbers of a group"},
		{"other groups", "groups", true, with(4, 4), "of 4 key groups, the vertex has 3"},
		{"more entries", "groups", true, with(8, 3), "40 bytes for 3 groups"},
		{"a byte less", "groups", true, good[:len(good)-1], "39 bytes for 2 groups"},
		{"a group that is not there", "groups", true, with(notesHead+20, 3), "group 3 of 3 out of order"},
		{"a group twice", "groups", true, twice, "group 0 of 3 out of order"},
		{"no part of a store", "values", true, good, "its version is 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := a.Restore(tt.table, tt.full, tt.data)
			if stream.CodeOf(err) != stream.StateCorrupt || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
	if after := fmt.Sprint(n); after != before {
		t.Errorf("%s, was %s", after, before)
	}
}

// TestAResetStoreIsAsANewOne holds it for what time it is and for the next views.
func TestAResetStoreIsAsANewOne(t *testing.T) {
	budget := NewBudget("", 0)
	m, timers := NewMemory(4, budget), NewTimers(4, budget)
	for i := range 100 {
		k := fmt.Append(nil, i)
		g := GroupOf(k, 4)
		if err := m.Put(g, k, k, 50); err != nil {
			t.Fatal(err)
		}
		if err := timers.Set(g, int64(i), k, nil); err != nil {
			t.Fatal(err)
		}
		m.Expire(g, 40)
	}
	take(t, m.Freeze(true), true)
	take(t, timers.Freeze(true), true)
	m.Reset()
	timers.Reset()
	if _, ok := timers.Next(); ok || budget.Held() != 0 || m.Usage().Keys != 0 {
		t.Errorf("%+v, %+v, %d bytes held", m.Usage(), timers.Usage(), budget.Held())
	}
	if err := m.Put(1, []byte("k"), []byte("v"), 10); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Value(1, []byte("k")); !ok {
		t.Error("the time of before has stayed")
	}
	for _, f := range []*Frozen{m.Freeze(false), timers.Freeze(false)} {
		for i, full := range f.full {
			if !full {
				t.Errorf("range %d builds on what was before", i)
			}
		}
		f.Release(false)
	}
}

// TestSizeIsAboutWhatPartsGive compares them, for all of a store and for changes.
func TestSizeIsAboutWhatPartsGive(t *testing.T) {
	m := NewMemory(16, NewBudget("", 0))
	for i := range 10_000 {
		k := fmt.Append(nil, "key", i)
		if err := m.Put(GroupOf(k, 16), k, bytes.Repeat([]byte("v"), 100), 0); err != nil {
			t.Fatal(err)
		}
	}
	hold := func(what string) {
		f, given := m.Freeze(false), int64(0)
		said := f.Size()
		if err := f.Parts(func(_, _ int, _ bool, _ int, data []byte) error {
			given += int64(len(data))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		f.Release(true)
		if said < given*3/4 || said > given*5/4 {
			t.Errorf("%s: %d bytes, said %d", what, given, said)
		}
	}
	hold("all")
	for i := range 500 {
		k := fmt.Append(nil, "key", i)
		if err := m.Put(GroupOf(k, 16), k, bytes.Repeat([]byte("w"), 100), 0); err != nil {
			t.Fatal(err)
		}
	}
	hold("changes")
	for i := range 300 {
		k := fmt.Append(nil, "key", i)
		m.Delete(GroupOf(k, 16), k)
	}
	hold("deletions")
}

// FuzzNotes holds that no bytes make the decoder of the table "groups" panic, and that
// what it takes is what it gives.
func FuzzNotes(f *testing.F) {
	const groups = 300
	n := newNoted(groups)
	n[0], n[255], n[299] = []int64{1, 2}, []int64{-1, math.MaxInt64}, []int64{5, 7}
	first := n.notes()
	good, _ := first.encode(groups)
	f.Add(good)
	f.Add(good[:notesHead])
	f.Add(binary.LittleEndian.AppendUint32(bytes.Clone(good), 299))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := newNoted(groups)
		notes := n.notes()
		if err := notes.restore(groups, data); err != nil {
			if stream.CodeOf(err) != stream.StateCorrupt || fmt.Sprint(n) != fmt.Sprint(newNoted(groups)) {
				t.Errorf("%v, and %v", err, n)
			}
			return
		}
		again, _ := notes.encode(groups)
		m := newNoted(groups)
		other := m.notes()
		if err := other.restore(groups, again); err != nil {
			t.Fatal(err)
		}
		for g := range n {
			if n[g][0] == math.MaxInt64 {
				n[g][0] = math.MinInt64
			}
		}
		if fmt.Sprint(n) != fmt.Sprint(m) {
			t.Errorf("%v comes back as %v", n, m)
		}
	})
}
