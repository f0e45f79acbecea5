package pipeline

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

// album keeps the snapshots of a pipeline.
type album struct {
	mu    sync.Mutex
	taken map[stream.Epoch]map[stream.VertexID]Snapshot // guarded by mu
}

func (a *album) add(v stream.VertexID, b *stream.Barrier, s Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken == nil {
		a.taken = map[stream.Epoch]map[stream.VertexID]Snapshot{}
	}
	if a.taken[b.Epoch] == nil {
		a.taken[b.Epoch] = map[stream.VertexID]Snapshot{}
	}
	a.taken[b.Epoch][v] = s
}

func (a *album) of(epoch stream.Epoch, v stream.VertexID) (s Snapshot, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok = a.taken[epoch][v]
	return s, ok
}

func (a *album) count(epoch stream.Epoch) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.taken[epoch])
}

// inputs returns the values that a snapshot has, in their order.
func (a *album) inputs(epoch stream.Epoch, v stream.VertexID) (values []string) {
	s, _ := a.of(epoch, v)
	for _, b := range s.Inputs {
		for i := range b.Records {
			values = append(values, string(b.Value(i)))
		}
	}
	return values
}

// launch runs a graph with checkpoints until stop is called, which returns what Run did.
func launch(t *testing.T, g Graph, from map[stream.VertexID]Restored) (p *Pipeline, a *album, stop func() error) {
	t.Helper()
	a = &album{}
	p = mustNew(t, g, Hooks{Snapshot: a.add})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, given(from)) }()
	synctest.Wait()
	return p, a, func() error { cancel(); return <-done }
}

// counter is a Durable that counts, by group; a call waits for its gate.
type counter struct {
	gate   chan struct{}
	counts []int
	began  atomic.Int32
	noKey  []uint16 // groups of records without one
}

func (c *counter) Groups() int { return len(c.counts) }

func (c *counter) Key(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), b.Value(i)[0] != '9' }

func (c *counter) Group(key []byte) int { return int(key[len(key)-1]) % len(c.counts) }

func (c *counter) Due(int, int) (stream.Watermark, bool) { return 0, false }

func (c *counter) Alarm(int, int) (int64, bool) { return 0, false }

func (c *counter) Close(context.Context) error { return nil }

func (c *counter) Restore(string, bool, []byte) error { return nil }

func (c *counter) Reset() {}

func (c *counter) Restored(context.Context) error { return nil }

func (c *counter) Call(context.Context, *stream.Batch, *stream.Output) error { return nil }

func (c *counter) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	c.began.Add(1)
	<-c.gate
	for i, r := range in.Records {
		if r.Port != stream.NoKey {
			c.counts[r.Group]++
		} else {
			c.noKey = append(c.noKey, r.Group)
		}
		_ = pass(out, in, i)
	}
	return nil
}

func (c *counter) Advance(context.Context, int, int, stream.Watermark, int64, *stream.Batch, *stream.Output) error {
	return nil
}

type frozenCounts []int

func (c *counter) Freeze(bool) stream.Frozen { return frozenCounts(slices.Clone(c.counts)) }

func (frozenCounts) Parts(func(string, int, int, bool, int, []byte) error) error { return nil }

func (frozenCounts) Size() int64 { return 0 }

func (frozenCounts) Release(bool) {}
