package durable_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// minioStore opens a store on a MinIO server that ends with the test; nil without the
// build tag minio.
var minioStore func(t *testing.T) func(context.Context) (checkpoint.Store, error)

func dirStore(path string) func(context.Context) (checkpoint.Store, error) {
	return func(context.Context) (checkpoint.Store, error) {
		s, err := dir.Open(path)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// visits is a source of records without end whose keys a number of users take in
// turn. Its rate can be changed.
type visits struct {
	next    uint64
	keys    uint64
	key     func(dst []byte, user uint64) []byte
	value   []byte
	limit   atomic.Uint64 // records to be read in all
	perTick atomic.Int64  // records each millisecond; 0 = as fast as can be
}

func (s *visits) Open(_ context.Context, after stream.Position) (err error) {
	if after != nil {
		s.next, err = strconv.ParseUint(string(after), 10, 64)
	}
	return err
}

func (s *visits) Position(dst []byte) stream.Position        { return strconv.AppendUint(dst, s.next, 10) }
func (s *visits) Ack(context.Context, stream.Position) error { return nil }
func (s *visits) Close() error                               { return nil }

func (s *visits) Read(ctx context.Context, b *stream.Batch) error {
	for s.next >= s.limit.Load() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n := uint64(1024)
	if tick := s.perTick.Load(); tick > 0 {
		time.Sleep(time.Millisecond)
		n = uint64(tick)
	}
	var room [1024]byte
	for range min(n, s.limit.Load()-s.next) {
		user := s.next * 0x9e3779b97f4a7c15 >> 20 % s.keys
		b.Append(int64(s.next), s.key(room[:0], user), s.value, nil)
		s.next++
	}
	return nil
}

// none is a sink of nothing.
type none struct{}

func (none) Open(context.Context) error                 { return nil }
func (none) Write(context.Context, *stream.Batch) error { return nil }
func (none) Flush(context.Context) error                { return nil }
func (none) Close() error                               { return nil }

// bench counts visits by user.
type bench struct {
	*testing.T
	*durable.Runner
	visits *visits
	count  *window.Transform
	end    context.CancelFunc
	done   chan error

	mu       sync.Mutex // guards the rest
	reports  []stream.CheckpointReport
	restored stream.Restoration
}

func shortKey(dst []byte, user uint64) []byte { return binary.LittleEndian.AppendUint64(dst, user) }

// longKey has a thousand bytes that do not compress well.
func longKey(dst []byte, user uint64) []byte {
	for x := user + 1; len(dst) < 1000; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		dst = binary.LittleEndian.AppendUint64(dst, x)
	}
	return dst
}

func newBench(t *testing.T, v *visits, open func(context.Context) (checkpoint.Store, error), s checkpoint.Settings) *bench {
	return newBenchOn(t, v, true, open, s)
}

func newBenchOn(t *testing.T, v *visits, local bool, open func(context.Context) (checkpoint.Store, error), s checkpoint.Settings) *bench {
	b := &bench{T: t, visits: v, done: make(chan error, 1)}
	var err error
	b.count, err = window.NewTransform(window.Config{Vertex: "count", Spec: window.Spec{Kind: window.Fixed, Size: 1000 * time.Hour}, Aggregate: "count", Groups: 128, MaxBytes: 4 << 30})
	if err != nil {
		t.Fatal(err)
	}
	queue := pipeline.Limit{Records: 16384, Bytes: 8 << 20}
	s.MaxInFlight, s.TolerableFailures, s.AlignTimeout, s.Retain.Count = 1, 0, 10*time.Second, 1
	b.Runner, err = durable.New(durable.Config{
		Name: "bench", Settings: s, Open: open, Local: local,
		Graph: pipeline.Graph{
			Vertices: []pipeline.Vertex{
				{Name: "in", Source: v},
				{Name: "count", Transform: b.count, Concurrency: 2, Call: pipeline.Limit{Records: 1024, Bytes: 4 << 20}, CallTime: time.Millisecond, Queue: queue,
					Processing: pipeline.Limit{Records: 65536, Bytes: 64 << 20}, Output: queue},
				{Name: "out", Sink: none{}, Queue: queue},
			},
			Edges: []pipeline.Edge{{From: "in", To: "count"}, {From: "count", To: "out", Tags: []string{"none"}}},
			Tags:  stream.NewTagTable("none"),
		},
		Shapes: map[stream.VertexID]durable.Shape{"in": {Role: "source"}, "count": {Role: "aggregate", State: "count", From: []stream.VertexID{"in"}}, "out": {Role: "sink"}},
		Events: stream.Events{
			CheckpointDone: func(r stream.CheckpointReport) { b.mu.Lock(); defer b.mu.Unlock(); b.reports = append(b.reports, r) },
			Restored:       func(r stream.Restoration) { b.mu.Lock(); defer b.mu.Unlock(); b.restored = r },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.end = cancel
	go func() { b.done <- b.Runner.Run(ctx) }()
	return b
}

// stop ends the run without a last checkpoint.
func (b *bench) stop() {
	b.Helper()
	b.end()
	if err := <-b.done; !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
}

// counted is how many records were counted so far.
func (b *bench) counted() uint64 { return b.Stats()[1].RecordsIn }

// reach waits until so many records in all are counted.
func (b *bench) reach(n uint64) {
	for b.counted() < n {
		time.Sleep(5 * time.Millisecond)
	}
}

// checkpoint takes one and returns its report.
func (b *bench) checkpoint() stream.CheckpointReport {
	b.mu.Lock()
	n := len(b.reports)
	b.mu.Unlock()
	b.Request()
	for {
		b.mu.Lock()
		if len(b.reports) > n {
			defer b.mu.Unlock()
			return b.reports[n]
		}
		b.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

// rate is how many records a second are counted in a time.
func (b *bench) rate(d time.Duration) float64 {
	from, began := b.counted(), time.Now()
	time.Sleep(d)
	return float64(b.counted()-from) / time.Since(began).Seconds()
}

func (b *bench) interval(d time.Duration) {
	b.Helper()
	s := checkpoint.Settings{Interval: d, MaxInFlight: 1, AlignTimeout: 10 * time.Second, Retain: checkpoint.Retention{Count: 1}}
	if _, err := b.Configure(b.Context(), s); err != nil {
		b.Fatal(err)
	}
}

// tolerate takes checkpoints at an interval, and any number of failures.
func (b *bench) tolerate(d time.Duration) {
	b.Helper()
	s := checkpoint.Settings{Interval: d, MaxInFlight: 1, Timeout: time.Minute, TolerableFailures: 1000, Retain: checkpoint.Retention{Count: 1}}
	if _, err := b.Configure(b.Context(), s); err != nil {
		b.Fatal(err)
	}
}

func figure(t *testing.T, name string, value float64, unit string) {
	fmt.Fprintf(t.Output(), "figure %s %.4g %s\n", name, value, unit)
}

// TestFigures measures; make bench-checkpoint runs it. It fails only where something
// cannot be measured.
func TestFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for some minutes: run make bench-checkpoint")
	}
	t.Run("ratios", measureRatios)
	t.Run("large", measureLarge)
	t.Run("small", measureSmall)
}

// measureRatios compares the rate with and without checkpoints, in turn within one run.
func measureRatios(t *testing.T) {
	const keys = 1_000_000
	v := &visits{keys: keys, key: shortKey, value: make([]byte, 92)}
	v.limit.Store(1 << 62)
	b := newBench(t, v, dirStore(t.TempDir()), checkpoint.Settings{})
	b.reach(5 * keys)
	for _, m := range []struct {
		name     string
		interval time.Duration
		segment  time.Duration
		rounds   int
	}{
		{"ckpt_ratio_200ms", 200 * time.Millisecond, 2 * time.Second, 20},
		{"ckpt_ratio_1s", time.Second, 4 * time.Second, 12},
		{"ckpt_ratio_10s", 10 * time.Second, 10 * time.Second, 8},
		{"ckpt_ratio_60s", time.Minute, time.Minute, 2},
	} {
		t.Run(m.name, func(t *testing.T) {
			var ratios []float64
			var without, with float64
			before := b.Checkpoints().Completed
			for round := range m.rounds {
				var off, on float64
				for k := range 2 {
					if (round+k)%2 == 0 {
						b.interval(0)
						time.Sleep(time.Second)
						off = b.rate(m.segment)
					} else {
						b.Request() // so that a segment has its share whatever the interval
						b.interval(m.interval)
						on = b.rate(m.segment)
					}
				}
				ratios, without, with = append(ratios, on/off), without+off, with+on
			}
			slices.Sort(ratios)
			fmt.Fprintf(t.Output(), "%s: %.2f M/s without, %.2f M/s with, %d checkpoints\n", m.name, without/float64(m.rounds)/1e6, with/float64(m.rounds)/1e6, b.Checkpoints().Completed-before)
			figure(t, m.name, ratios[len(ratios)/2], "x")
		})
	}
	b.stop()
}

// measureLarge is about a GB of state, in which each key is twice: by itself, and among
// those of its window.
func measureLarge(t *testing.T) {
	const keys = 520_000
	folder := t.TempDir()
	v := &visits{keys: keys, key: longKey}
	v.limit.Store(3 * keys) // the order of users is not quite random: so many for all
	b := newBench(t, v, dirStore(folder), checkpoint.Settings{})
	b.reach(3 * keys)
	full := b.checkpoint()
	usage, _ := b.count.Usage()
	fmt.Fprintf(t.Output(), "state: %d keys, %.2f GB; the first checkpoint took %v\n", usage.Keys, float64(usage.Bytes)/1e9, full.Took.Round(time.Millisecond))

	v.limit.Add(keys / 100)
	b.reach(v.limit.Load())
	some := b.checkpoint()
	figure(t, "ckpt_incremental_ratio", float64(some.NewBytes)/float64(full.NewBytes), "x")

	v.perTick.Store(20)
	v.limit.Store(1 << 62)
	var pauses []time.Duration
	b.interval(300 * time.Millisecond)
	b.mu.Lock()
	from := len(b.reports)
	b.mu.Unlock()
	for len(pauses) < 200 {
		time.Sleep(time.Second)
		b.mu.Lock()
		pauses = pauses[:0]
		for _, r := range b.reports[from:] {
			pauses = append(pauses, r.Blocked)
		}
		b.mu.Unlock()
	}
	slices.Sort(pauses)
	fmt.Fprintf(t.Output(), "pauses: %d, median %v, the longest %v\n", len(pauses), pauses[len(pauses)/2], pauses[len(pauses)-5:])
	figure(t, "ckpt_pause_p99", pauses[len(pauses)*99/100].Seconds()*1e3, "ms")
	b.interval(0)
	b.checkpoint()
	b.stop()
	b.count = nil

	figure(t, "restore_dir_1gb", measureRestore(t, dirStore(folder)), "s")
	if minioStore == nil {
		t.Fatal("no MinIO: use the build tag minio")
	}
	open := minioStore(t)
	v = &visits{keys: keys, key: longKey}
	v.limit.Store(3 * keys)
	b = newBenchOn(t, v, false, open, checkpoint.Settings{})
	b.reach(3 * keys)
	full = b.checkpoint()
	fmt.Fprintf(t.Output(), "the first checkpoint to MinIO took %v\n", full.Took.Round(time.Millisecond))
	b.stop()
	b.count = nil
	figure(t, "restore_minio_1gb", measureRestore(t, open), "s")
}

func measureRestore(t *testing.T, open func(context.Context) (checkpoint.Store, error)) float64 {
	best := 0.0
	for range 3 {
		b := newBench(t, &visits{keys: 1, key: longKey}, open, checkpoint.Settings{})
		for b.Phase() != pipeline.PhaseRunning {
			time.Sleep(time.Millisecond)
		}
		took := b.restored.Took.Seconds()
		if b.restored.Bytes < 1_000_000_000 {
			t.Fatalf("only %d bytes were restored", b.restored.Bytes)
		}
		b.stop()
		fmt.Fprintf(t.Output(), "restored %.2f GB in %.2f s\n", float64(b.restored.Bytes)/1e9, took)
		if best == 0 || took < best {
			best = took
		}
	}
	return best
}

// measureSmall counts the objects of a checkpoint of a small pipeline.
func measureSmall(t *testing.T) {
	folder := t.TempDir()
	v := &visits{keys: 10_000, key: shortKey, value: make([]byte, 92)}
	v.limit.Store(1 << 62)
	v.perTick.Store(100)
	b := newBench(t, v, dirStore(folder), checkpoint.Settings{})
	time.Sleep(time.Second)
	count := func() (n int) {
		s, err := dir.Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, err := range s.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	s := checkpoint.Settings{MaxInFlight: 1, Retain: checkpoint.Retention{Count: 1000}}
	if _, err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	before := count()
	for range 20 {
		b.checkpoint()
	}
	figure(t, "ckpt_objects_small", float64(count()-before)/20, "objects")
	b.stop()
}
