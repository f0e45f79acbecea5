package host

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestLiveFigures measures what changes cost a pipeline that is as fast as it can; make
// bench-live runs it. It fails only where something cannot be measured.
func TestLiveFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for minutes: run make bench-live")
	}
	t.Run("edit_effect_p99", editFigures)
	t.Run("swap_pause_p99", func(t *testing.T) {
		small := pauses(t, "identity", 200)
		fmt.Printf("pauses of the data path by swaps of a C plugin: median %v, p99 %v\n", small[len(small)/2], small[len(small)*99/100])
		all := pauses(t, "identity-go", 200)
		fmt.Printf("by swaps of a Go plugin: median %v, the longest %v\n", all[len(all)/2], all[len(all)-5:])
		fmt.Printf("figure swap_pause_p99 %.4g ms\n", milliseconds(all[len(all)*99/100]))
	})
	t.Run("reload_storm_ratio", stormFigures)
	t.Run("swap_rss_growth", memoryFigures)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// gaps is a native transform that passes records on, and knows the longest time between
// two calls.
type gaps struct {
	last, longest, records atomic.Int64
}

// Call implements stream.Transform.
func (g *gaps) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	now := time.Now().UnixNano()
	g.records.Add(int64(in.Len()))
	if gap := now - g.last.Swap(now); gap > g.longest.Load() {
		g.longest.Store(gap)
	}
	out.AppendAll(in)
	return nil
}

// Close implements stream.Transform.
func (g *gaps) Close(context.Context) error { return nil }

// busy is a pipeline at full speed: generator → f, a plugin → gaps → drop.
type busy struct {
	*testing.T
	*Host
	*gaps
	dir     string
	rate    string
	plugins [2][]byte // versions of f
	applied chan stream.ConfigChange
	ended   chan error
}

// openBusy runs it; rate limits its source: ", rate: 100".
func openBusy(t *testing.T, plugin, rate string, follow bool) *busy {
	b := &busy{T: t, rate: rate, gaps: new(gaps), dir: t.TempDir(), applied: make(chan stream.ConfigChange, 1), ended: make(chan error, 1)}
	one := guest(t, plugin)
	b.plugins = [2][]byte{one, versioned(one, 2)}
	b.drop(0)
	b.write(512, "first")
	var err error
	b.Host, err = Open(t.Context(), Options{
		Files: []string{filepath.Join(b.dir, "p.yaml")}, Follow: follow,
		Set:    []string{"data.dir=" + t.TempDir(), "cache.dir=" + t.TempDir(), "plugins.dir=" + b.dir},
		Native: map[string]func() stream.Transform{"gaps": func() stream.Transform { return b.gaps }},
		Events: func(string) stream.Events {
			return stream.Events{ConfigApplied: func(c stream.ConfigChange) {
				if follow {
					b.applied <- c
				}
			}, ConfigRefused: func(err error) { t.Error(err) }}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { b.ended <- b.Host.Run(context.WithoutCancel(t.Context())) }()
	t.Cleanup(func() {
		b.Drain()
		if err := <-b.ended; err != nil {
			t.Error(err)
		}
		if err := b.Host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, version := range []int{1, 0} { // so that both are compiled
		b.drop(version)
		b.reload()
	}
	time.Sleep(time.Second)
	return b
}

func (b *busy) drop(version int) { b.save("f.wasm", b.plugins[version]) }

// write saves the pipeline's file.
func (b *busy) write(records int, description string) {
	b.save("p.yaml", []byte(strings.NewReplacer("RATE", b.rate, "RECORDS", fmt.Sprint(records), "TEXT", description).Replace(`name: p
description: TEXT
vertices:
  - {name: numbers, source: {generator: {size: 100RATE}}}
  - {name: f, udf: {plugin: f}, batch: {maxRecords: RECORDS}}
  - {name: gaps, udf: {plugin: gaps}, concurrency: 1}
  - {name: out, sink: drop}
edges:
  - {from: numbers, to: f}
  - {from: f, to: gaps}
  - {from: gaps, to: out}
`)))
}

func (b *busy) save(name string, data []byte) {
	b.Helper()
	name = filepath.Join(b.dir, name)
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		b.Fatal(err)
	}
}

func (b *busy) reload() {
	b.Helper()
	if b.Host.options.Follow {
		<-b.applied // each is waited for
		return
	}
	if _, err := b.Reload(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// editFigures measures the time from when a file is saved to when it is in force.
func editFigures(t *testing.T) {
	b := openBusy(t, "identity", "", true)
	var took []time.Duration
	for n := range 100 {
		began := time.Now()
		b.write(256+n, "edited")
		<-b.applied
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	fmt.Printf("edits: median %v\nfigure edit_effect_p99 %.4g ms\n", took[len(took)/2], milliseconds(took[98]))
}

// pauses returns the longest gap around each swap, sorted.
func pauses(t *testing.T, plugin string, swaps int) (all []time.Duration) {
	b := openBusy(t, plugin, "", false)
	measure := func(n int, change func(int)) (all []time.Duration) {
		for k := range n {
			b.longest.Store(0)
			change(k)
			time.Sleep(50 * time.Millisecond)
			all = append(all, time.Duration(b.longest.Load()))
		}
		slices.Sort(all)
		return all
	}
	quiet := measure(50, func(int) { time.Sleep(50 * time.Millisecond) })
	fmt.Printf("gaps without swaps, %s: median %v, the longest %v\n", plugin, quiet[len(quiet)/2], quiet[len(quiet)-1])
	return measure(swaps, func(k int) { b.drop((k + 1) % 2); b.reload() })
}

// stormFigures compares the throughput during ten reloads a second, every other one of
// which swaps the plugin, with that without, in turns.
func stormFigures(t *testing.T) {
	b := openBusy(t, "identity", "", false)
	const lasts = 4 * time.Second
	rate := func(each func(int)) float64 {
		began, from := time.Now(), b.records.Load()
		for n := 0; time.Since(began) < lasts; n++ {
			next := began.Add(time.Duration(n+1) * 100 * time.Millisecond)
			each(n)
			time.Sleep(time.Until(next))
		}
		return float64(b.records.Load()-from) / time.Since(began).Seconds()
	}
	var ratios []float64
	for range 7 {
		quiet := rate(func(int) {})
		storm := rate(func(n int) {
			if n%2 == 0 {
				b.drop(n / 2 % 2)
			} else {
				b.write(256+n, "storm")
			}
			b.reload()
		})
		ratios = append(ratios, storm/quiet)
	}
	slices.Sort(ratios)
	fmt.Printf("of seven: %.3f\nfigure reload_storm_ratio %.4g x\n", ratios, ratios[len(ratios)/2])
}

// memoryFigures measures by how much a thousand swaps of a Go plugin let the resident
// memory grow, after some that are not counted.
func memoryFigures(t *testing.T) {
	runtime.MemProfileRate = 8 << 20 // as the command has it
	b := openBusy(t, "identity-go", ", rate: 20000", false)
	swap := func(n int) {
		for k := range n {
			b.drop((k + 1) % 2)
			b.reload()
		}
		time.Sleep(time.Second)
		runtime.GC() // what is closed by finalizers is freed by the next one
		debug.FreeOSMemory()
	}
	swap(100)
	all := []float64{resident(t)}
	for range 4 {
		swap(250)
		all = append(all, resident(t))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("MiB after each 250 swaps: %.1f; %d goroutines, heap %.1f MiB\nfigure swap_rss_growth %.4g MiB\n", all, runtime.NumGoroutine(), float64(m.HeapAlloc)/(1<<20), all[4]-all[0])
}

// resident is the memory of this process that is in use, MiB.
func resident(t *testing.T) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(runtime.GOOS + " does not tell")
	}
	var size, pages float64
	if _, err := fmt.Fscan(bytes.NewReader(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
