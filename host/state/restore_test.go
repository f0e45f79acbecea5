package state

import (
	"bytes"
	"encoding/binary"
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

// headOf is the head of a part of a store of one group.
func headOf(kind string, entries byte) string {
	return "\x03\x01" + kind + "\x01\x00\x00\x00" + "\x00\x00\x00\x00" + "\x01\x00\x00\x00" + string([]byte{entries, 0, 0, 0})
}

// items is what is of group 0: entries, at no time.
func items(entries string) string {
	return "\x00\x02" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(entries)))) + "\x00\x00\x00\x00\x00\x00\x00\x80" + entries
}

const (
	kEntry     = "\x00\x01\x05\x05kvalue"
	timedEntry = "\x04\x00\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00"
	timerEntry = "\x00\x06\x08\x08\x02nmkey" + "\xff\xff\xff\xff\xff\xff\xff\xff"
)

// TestSnapshotBytes pins version 3 of the format.
func TestSnapshotBytes(t *testing.T) {
	budget := NewBudget("", 0)
	m, timers := NewMemory(1, budget), NewTimers(1, budget)
	_ = m.Put(0, []byte("k"), []byte("value"), 0)
	_ = m.Put(0, nil, nil, 258)
	_ = timers.Set(0, -1, []byte("key"), []byte("nm"))
	if got, want := string(m.Snapshot(0, nil)), headOf("\x00", 2)+items(kEntry+timedEntry); got != want {
		t.Errorf("a store is %q, want %q", got, want)
	}
	if got, want := string(timers.Snapshot(0, nil)), headOf("\x00", 1)+"\x00\x02\x12\x00\x00\x00"+strings.Repeat("\x00", 8)+timerEntry; got != want {
		t.Errorf("timers are %q, want %q", got, want)
	}
}

func TestCorruptSnapshots(t *testing.T) {
	for _, test := range []struct{ name, data, says string }{
		{"nothing at all", "", "ends within its head"},
		{"half a head", headOf("\x00", 0)[:18], "ends within its head"},
		{"a later version", "\x04" + headOf("\x00", 0)[1:], "version is 4, known is 3"},
		{"other groups for the same keys", "\x03\x02" + headOf("\x00", 0)[2:], "hash version 2, known is 1"},
		{"an unknown kind", headOf("\x04", 0), "unknown kind 4"},
		{"more groups", "\x03\x01\x00\x02" + headOf("\x00", 0)[4:], "of 2 key groups, the vertex has 1"},
		{"a range of nothing", "\x03\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00" + headOf("\x00", 0)[12:], "the key groups 0 to 0 of 1"},
		{"a range past the end", "\x03\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02" + headOf("\x00", 0)[12:], "the key groups 0 to 2 of 1"},
		{"an entry missing", headOf("\x00", 1), "ends within entry 1 of 1"},
		{"a million entries missing", headOf("\x00", 0)[:15] + "\x40\x42\x0f\x00", "ends within entry 1 of 1000000"},
		{"half a number", headOf("\x00", 1) + "\x80", "ends within entry 1 of 1"},
		{"an entry of no group", headOf("\x00", 1) + items(kEntry)[1:], "of no key group"},
		{"an entry of another group", headOf("\x00", 1) + "\x04" + items(kEntry)[1:], "entries of key group 1"},
		{"an item of no kind", headOf("\x00", 1) + "\x00\x03", "unknown kind 3"},
		{"a deleted key beyond the end", headOf("\x01", 1) + "\x00\x15abcd", "ends within entry 1 of 1"},
		{"a deleted key of all memory", headOf("\x01", 1) + "\x00\xfd\xff\xff\xff\xff\xff\xff\xff\xff\x01ab", "ends within entry 1 of 1"},
		{"half the head of entries", headOf("\x00", 1) + items("")[:9], "ends within entry 1 of 1"},
		{"entries beyond the end", headOf("\x00", 1) + items(kEntry)[:20], "ends within entry 1 of 1"},
		{"an entry of no kind", headOf("\x00", 4) + items("\x03"+strings.Repeat("\x00", 24)), "an entry of key group 0 is none"},
		{"an entry of a later kind", headOf("\x00", 1) + items("\x10"+kEntry[1:]), "an entry of key group 0 is none"},
		{"half the head of an entry", headOf("\x00", 1) + items("\x00\x01\x05"), "an entry of key group 0 is none"},
		{"half a time", headOf("\x00", 1) + items(timedEntry[:11]), "an entry of key group 0 is none"},
		{"a key beyond the last of the entries", headOf("\x00", 1) + items("\x00\x05\x00\x00abcd"), "an entry of key group 0 is none"},
		{"a value beyond its room", headOf("\x00", 2) + items("\x00\x01\x00\x05k"+kEntry), "an entry of key group 0 is none"},
		{"lengths that overflow together", headOf("\x00", 1) + items("\x02\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00ab"), "an entry of key group 0 is none"},
		{"something behind the end", headOf("\x00", 0) + items(kEntry), "more than its 0 entries"},
		{"an entry after a good one", headOf("\x00", 2) + items(timedEntry+"\x00\x05\x00\x00abcd"), "an entry of key group 0 is none"},
		{"a dead entry that counts", headOf("\x00", 1) + items("\x08"+kEntry[1:]), "ends within entry 1 of 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, timers := filled(t)
			before, beforeTimers := m.Snapshot(0, nil), timers.Snapshot(0, nil)
			held := m.budget.Held()
			err := m.Restore([]byte(test.data))
			if stream.CodeOf(err) != stream.StateCorrupt || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
			if err := timers.Restore([]byte(test.data)); stream.CodeOf(err) != stream.StateCorrupt {
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
	if err := small.Restore(m.Snapshot(0, nil)); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if err := smallTimers.Restore(timers.Snapshot(0, nil)); stream.CodeOf(err) != stream.StateFull {
		t.Error(err)
	}
	if u := small.Usage(); u.Keys != 0 || budget.Held() != u.Held+smallTimers.Usage().Held || budget.Held() > 1000 {
		t.Errorf("%+v, and %d bytes are held", u, budget.Held())
	}
}

// FuzzRestore restores anything: no panic, memory in proportion, and what is
// taken is what comes out again.
func FuzzRestore(f *testing.F) {
	m, timers := filled(f)
	f.Add(m.Snapshot(0, nil)[:200])
	f.Add(timers.Snapshot(0, nil)[:200])
	f.Add([]byte(headOf("\x00", 2) + items(kEntry+timedEntry)))
	f.Add([]byte(headOf("\x00", 1) + items("\x08"+kEntry[1:]+timerEntry)))
	f.Add([]byte(headOf("\x01", 2) + "\x00\x05k" + items(kEntry)[1:]))
	f.Add([]byte(headOf("\x01", 1) + "\x00\x19\x02nmkey"))
	f.Add([]byte(headOf("\x02", 1) + items("\x01\x01\x00\x02\x00\x01\x00kvv"+"\x06\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00kv")))
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := NewBudget("", 0)
		m, timers := NewMemory(1, budget), NewTimers(1, budget)
		_ = m.Put(0, []byte("k"), []byte("v"), 0)
		_ = timers.Set(0, 7, []byte("key"), []byte("nm"))
		before, beforeTimers := m.Snapshot(0, nil), timers.Snapshot(0, nil)
		switch err := m.Restore(data); {
		case err == nil:
			m.groups[0].sound(t)
			again := NewMemory(1, NewBudget("", 0))
			if err := again.Restore(m.Snapshot(0, nil)); err != nil {
				t.Fatal(err)
			}
			if again.Usage().Bytes != m.Usage().Bytes || again.Usage().Keys != m.Usage().Keys {
				t.Fatalf("%+v becomes %+v", m.Usage(), again.Usage())
			}
		case stream.CodeOf(err) != stream.StateCorrupt:
			t.Fatal(err)
		case !bytes.Equal(m.Snapshot(0, nil), before):
			t.Fatal("a damaged part changes the store")
		}
		switch err := timers.Restore(data); {
		case err == nil:
			timers.groups[0].sound(t)
		case stream.CodeOf(err) != stream.StateCorrupt:
			t.Fatal(err)
		case !bytes.Equal(timers.Snapshot(0, nil), beforeTimers):
			t.Fatal("a damaged part changes the timers")
		}
		if held := budget.Held(); held > int64(4096+100*len(data)) {
			t.Fatalf("%d bytes of data make %d bytes of state", len(data), held)
		}
	})
}

// TestRestoreTrustsNoCount restores a head that promises 4 billion entries.
func TestRestoreTrustsNoCount(t *testing.T) {
	m := NewMemory(1, NewBudget("", 0))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := m.Restore([]byte(headOf("\x00", 0)[:15] + "\xff\xff\xff\xff")); err == nil {
		t.Error("taken")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<16 {
		t.Errorf("%d bytes were allocated", n)
	}
}
