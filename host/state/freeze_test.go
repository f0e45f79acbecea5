package state

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// taken is what a view gives.
type taken struct {
	parts          []savedPart
	bytes, entries int
	full           int // ranges that give all of them
}

func take(t testing.TB, f *Frozen, saved bool) (all taken) {
	err := f.Parts(func(from, to int, full bool, entries int, data []byte) error {
		all.parts = append(all.parts, savedPart{from, to, full, bytes.Clone(data)})
		all.bytes, all.entries, all.full = all.bytes+len(data), all.entries+entries, all.full+btoi(full)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Release(saved)
	return all
}

// hundreds returns a store of values of 100 bytes.
func hundreds(t testing.TB, keys int) *Memory {
	m := NewMemory(DefaultGroups, NewBudget("", 0))
	rewrite(t, m, keys, 1, 'a')
	return m
}

// rewrite puts a new value of the same size to each key whose number is a multiple of one.
func rewrite(t testing.TB, m *Memory, keys, each int, with byte) {
	value := bytes.Repeat([]byte{with}, 100)
	var key [8]byte
	for i := 0; i < keys; i += each {
		k := numbered(key[:], i)
		if err := m.Put(GroupOf(k, DefaultGroups), k, value, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsNotedBeforeTheFirstFreeze(t *testing.T) {
	m := hundreds(t, 1000)
	m.Delete(0, []byte("k"))
	for g := range m.groups {
		if m.groups[g].arena.track != nil {
			t.Fatalf("changes of group %d are noted", g)
		}
	}
	if n := m.budget.copies.Load(); n != 0 {
		t.Errorf("%d bytes are held for nothing", n)
	}
}

func TestAHundredthOfTheKeysIsAHundredthOfTheBytes(t *testing.T) {
	const keys = 60_000
	m := hundreds(t, keys)
	all := take(t, m.Freeze(false), true)
	if all.full != defaultRanges || all.entries != keys || all.bytes > keys*(8+100+4)+10_000 {
		t.Fatalf("the first view gives %d bytes of %d entries, %d full ranges", all.bytes, all.entries, all.full)
	}
	rewrite(t, m, keys, 100, 'b')
	some := take(t, m.Freeze(false), true)
	if some.full != 0 || some.entries != keys/100 || some.bytes*100 > 3*all.bytes {
		t.Errorf("a hundredth takes %d bytes of %d in %d entries and %d full ranges", some.bytes, all.bytes, some.entries, some.full)
	}
	if none := take(t, m.Freeze(false), true); none.parts != nil {
		t.Errorf("no change is %d entries in %d parts", none.entries, len(none.parts))
	}
}

func TestTimersThatMoveInTheHeapAreNoChange(t *testing.T) {
	const n = 10_000
	timers := NewTimers(1, NewBudget("", 0))
	for i := range n {
		_ = timers.Set(0, int64(1000+i*7919%n), fmt.Append(nil, "key of a timer ", i), nil)
	}
	all := take(t, timers.Freeze(false), true)
	for i := range 100 {
		if _, _, _, ok := timers.Due(0, 1<<40); !ok {
			t.Fatal("none is due")
		}
		_ = timers.Set(0, int64(i), fmt.Append(nil, "key of a new timer ", i), nil)
	}
	some := take(t, timers.Freeze(false), true)
	if all.entries != n || some.full != 0 || some.entries > 250 || some.bytes*100 > 3*all.bytes {
		t.Errorf("200 changes are %d entries of %d bytes among %d of %d", some.entries, some.bytes, all.entries, all.bytes)
	}
}

func TestWhatIsNotSavedComesAgain(t *testing.T) {
	const keys = 10_000
	m := hundreds(t, keys)
	chain := take(t, m.Freeze(true), true).parts
	for round := range 5 {
		rewrite(t, m, keys, 90+round, byte('b'+round))
		m.Delete(GroupOf(numbered(make([]byte, 8), 7*round+1), DefaultGroups), numbered(make([]byte, 8), 7*round+1))
		take(t, m.Freeze(round == 3), false)
	}
	f := m.Freeze(false)
	f.Release(true) // without having been read
	last := take(t, m.Freeze(false), true)
	if last.full != 0 || last.entries < 500 || last.entries > 700 {
		t.Errorf("%d entries, %d full ranges", last.entries, last.full)
	}
	again := NewMemory(DefaultGroups, NewBudget("", 0))
	for _, p := range chainOf(chain, last.parts...) {
		if err := again.Restore(p.data); err != nil {
			t.Fatal(err)
		}
	}
	for g := range Group(DefaultGroups) {
		if got, want := strings.Join(listOf(again, g, "", keys), ""), strings.Join(listOf(m, g, "", keys), ""); got != want {
			t.Errorf("group %d is %.100q, was %.100q", g, got, want)
		}
	}
}

func TestChainsOfPartsEnd(t *testing.T) {
	const keys = 20_000
	change := func(m *Memory, each int) taken {
		rewrite(t, m, keys, each, 'c')
		return take(t, m.Freeze(false), true)
	}
	most := func(m *Memory, _ int) taken { // two of five
		rewrite(t, m, keys*2/5, 1, 'c')
		return take(t, m.Freeze(false), true)
	}
	remove := func(m *Memory, each int) taken {
		for i := 0; i < keys; i += each {
			k := numbered(make([]byte, 8), i)
			m.Delete(GroupOf(k, DefaultGroups), k)
		}
		return take(t, m.Freeze(false), true)
	}
	for _, test := range []struct {
		name   string
		each   int // one of so many keys changes
		do     func(*Memory, int) taken
		deltas int // views until one is full
	}{
		{"after ten changes of a few", 100, change, 10},
		{"once the changes take more than all", 0, most, 3},
		{"when most was changed", 1, change, 0},
		{"when most was deleted", 1, remove, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := hundreds(t, keys)
			take(t, m.Freeze(false), true)
			for i := range test.deltas {
				if got := test.do(m, test.each); got.full != 0 {
					t.Fatalf("view %d has %d full ranges", i, got.full)
				}
			}
			if got := test.do(m, test.each); got.full != defaultRanges {
				t.Errorf("view %d has %d full ranges of %d", test.deltas, got.full, defaultRanges)
			}
		})
	}
}

// TestKeysThatComeAndGoAreNotNotedForEver deletes far more than there is.
func TestKeysThatComeAndGoAreNotNotedForEver(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	take(t, m.Freeze(true), true)
	for i := range 100_000 {
		_ = m.Put(0, fmt.Append(nil, i), nil, 0)
		m.Delete(0, fmt.Append(nil, i))
		if n := m.history.copies.Load(); n > 10_000 {
			t.Fatalf("%d deletions are noted in %d bytes", i, n)
		}
	}
	if got := take(t, m.Freeze(false), true); got.full != 1 || got.entries != 0 {
		t.Errorf("%d entries, %d full", got.entries, got.full)
	}
	m.sound(t)
}

// TestPartsAreOfTheirSize gives a range that is larger than a part, with an entry
// that is too.
func TestPartsAreOfTheirSize(t *testing.T) {
	m := NewMemory(2, NewBudget("", 0))
	m.Split(1)
	for i := range 20 {
		_ = m.Put(Group(i%2), fmt.Append(nil, i), make([]byte, 1<<20), 0)
	}
	_ = m.Put(1, []byte("large"), make([]byte, 9<<20), 0)
	got := take(t, m.Freeze(true), true)
	for i, p := range got.parts {
		if p.full != (i == 0) || (len(p.data) > partSize && len(p.data) < 9<<20) {
			t.Errorf("part %d: %d bytes, full: %v", i, len(p.data), p.full)
		}
	}
	if len(got.parts) < 4 || len(got.parts) > 6 {
		t.Errorf("%d parts", len(got.parts))
	}
}

// TestRestoredRangesGoOn restores a store with the same ranges, and with others.
func TestRestoredRangesGoOn(t *testing.T) {
	const keys = 10_000
	parts := take(t, hundreds(t, keys).Freeze(true), true).parts
	for _, test := range []struct {
		name         string
		ranges, full int
	}{{"the same ranges go on", defaultRanges, 0}, {"others begin anew", 4, 4}} {
		t.Run(test.name, func(t *testing.T) {
			m := NewMemory(DefaultGroups, NewBudget("", 0))
			m.Split(test.ranges)
			var at sync.WaitGroup
			for _, p := range parts {
				at.Go(func() {
					if err := m.Restore(p.data); err != nil {
						t.Error(err)
					}
				})
			}
			at.Wait()
			m.sound(t)
			rewrite(t, m, keys, 100, 'd')
			if got := take(t, m.Freeze(false), true); got.full != test.full || (test.full == 0 && got.entries != keys/100) {
				t.Errorf("%d full ranges, %d entries", got.full, got.entries)
			}
		})
	}
}

// TestFarTooMuchIsRefused restores into a budget that is a little small, and one that is far too small.
func TestFarTooMuchIsRefused(t *testing.T) {
	m := hundreds(t, 20_000)
	parts, held := take(t, m.Freeze(true), true).parts, m.budget.held.Load()
	for _, test := range []struct {
		max   int64
		taken bool
	}{{held * 9 / 10, true}, {m.Usage().Bytes / 2, false}} {
		small := NewMemory(DefaultGroups, NewBudget("", test.max))
		var err error
		for i := 0; err == nil && i < len(parts); i++ {
			err = small.Restore(parts[i].data)
		}
		if (err == nil) != test.taken || (err != nil && stream.CodeOf(err) != stream.StateFull) {
			t.Errorf("%d bytes into %d: %v", held, test.max, err)
		}
		small.sound(t)
	}
}

// TestChangesThatAreMovedAreGiven deletes most keys between a change and the next
// view, so that the changed ones are moved, with and without a view in between that
// was not saved.
func TestChangesThatAreMovedAreGiven(t *testing.T) {
	const keys = 8000
	for _, between := range []bool{false, true} {
		m := NewMemory(1, NewBudget("", 0))
		put := func(i int, with byte) {
			if err := m.Put(0, fmt.Append(nil, i), bytes.Repeat([]byte{with}, 100), 0); err != nil {
				t.Fatal(err)
			}
		}
		for i := range keys {
			put(i, 'a')
		}
		chain := take(t, m.Freeze(true), true).parts
		for i := 0; i < keys; i += 40 {
			put(i, 'b')
		}
		if between {
			take(t, m.Freeze(false), false)
			put(0, 'c')
		}
		before := m.Moves(0)
		for i := range keys {
			if i%4 != 0 {
				m.Delete(0, fmt.Append(nil, i))
			}
		}
		got := take(t, m.Freeze(false), true)
		if deleted := keys * 3 / 4; got.full != 0 || got.entries != deleted+keys/40 || m.Moves(0) <= before+uint64(deleted)+1 {
			t.Errorf("%d entries, %d full ranges", got.entries, got.full)
		}
		again := NewMemory(1, NewBudget("", 0))
		for _, p := range chainOf(chain, got.parts...) {
			if err := again.Restore(p.data); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Join(listOf(again, 0, "", keys), "") != strings.Join(listOf(m, 0, "", keys), "") {
			t.Error("the restored store is another")
		}
	}
}

func TestAChangeThatHasEndedIsADeletion(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	for i := range 100 {
		_ = m.Put(0, fmt.Append(nil, i), []byte("for ever"), 0)
	}
	chain := take(t, m.Freeze(true), true).parts
	_ = m.Put(0, []byte("7"), []byte("a while"), 10)
	m.Expire(0, 10)
	got := take(t, m.Freeze(false), true)
	again := NewMemory(1, NewBudget("", 0))
	for _, p := range chainOf(chain, got.parts...) {
		if err := again.Restore(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if v, ok := again.Value(0, []byte("7")); ok || got.full != 0 || again.Usage().Keys != 99 {
		t.Errorf("the key is %q again, %d keys, %d full", v, again.Usage().Keys, got.full)
	}
	all := take(t, m.Freeze(true), true)
	if err := again.Restore(all.parts[0].data); err != nil || again.Usage().Keys != 99 {
		t.Errorf("all of 99 are %d entries, %v", again.Usage().Keys, err)
	}
}

// TestAChunkOfWhichHalfIsWantedIsGivenAsItIs restores chunks with entries that are
// dead, past their time, have spare room or were not changed, and counts the bytes.
func TestAChunkOfWhichHalfIsWantedIsGivenAsItIs(t *testing.T) {
	const keys = 1000
	key := func(i int) []byte { return fmt.Appendf(nil, "key %04d", i) }
	m := NewMemory(1, NewBudget("", 0))
	for i := range keys {
		_ = m.Put(0, key(i), make([]byte, 24), int64(i%10)) // those of a tenth never end
	}
	chain := take(t, m.Freeze(true), true).parts
	for _, test := range []struct {
		name                 string
		change, delete       int // so many of ten entries
		now                  int64
		full                 bool
		entries, least, most int // of them, at least, and bytes in the part
	}{
		{"four of ten are given one by one", 4, 0, 0, false, keys * 4 / 10, 400 * 36, 410 * 44},
		{"six of ten with the others", 6, 0, 0, false, keys, keys * 42, keys * 44},
		{"with some that have ended", 6, 0, 3, false, keys, keys * 42, keys * 44},
		{"all with the dead", 0, 2, 0, true, keys * 8 / 10, keys * 42, keys * 44},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := NewMemory(1, NewBudget("", 0))
			for _, p := range chain {
				if err := m.Restore(p.data); err != nil {
					t.Fatal(err)
				}
			}
			for i := range keys {
				switch {
				case i%10 < test.change && i%10 > 0:
					_ = m.Put(0, key(i), bytes.Repeat([]byte("new"), 7), int64(i%10))
				case i%10 < test.change:
					_ = m.Put(0, key(i), bytes.Repeat([]byte("new"), 7), 0)
				case i%10 >= 10-test.delete:
					m.Delete(0, key(i))
				}
			}
			m.Expire(0, test.now)
			got := take(t, m.Freeze(test.full), true)
			if got.entries < test.entries || got.entries > test.entries+10 || got.bytes < test.least || got.bytes > test.most {
				t.Errorf("%d entries, %d bytes", got.entries, got.bytes)
			}
			again := NewMemory(1, NewBudget("", 0))
			for _, p := range chainOf(chain, got.parts...) {
				if err := again.Restore(p.data); err != nil {
					t.Fatal(err)
				}
			}
			again.sound(t)
			if got, want := strings.Join(listOf(again, 0, "", keys), ""), strings.Join(listOf(m, 0, "", keys), ""); got != want {
				t.Errorf("restored is %.200q, was %.200q", got, want)
			}
		})
	}
}

// TestTooMuchIsStillTooMuchWhenNotSaved changes and deletes, in two goes, more than
// is worth a part that builds on others.
func TestTooMuchIsStillTooMuchWhenNotSaved(t *testing.T) {
	const keys = 1000
	key := func(i int) []byte { return fmt.Appendf(nil, "%0100d", i) }
	for _, test := range []struct {
		name string
		do   func(m *Memory, i int)
		more int // done after the view that was not saved
		left int
	}{
		{"changes", func(m *Memory, i int) { _ = m.Put(0, key(i), nil, 0) }, keys * 2 / 5, keys},
		{"deletions", func(m *Memory, i int) { m.Delete(0, key(i)) }, 0, keys * 3 / 5},
		{"deletions in two goes", func(m *Memory, i int) { m.Delete(0, key(i)) }, keys / 10, keys / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := NewMemory(1, NewBudget("", 0))
			for i := range keys {
				_ = m.Put(0, key(i), nil, 0)
			}
			take(t, m.Freeze(true), true)
			for i := range keys * 2 / 5 {
				test.do(m, i)
			}
			take(t, m.Freeze(false), false)
			for i := range test.more {
				test.do(m, keys/2+i)
			}
			if got := take(t, m.Freeze(false), true); got.full != 1 || got.entries != test.left {
				t.Errorf("%d entries, %d full ranges", got.entries, got.full)
			}
		})
	}
}
