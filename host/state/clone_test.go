package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestClonesRefuseNothing changes all of a full store while a view of it is there.
func TestClonesRefuseNothing(t *testing.T) {
	const most = 400_000
	budget := NewBudget("", most)
	m := NewMemory(4, budget)
	n := 0
	for m.Put(Group(n%4), fmt.Append(nil, n), make([]byte, 100), 0) == nil {
		n++
	}
	f := m.Freeze(false)
	for i := range n {
		if err := m.Put(Group(i%4), fmt.Append(nil, i), make([]byte, 100), 0); err != nil {
			t.Fatal("a change of the same size is refused: ", err)
		}
		if i%300 == 0 {
			m.sound(t)
		}
	}
	if held := budget.Held(); held < most*3/2 || held > most*21/10 {
		t.Errorf("store and view hold %d bytes of %d", held, most)
	}
	for i := range n / 2 {
		m.Delete(Group(i%4), fmt.Append(nil, i))
	}
	for i := range n / 4 {
		if err := m.Put(Group(i%4), fmt.Append(nil, i), make([]byte, 100), 0); err != nil {
			t.Fatal("what was deleted makes no room: ", err)
		}
	}
	f.Release(false)
	if held := budget.Held(); held > most*12/10 {
		t.Errorf("%d bytes are held after the view", held)
	}
	for i := n / 2; i < n; i++ {
		if _, ok := m.Edit(Group(i%4), fmt.Append(nil, i)); !ok {
			t.Fatal("lost")
		}
	}
	if held := budget.Held(); held > most*12/10 {
		t.Errorf("%d bytes are held: chunks are cloned for a view that is gone", held)
	}
}

// TestWhatWasReadIsNotCloned changes groups behind and before the reader.
func TestWhatWasReadIsNotCloned(t *testing.T) {
	m := hundreds(t, 20_000)
	f := m.Freeze(true)
	ranges := 0
	_ = f.Parts(func(_, to int, _ bool, _ int, _ []byte) error {
		ranges++
		before := m.history.copies.Load()
		m.groups[to-1].put(firstKey(m, Group(to-1)), nil, 0)
		if clone := m.history.copies.Load() - before; clone > 64 {
			t.Errorf("a write behind the reader clones %d bytes", clone)
		}
		if to == DefaultGroups {
			return nil
		}
		before = m.history.copies.Load()
		m.groups[to].put(firstKey(m, Group(to)), nil, 0)
		if clone := m.history.copies.Load() - before; clone < 100 {
			t.Errorf("a write before the reader clones %d bytes", clone)
		}
		return nil
	})
	if f.Release(true); ranges != defaultRanges {
		t.Errorf("%d ranges", ranges)
	}
}

func firstKey(m *Memory, g Group) (key []byte) {
	m.table(g).each(func(_ ref, d []byte, e entry) bool {
		key = bytes.Clone(e.keyOf(d))
		return false
	})
	return key
}

// TestALargeEntryIsReplacedWithoutAClone: its chunk goes over to the view.
func TestALargeEntryIsReplacedWithoutAClone(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	_ = m.Put(0, []byte("k"), make([]byte, 10<<20), 0)
	f := m.Freeze(true)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m.Delete(0, []byte("k"))
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("a deletion allocates %d bytes", after.TotalAlloc-before.TotalAlloc)
	}
	if held := m.budget.Held(); held < 10<<20 || held > 11<<20 {
		t.Errorf("%d bytes are held", held)
	}
	if got := take(t, f, true); got.bytes < 10<<20 {
		t.Errorf("the view gives %d bytes", got.bytes)
	}
	if held := m.budget.Held(); held > 1<<20 {
		t.Errorf("%d bytes are held after the view", held)
	}
}

func TestAViewIsReleasedBeforeTheNext(t *testing.T) {
	defer func() {
		if s := fmt.Sprint(recover()); !strings.HasPrefix(s, "BUG: ") {
			t.Error(s)
		}
	}()
	m := NewMemory(1, NewBudget("", 0))
	m.Freeze(true)
	m.Freeze(true)
}

// TestFreezeIsReadAtOnce reads views in a goroutine while each group is written to
// in one of its own. All of a view is of one round.
func TestFreezeIsReadAtOnce(t *testing.T) {
	const groups, keys = 4, 300
	budget := NewBudget("", 0)
	m, timers := NewMemory(groups, budget), NewTimers(groups, budget)
	var chain, timerChain []savedPart
	var before, view, timerView = -1, (*Frozen)(nil), (*Frozen)(nil)
	for round := range 40 {
		var users sync.WaitGroup
		for g := range Group(groups) {
			users.Go(func() {
				var value [100]byte
				binary.LittleEndian.PutUint64(value[:], uint64(round))
				for i := range keys {
					key := fmt.Append(nil, i)
					switch (i + round) % 4 {
					case 0:
						m.Delete(g, key)
						timers.Delete(g, key, nil)
					case 1:
						if d, ok := m.Edit(g, key); ok {
							copy(d, value[:])
							break
						}
						fallthrough
					case 2, 3:
						if err := m.Put(g, key, value[:60+i%40], 0); err != nil {
							t.Error(err)
						}
					}
					if err := timers.Set(g, int64(round*1000+i), key, nil); err != nil {
						t.Error(err)
					}
					if i%20 == 0 {
						timers.Due(g, 1<<40)
					}
				}
			})
		}
		if view != nil {
			saved := before%3 != 0
			parts, timerParts := take(t, view, saved).parts, take(t, timerView, saved).parts
			whole, wholeTimers := chainOf(chain, parts...), chainOf(timerChain, timerParts...)
			if saved {
				chain, timerChain = whole, wholeTimers
			}
			ofRound(t, whole, groups, before)
			for _, p := range wholeTimers {
				if err := NewTimers(groups, NewBudget("", 0)).Restore(p.data); err != nil {
					t.Error(err)
				}
			}
		}
		users.Wait()
		for g := range groups {
			m.groups[g].sound(t)
			timers.groups[g].sound(t)
		}
		if held := m.Usage().Held + timers.Usage().Held; held != budget.Held() {
			t.Errorf("%d bytes are held, counted %d", held, budget.Held())
		}
		before, view, timerView = round, m.Freeze(false), timers.Freeze(false)
	}
}

// ofRound restores a chain and looks for keys of another round.
func ofRound(t *testing.T, chain []savedPart, groups, round int) {
	m := NewMemory(groups, NewBudget("", 0))
	for _, p := range chain {
		if err := m.Restore(p.data); err != nil {
			t.Error(err)
		}
	}
	for g := range Group(groups) {
		n := 0
		m.Range(g, nil, func(key, value []byte) bool {
			if n++; binary.LittleEndian.Uint64(value) != uint64(round) {
				t.Errorf("key %q of the view after round %d is of round %d", key, round, binary.LittleEndian.Uint64(value))
			}
			return true
		})
		if n != 225 {
			t.Errorf("%d keys after round %d", n, round)
		}
	}
}
