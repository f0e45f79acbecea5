package state

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// filled returns a store and timers with the same history each time.
func filled(t testing.TB) (*Memory, *Timers) {
	budget := NewBudget("", 0)
	m, timers := NewMemory(1, budget), NewTimers(1, budget)
	for i := range 3000 {
		key := fmt.Append(nil, i*i%1009)
		if i%5 == 0 {
			m.Delete(0, key)
			timers.Delete(0, key, nil)
			continue
		}
		if err := m.Put(0, key, bytes.Repeat([]byte("v"), i*31%400), int64(i%3)*1000); err != nil {
			t.Fatal(err)
		}
		if err := timers.Set(0, int64(i*7919%5000), key, []byte("n")); err != nil {
			t.Fatal(err)
		}
	}
	return m, timers
}

// TestSnapshotFollowsFromHistory compares two stores with seeds of their own.
func TestSnapshotFollowsFromHistory(t *testing.T) {
	m1, t1 := filled(t)
	m2, t2 := filled(t)
	if !bytes.Equal(m1.Snapshot(0, nil), m2.Snapshot(0, nil)) {
		t.Error("two stores of the same history have different snapshots")
	}
	if !bytes.Equal(t1.Snapshot(0, nil), t2.Snapshot(0, nil)) {
		t.Error("two timers of the same history have different snapshots")
	}
}

// TestSnapshotBytes pins version 1 of the format.
func TestSnapshotBytes(t *testing.T) {
	budget := NewBudget("", 0)
	m, timers := NewMemory(1, budget), NewTimers(1, budget)
	_ = m.Put(0, []byte("k"), []byte("value"), 0)
	_ = m.Put(0, nil, nil, 258)
	_ = timers.Set(0, -1, []byte("key"), []byte("nm"))
	if got, want := string(m.Snapshot(0, nil)), "\x01\x02\x00\x00\x00"+"\x01\x0akvalue"+"\x00\x01\x02\x01\x00\x00\x00\x00\x00\x00"; got != want {
		t.Errorf("a store is %q, want %q", got, want)
	}
	if got, want := string(timers.Snapshot(0, nil)), "\x01\x01\x00\x00\x00"+"\x06\x10\x02nmkey"+"\xff\xff\xff\xff\xff\xff\xff\xff"; got != want {
		t.Errorf("timers are %q, want %q", got, want)
	}
}

func TestCorruptSnapshots(t *testing.T) {
	for _, test := range []struct{ name, data, says string }{
		{"nothing at all", "", "ends within its head"},
		{"half a head", "\x01\x00", "ends within its head"},
		{"a later version", "\x02\x00\x00\x00\x00", "version is 2, known is 1"},
		{"an entry missing", "\x01\x01\x00\x00\x00", "ends within entry 1 of 1"},
		{"a million entries missing", "\x01\x40\x42\x0f\x00", "ends within entry 1 of 1000000"},
		{"a key beyond the end", "\x01\x01\x00\x00\x00\x05\x00abcd", "ends within entry 1 of 1"},
		{"lengths that overflow together", "\x01\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x06ab", "ends within entry 1 of 1"},
		{"half a time", "\x01\x01\x00\x00\x00\x00\x01abcd", "ends within entry 1 of 1"},
		{"the same key twice", "\x01\x02\x00\x00\x00\x01\x02av\x01\x02aw", "same key"},
		{"something behind the end", "\x01\x00\x00\x00\x00x", "1 bytes follow the last of 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, timers := filled(t)
			before, beforeTimers := m.Snapshot(0, nil), timers.Snapshot(0, nil)
			held := m.budget.Held()
			err := m.Restore(0, []byte(test.data))
			if stream.CodeOf(err) != stream.StateCorrupt || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
			if err := timers.Restore(0, []byte(test.data)); stream.CodeOf(err) != stream.StateCorrupt {
				t.Errorf("timers take it: %v", err)
			}
			if !bytes.Equal(m.Snapshot(0, nil), before) || !bytes.Equal(timers.Snapshot(0, nil), beforeTimers) || m.budget.Held() != held {
				t.Error("a refused snapshot changes the group")
			}
		})
	}
}

// TestRestoreIntoLessRoom refuses a snapshot that is larger than the budget.
func TestRestoreIntoLessRoom(t *testing.T) {
	m, timers := filled(t)
	budget := NewBudget("vertex v", 10_000)
	small, smallTimers := NewMemory(1, budget), NewTimers(1, budget)
	if err := small.Restore(0, m.Snapshot(0, nil)); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if err := smallTimers.Restore(0, timers.Snapshot(0, nil)); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if budget.Held() != 0 {
		t.Errorf("%d bytes are held by nobody", budget.Held())
	}
}

// FuzzRestore restores anything: no panic, memory in proportion, and what is
// taken is what comes out again.
func FuzzRestore(f *testing.F) {
	m, timers := filled(f)
	f.Add(m.Snapshot(0, nil)[:200])
	f.Add(timers.Snapshot(0, nil)[:200])
	f.Add([]byte("\x01\x02\x00\x00\x00\x01\x0akvalue\x00\x01\x02\x01\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x01\x01\x00\x00\x00\x06\x10\x02nmkey\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := NewBudget("", 0)
		m, timers := NewMemory(1, budget), NewTimers(1, budget)
		if err := m.Restore(0, data); err == nil {
			m.sound(t)
			again := NewMemory(1, NewBudget("", 0))
			if err := again.Restore(0, m.Snapshot(0, nil)); err != nil {
				t.Fatal(err)
			}
			if again.Usage().Bytes != m.Usage().Bytes || again.Usage().Keys != m.Usage().Keys {
				t.Fatalf("%+v becomes %+v", m.Usage(), again.Usage())
			}
		} else if stream.CodeOf(err) != stream.StateCorrupt {
			t.Fatal(err)
		}
		if err := timers.Restore(0, data); err == nil {
			timers.groups[0].sound(t)
		}
		if held := budget.Held(); held > int64(2048+100*len(data)) {
			t.Fatalf("%d bytes of data make %d bytes of state", len(data), held)
		}
	})
}

// TestRestoreTrustsNoCount restores a head that promises 4 billion entries.
func TestRestoreTrustsNoCount(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := m.Restore(0, []byte("\x01\xff\xff\xff\xff")); err == nil {
		t.Error("taken")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<16 {
		t.Errorf("%d bytes were allocated", n)
	}
}
