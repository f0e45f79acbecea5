package state

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkFreeze freezes a store of values of 100 bytes, reads it while nothing and
// while everything changes, and restores it. STATE_KEYS=10000000 makes it 1 GB.
func BenchmarkFreeze(b *testing.B) {
	n := benchKeys(b)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for b.Loop() {
		m := hundreds(b, n)
		runtime.GC()
		var parts [][]byte
		read := func(f *Frozen, saved, keep bool) (size int, took time.Duration) {
			start := time.Now()
			_ = f.Parts(func(_, _ int, _ bool, _ int, data []byte) error {
				if size += len(data); keep {
					parts = append(parts, bytes.Clone(data))
				}
				return nil
			})
			took = time.Since(start)
			f.Release(saved)
			return size, took
		}
		freeze := func(what string, full bool) *Frozen {
			start := time.Now()
			f := m.Freeze(full)
			b.ReportMetric(ms(time.Since(start)), what+"-ms")
			return f
		}
		all, took := read(freeze("first", true), true, false)
		b.ReportMetric(float64(all)/1e6/took.Seconds(), "read-MB/s")

		var took21 []time.Duration
		for range 21 {
			start := time.Now()
			f := m.Freeze(true)
			took21 = append(took21, time.Since(start))
			f.Release(false)
		}
		slices.Sort(took21)
		b.ReportMetric(ms(took21[10]), "freeze-median-ms")
		b.ReportMetric(ms(took21[20]), "freeze-longest-ms")

		rewrite(b, m, n, 100, 'b')
		some, took := read(freeze("freeze-1%", false), false, false)
		b.ReportMetric(100*float64(some)/float64(all), "delta-%")
		b.ReportMetric(ms(took), "delta-read-ms")
		read(freeze("freeze-unsaved", false), true, false)

		start := time.Now()
		rewrite(b, m, n, 1, 'c')
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(n), "put-ns")
		f := freeze("freeze-all", true)
		start = time.Now()
		rewrite(b, m, n, 1, 'd')
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(n), "put-frozen-ns")
		b.ReportMetric(float64(m.budget.Held())/float64(m.budget.held.Load()), "held-times")
		read(f, true, true)

		m = NewMemory(DefaultGroups, NewBudget("", 0))
		runtime.GC()
		start, before := time.Now(), used(b)
		lanes := make([][][]byte, 2)
		for _, data := range parts {
			p, _ := readPart(data, DefaultGroups)
			lane := &lanes[2*p.from/DefaultGroups]
			*lane = append(*lane, data)
		}
		var at sync.WaitGroup
		for _, lane := range lanes {
			at.Go(func() {
				for _, data := range lane {
					if err := m.Restore(data); err != nil {
						b.Error(err)
					}
				}
			})
		}
		at.Wait()
		b.ReportMetric(time.Since(start).Seconds(), "restore-s")
		b.ReportMetric(float64(used(b)-before)/1e9, "restore-cpu-s")
	}
}

// BenchmarkParts reads views of a million entries of 33 bytes of which so many of a
// hundred were changed. The CPU time is that of all threads.
func BenchmarkParts(b *testing.B) {
	const keys = 1_000_000
	for _, changed := range []int{1, 20, 40, 60, 100} {
		b.Run(fmt.Sprint(changed, "%"), func(b *testing.B) {
			m := NewMemory(DefaultGroups, NewBudget("", 0))
			var key [17]byte
			put := func(of int) {
				for i := range keys {
					if i*7919%100 < of {
						k := key[:copy(key[:], numbered(key[:8], i))+9]
						_ = m.Put(GroupOf(k, DefaultGroups), k, key[:12], 0)
					}
				}
			}
			put(100)
			read := func(f *Frozen) (size int) {
				_ = f.Parts(func(_, _ int, _ bool, _ int, data []byte) error {
					size += len(data)
					return nil
				})
				f.Release(true)
				return size
			}
			read(m.Freeze(true))
			size, took := 0, int64(0)
			for b.Loop() {
				b.StopTimer()
				put(changed)
				for i := range m.history.chains {
					m.history.chains[i].n, m.history.chains[i].deltas = 0, 0
				}
				f := m.Freeze(false)
				b.StartTimer()
				start := used(b)
				size = read(f)
				took += used(b) - start
			}
			b.ReportMetric(float64(took)/float64(b.N*keys*changed/100), "cpu-ns/change")
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}
