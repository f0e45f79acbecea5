package state

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestFull fills a store to its bound: what is there can still be changed, and
// what is deleted makes room.
func TestFull(t *testing.T) {
	budget := NewBudget("vertex count", 100_000)
	m := NewMemory(2, budget)
	n, value := 0, bytes.Repeat([]byte("v"), 50)
	var err error
	for ; err == nil && n < 10_000; n++ {
		err = m.Put(Group(n%2), fmt.Append(nil, n), value, 0)
	}
	n--
	if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "vertex count: the state holds ") || !strings.Contains(err.Error(), "raise state.maxBytes") {
		t.Error(err)
	}
	if u := m.Usage(); u.Held > 100_000 || u.Held != budget.Held() || u.Keys != int64(n) || u.Bytes < 60_000 {
		t.Errorf("%d entries of %+v", n, u)
	}
	if _, ok := m.Value(Group(n%2), fmt.Append(nil, n)); ok {
		t.Error("what was refused is there")
	}
	for i := range n {
		if err := m.Put(Group(i%2), fmt.Append(nil, i), bytes.Repeat([]byte("w"), 50-i%3), 0); err != nil {
			t.Fatal("a value that is no longer is refused: ", err)
		}
	}
	if err := m.Put(0, nil, make([]byte, 60_000), 0); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	for i := range n {
		if i%10 != 0 {
			m.Delete(Group(i%2), fmt.Append(nil, i))
		}
	}
	if err := m.Put(0, nil, make([]byte, 60_000), 0); err != nil {
		t.Error("there is no room after most is deleted: ", err)
	}
	m.sound(t)
	for i := range n {
		m.Delete(Group(i%2), fmt.Append(nil, i))
	}
	m.Delete(0, nil)
	if u := m.Usage(); u.Keys != 0 || u.Bytes != 0 || u.Held > 5000 {
		t.Errorf("an empty store holds %+v", u)
	}
}

// TestEdit writes to a value in place.
func TestEdit(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	_ = m.Put(0, []byte("k"), []byte("abc"), 0)
	v, ok := m.Edit(0, []byte("k"))
	copy(v, "xyz")
	if got, _ := m.Value(0, []byte("k")); !ok || string(got) != "xyz" {
		t.Errorf("%q, %v", got, ok)
	}
	if _, ok := m.Edit(0, []byte("other")); ok {
		t.Error("a key that is not there can be edited")
	}
}

// TestFullOfThePast makes room of entries past their time before it refuses.
func TestFullOfThePast(t *testing.T) {
	m := NewMemory(1, NewBudget("", 50_000))
	for i := 0; i < 10_000 && m.Put(0, fmt.Append(nil, i), make([]byte, 40), 10) == nil; i++ {
	}
	m.Expire(0, 10)
	if err := m.Put(0, []byte("new"), make([]byte, 30_000), 0); err != nil {
		t.Error(err)
	}
	m.sound(t)
}

// TestPastIsForgotten inserts keys that live a short time, for ever.
func TestPastIsForgotten(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	for now := range int64(200_000) {
		m.Expire(0, now)
		if err := m.Put(0, fmt.Append(nil, now), []byte("v"), now+100); err != nil {
			t.Fatal(err)
		}
		if u := m.Usage(); u.Keys > 200 {
			t.Fatalf("at %d there are %d keys, of which 100 are not past their time", now, u.Keys)
		}
	}
	m.sound(t)
	if _, ok := m.Value(0, []byte("199950")); !ok {
		t.Error("a key is gone before its time")
	}
	if _, ok := m.Value(0, []byte("199899")); ok {
		t.Error("a key is there at its time")
	}
}

// TestCommitIsBounded commits calls until one is refused.
func TestCommitIsBounded(t *testing.T) {
	budget := NewBudget("", 100_000)
	m, timers := NewMemory(1, budget), NewTimers(1, budget)
	for _, timed := range []bool{false, true} {
		s := NewStaged(m, "", 1<<20)
		var err error
		for n := 0; err == nil && n < 10_000; n++ {
			if timed {
				_ = s.SetTimer(timers, 0, 1, fmt.Append(nil, n), nil)
			} else {
				_ = s.Put(0, fmt.Append(nil, n), make([]byte, 100), 0)
			}
			err = s.Commit()
		}
		if stream.CodeOf(err) != stream.StateFull || budget.Held() > 100_000 {
			t.Errorf("%v with %d bytes held", err, budget.Held())
		}
		for n := range 300 {
			m.Delete(0, fmt.Append(nil, n))
		}
	}
}

// TestTimersFull refuses a timer over the bound, and lets those there move.
func TestTimersFull(t *testing.T) {
	timers := NewTimers(1, NewBudget("vertex v", 20_000))
	n := 0
	for n < 10_000 && timers.Set(0, int64(n), fmt.Append(nil, n), nil) == nil {
		n++
	}
	if err := timers.Set(0, 1, []byte("new"), nil); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if held := timers.Usage().Held; n < 200 || held > 20_000 {
		t.Errorf("%d timers hold %d bytes", n, held)
	}
	for i := range n {
		if err := timers.Set(0, int64(n-i), fmt.Append(nil, i), nil); err != nil {
			t.Fatal(err)
		}
	}
	timers.groups[0].sound(t)
	s := NewStaged(NewMemory(1, NewBudget("", 1<<20)), "", 1<<20)
	move := func(name string) error {
		_ = s.SetTimer(timers, 0, 3, []byte(name), nil)
		return s.Commit()
	}
	if err := move("new"); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if err := move("7"); err != nil {
		t.Errorf("moved by a call: %v", err)
	}
	_ = s.DeleteTimer(timers, 0, []byte("8"), nil)
	if err := move("8"); err != nil && stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	timers.groups[0].sound(t)
}

// TestStagedLimit ends a call that writes without end.
func TestStagedLimit(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	timers := NewTimers(1, NewBudget("", 0))
	for _, test := range []struct {
		name string
		do   func(s *Staged, i int) error
	}{
		{"values", func(s *Staged, i int) error { return s.Put(0, fmt.Append(nil, i), make([]byte, 100), 0) }},
		{"one value that grows", func(s *Staged, i int) error { return s.Put(0, []byte("k"), make([]byte, i), 0) }},
		{"deletions", func(s *Staged, i int) error { return s.Delete(0, fmt.Append(nil, i)) }},
		{"timers without a name", func(s *Staged, _ int) error { return s.SetTimer(timers, 0, 1, nil, nil) }},
		{"timers deleted", func(s *Staged, _ int) error { return s.DeleteTimer(timers, 0, nil, nil) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewStaged(m, "vertex v", 50_000)
			var err error
			for i := 0; err == nil && i < 3000; i++ {
				err = test.do(s, i)
			}
			if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "vertex v: one call changes more state than the 50000 bytes") {
				t.Error(err)
			}
			if len(s.buf) > 50_000 {
				t.Errorf("%d bytes are staged", len(s.buf))
			}
		})
	}
}

// TestLargestEntry refuses an entry of more than 1 GiB, and knows why.
func TestLargestEntry(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	err := m.Put(0, []byte("k"), make([]byte, maxEntry), 0)
	if stream.CodeOf(err) != stream.StateFull || !strings.Contains(err.Error(), "over the 1073741824 that one may have") {
		t.Error(err)
	}
	m.sound(t)
}

func TestLargeAndEmptyKeys(t *testing.T) {
	m := NewMemory(DefaultGroups, NewBudget("", 0))
	timers := NewTimers(DefaultGroups, NewBudget("", 0))
	keys := [][]byte{nil, make([]byte, 1<<20), bytes.Repeat([]byte("k"), 1<<20), make([]byte, 1<<16), make([]byte, 1<<16-1)}
	for round := range 3 {
		for i, key := range keys {
			g := GroupOf(key, DefaultGroups)
			if err := m.Put(g, key, fmt.Append(nil, round, i), 0); err != nil {
				t.Fatal(err)
			}
			if err := timers.Set(g, int64(i), key, key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, key := range keys {
		g := GroupOf(key, DefaultGroups)
		if v, ok := m.Value(g, key); !ok || string(v) != fmt.Sprint(2, i) {
			t.Errorf("key %d is %q", i, v)
		}
	}
	for i, want := range keys {
		g := GroupOf(want, DefaultGroups)
		if at, key, name, ok := timers.Due(g, math.MaxInt64); !ok || at != int64(i) || !bytes.Equal(key, want) || !bytes.Equal(name, want) {
			t.Errorf("timer %d is at %d, %v", i, at, ok)
		}
	}
	m.sound(t)
}

// TestExtremeTimes sets timers at both ends of time.
func TestExtremeTimes(t *testing.T) {
	timers := NewTimers(1, NewBudget("", 0))
	for _, at := range []int64{math.MaxInt64, 0, math.MinInt64, math.MaxInt64 - 1} {
		if err := timers.Set(0, at, fmt.Append(nil, at), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{math.MinInt64, 0, math.MaxInt64 - 1, math.MaxInt64} {
		next, ok := timers.Next()
		if ok != (want != math.MaxInt64) || (ok && next != want) {
			t.Errorf("the next is at %d, %v; want %d", next, ok, want)
		}
		if at, _, _, ok := timers.Due(0, math.MaxInt64); !ok || at != want {
			t.Errorf("due at %d, %v; want %d", at, ok, want)
		}
	}
}

// TestOverhead bounds what a small key takes beside itself, and its pointers.
func TestOverhead(t *testing.T) {
	m := load(t, 300_000)
	if u := m.Usage(); float64(u.Held-u.Bytes)/float64(u.Keys) > 40 {
		t.Errorf("a key takes %d bytes more than itself", (u.Held-u.Bytes)/u.Keys)
	}
	chunks := 0
	for g := range m.groups {
		chunks += len(m.groups[g].arena.chunks)
	}
	if chunks > 300_000/50 {
		t.Errorf("%d pointers for 300,000 keys", chunks)
	}
}

// TestNoAllocation holds the steady state to none.
func TestNoAllocation(t *testing.T) {
	m := load(t, 10_000)
	s := NewStaged(m, "", 1<<20)
	timers := NewTimers(DefaultGroups, NewBudget("", 0))
	var key, value [8]byte
	i := 0
	call := func() {
		keys, groups := [1][]byte{key[:]}, [1]Group{}
		for range 50 {
			i++
			k := numbered(key[:], i%10_000)
			groups[0] = GroupOf(k, DefaultGroups)
			m.Warm(groups[:], keys[:])
			_, _ = s.Value(groups[0], k)
			_ = m.Put(groups[0], k, value[:], 0)
			_ = s.Put(groups[0], k, value[:], 0)
			_ = s.SetTimer(timers, groups[0], int64(i), []byte("k"), []byte("n"))
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		call()
	}
	if n := testing.AllocsPerRun(100, call); n > 0 {
		t.Errorf("a call allocates %v times", n)
	}
}

// TestGroupsAtOnce uses each group in a goroutine of its own, and what anyone
// may use in another one.
func TestGroupsAtOnce(t *testing.T) {
	budget := NewBudget("", 400_000)
	m, timers := NewMemory(4, budget), NewTimers(4, budget)
	var users sync.WaitGroup
	for g := range Group(4) {
		users.Go(func() {
			s := NewStaged(m, "", 1<<20)
			for i := range 5000 {
				key := fmt.Append(nil, i%700)
				m.Warm([]Group{g}, [][]byte{key})
				_ = s.Put(g, key, make([]byte, i%200), int64(i))
				_ = s.SetTimer(timers, g, int64(i), key, nil)
				m.Expire(g, int64(i-300))
				if i%20 == 0 {
					_ = s.Commit()
				}
				if i%500 == 0 {
					s.Range(g, nil, func(_, _ []byte) bool { return true })
					if err := m.Restore(m.Snapshot(g, nil)); err != nil && stream.CodeOf(err) != stream.StateFull {
						t.Error(err)
					}
				}
				timers.Due(g, int64(i-300))
			}
		})
	}
	for range 1000 {
		m.Usage()
		timers.Usage()
		timers.Next()
		budget.Held()
	}
	users.Wait()
	if held := m.Usage().Held + timers.Usage().Held; held != budget.Held() {
		t.Errorf("%d bytes are held, counted %d", held, budget.Held())
	}
}
