package state

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// benchKeys is how many keys the benchmarks hold. STATE_KEYS=10000000 makes it
// ten million.
func benchKeys(b testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("STATE_KEYS"))
	if err != nil {
		return 1_000_000
	}
	b.Logf("%d keys", n)
	return n
}

func numbered(key []byte, i int) []byte {
	binary.BigEndian.PutUint64(key, uint64(i)*0x9e3779b97f4a7c15)
	return key
}

func load(b testing.TB, keys int) *Memory {
	m := NewMemory(DefaultGroups, NewBudget("", 0))
	var key, value [8]byte
	for i := range keys {
		k := numbered(key[:], i)
		if err := m.Put(GroupOf(k, DefaultGroups), k, value[:], 0); err != nil {
			b.Fatal(err)
		}
	}
	return m
}

// shuffled is the order of keys in which the benchmarks go, so that no cache helps.
func shuffled(n int) []uint32 {
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// cpu reports the processor time of an operation, which others on the machine
// lengthen less than the time that passes. The result is called at the end.
func cpu(b *testing.B) func() {
	start := used(b)
	return func() { b.ReportMetric(float64(used(b)-start)/float64(b.N), "cpu-ns/op") }
}

func used(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkValue(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	var key [8]byte
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		k := numbered(key[:], int(order[i%n]))
		if _, ok := m.Value(GroupOf(k, DefaultGroups), k); !ok {
			b.Fatal("lost")
		}
	}
}

// BenchmarkUpdate puts a value of the same size to a key that is there.
func BenchmarkUpdate(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	var key, value [8]byte
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		k := numbered(key[:], int(order[i%n]))
		if err := m.Put(GroupOf(k, DefaultGroups), k, value[:], 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWarmUpdate is BenchmarkUpdate in batches of 256 keys, warmed.
func BenchmarkWarmUpdate(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	const batch = 256
	var value [8]byte
	keys, groups := make([][]byte, batch), make([]Group, batch)
	for i := range keys {
		keys[i] = make([]byte, 8)
	}
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		if i%batch == 0 {
			for j := range keys {
				groups[j] = GroupOf(numbered(keys[j], int(order[(i+j)%n])), DefaultGroups)
			}
			m.Warm(groups, keys)
		}
		if err := m.Put(groups[i%batch], keys[i%batch], value[:], 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStagedUpdate reads and writes 100 keys a call and commits.
func BenchmarkStagedUpdate(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	s := NewStaged(m, "", 1<<20)
	var key, value [8]byte
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		k := numbered(key[:], int(order[i%n]))
		g := GroupOf(k, DefaultGroups)
		v, _ := s.Value(g, k)
		copy(value[:], v)
		value[0]++
		if err := s.Put(g, k, value[:], 0); err != nil {
			b.Fatal(err)
		}
		if i%100 == 99 {
			if err := s.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkInsert fills stores and reports what a key takes and the longest Put.
func BenchmarkInsert(b *testing.B) {
	n := benchKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		m := load(b, n)
		u := m.Usage()
		b.ReportMetric(float64(u.Held-u.Bytes)/float64(u.Keys), "overhead-B/key")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/key")
}

// BenchmarkLongestPut reports the longest single insertion among all.
func BenchmarkLongestPut(b *testing.B) {
	n := benchKeys(b)
	for b.Loop() {
		m := NewMemory(DefaultGroups, NewBudget("", 0))
		var key, value [8]byte
		var longest time.Duration
		runtime.GC()
		for i := range n {
			k := numbered(key[:], i)
			g := GroupOf(k, DefaultGroups)
			start := time.Now()
			_ = m.Put(g, k, value[:], 0)
			longest = max(longest, time.Since(start))
		}
		b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
	}
}

// BenchmarkHeap reports what the heap grows by for a key, by Go's own count.
func BenchmarkHeap(b *testing.B) {
	n := benchKeys(b)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := load(b, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n)-16, "overhead-B/key")
		b.ReportMetric(float64(after.HeapObjects-before.HeapObjects)/float64(n), "objects/key")
		runtime.KeepAlive(m)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	m := load(b, benchKeys(b))
	var data []byte
	for b.Loop() {
		data = m.Snapshot(3, data[:0])
	}
	b.SetBytes(int64(len(data)))
}

func BenchmarkRestore(b *testing.B) {
	m := load(b, benchKeys(b))
	data := m.Snapshot(3, nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := m.Restore(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList lists the 10 entries of a prefix among all keys of a group.
func BenchmarkList(b *testing.B) {
	m := NewMemory(1, NewBudget("", 0))
	for i := range 100_000 {
		_ = m.Put(0, fmt.Appendf(nil, "%05d/%d", i/10, i%10), []byte("value"), 0)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := 0
		m.Range(0, fmt.Appendf(nil, "%05d/", i%10_000), func(_, _ []byte) bool { n++; return true })
		if n != 10 {
			b.Fatal(n)
		}
	}
}

// BenchmarkTimers sets, puts off and takes out timers of a million keys.
func BenchmarkTimers(b *testing.B) {
	n := benchKeys(b)
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		timers := NewTimers(DefaultGroups, NewBudget("", 0))
		var key [8]byte
		stage := func(what string, do func(i int, g Group, k []byte)) {
			start := time.Now()
			for i := range n {
				k := numbered(key[:], i)
				do(i, GroupOf(k, DefaultGroups), k)
			}
			b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(n), what+"-ns")
		}
		stage("set", func(i int, g Group, k []byte) { _ = timers.Set(g, r.Int64N(1<<40), k, []byte("w")) })
		u := timers.Usage()
		b.ReportMetric(float64(u.Held)/float64(u.Keys)-9, "overhead-B/timer")
		stage("later", func(i int, g Group, k []byte) { _ = timers.Set(g, 1<<40+r.Int64N(1<<40), k, []byte("w")) })
		stage("earlier", func(i int, g Group, k []byte) { _ = timers.Set(g, r.Int64N(1<<30), k, []byte("w")) })
		stage("next", func(int, Group, []byte) { timers.Next() })
		start, due := time.Now(), 0
		for g := range Group(DefaultGroups) { // as an operator does whose watermark has moved
			for _, _, _, ok := timers.Due(g, 1<<50); ok; _, _, _, ok = timers.Due(g, 1<<50) {
				due++
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(due), "due-ns")
	}
}

// BenchmarkGrowth doubles the index of a group that has its share of 10 million keys.
func BenchmarkGrowth(b *testing.B) {
	m := NewMemory(1, NewBudget("", 0))
	var key [8]byte
	for i := range 98_304 {
		_ = m.Put(0, numbered(key[:], i), nil, 0)
	}
	t := &m.groups[0].table
	for b.Loop() {
		t.resize(2 * len(t.slots))
		b.StopTimer()
		t.resize(len(t.slots) / 2)
		b.StartTimer()
	}
	b.ReportMetric(float64(len(t.slots)), "slots")
}

// BenchmarkTrackedUpdate is BenchmarkUpdate after a Freeze, when no view is read.
func BenchmarkTrackedUpdate(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	take(b, m.Freeze(true), true)
	var key, value [8]byte
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		k := numbered(key[:], int(order[i%n]))
		if err := m.Put(GroupOf(k, DefaultGroups), k, value[:], 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEdit writes to a value of a key that is there, in place.
func BenchmarkEdit(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	var key [8]byte
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		k := numbered(key[:], int(order[i%n]))
		v, ok := m.Edit(GroupOf(k, DefaultGroups), k)
		if !ok {
			b.Fatal("lost")
		}
		v[0]++
	}
}

// BenchmarkFind is BenchmarkEdit in batches of 256 keys.
func BenchmarkFind(b *testing.B) {
	n := benchKeys(b)
	m, order := load(b, n), shuffled(n)
	const batch = 256
	keys, groups, values := make([][]byte, batch), make([]Group, batch), make([][]byte, batch)
	for i := range keys {
		keys[i] = make([]byte, 8)
	}
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		if i%batch == 0 {
			for j := range keys {
				groups[j] = GroupOf(numbered(keys[j], int(order[(i+j)%n])), DefaultGroups)
			}
			m.Find(groups, keys, values)
		}
		values[i%batch][0]++
	}
}
