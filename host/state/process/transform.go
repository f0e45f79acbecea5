package process

import (
	"context"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Guest is what handles the records. Up to the vertex's concurrency many goroutines
// call it at once.
type Guest interface {
	// Process is the Call of a stream.Transform, with the state of the records' keys.
	// Timers come as records by the ports stream.EventTimer and ClockTimer: the key
	// they were set for, their name as value and as time when they were to fire.
	Process(ctx context.Context, s *Session, in *stream.Batch, out *stream.Output) error

	// Close is that of a stream.Transform.
	Close(ctx context.Context) error
}

// Config says how much a vertex remembers, and by what.
type Config struct {
	Vertex    stream.VertexID
	Groups    int   // of keys
	MaxBytes  int64 // of memory for state and timers
	CallBytes int   // that one call may write, with names and keys

	// Key returns the key of a record, valid until the next call; nil for its own.
	Key func(b *stream.Batch, i int) ([]byte, bool)
}

// Transform calls a guest with state. It implements stream.Durable.
type Transform struct {
	state.Keys
	state.Tables
	cfg          Config
	guest        Guest
	seed         maphash.Seed
	store        *state.Memory
	event, clock *state.Timers
	reached      []int64 // by group: values that last up to then are gone

	mu   sync.Mutex
	idle []*Session // guarded by mu; as many as there were calls at once

	ended sync.Once    // at the end of the inputs
	left  atomic.Int64 // timers that may fire after it
}

// NewTransform returns a guest's transform with empty state. Closing it closes the
// guest.
func NewTransform(c Config, g Guest) *Transform {
	budget := state.NewBudget(string(c.Vertex), c.MaxBytes)
	t := &Transform{
		Keys: state.NewKeys(c.Groups, c.Key), cfg: c, guest: g, seed: maphash.MakeSeed(), store: state.NewMemory(c.Groups, budget),
		event: state.NewTimers(c.Groups, budget), clock: state.NewTimers(c.Groups, budget),
		reached: slices.Repeat([]int64{math.MinInt64}, c.Groups),
	}
	t.Tables = state.NewTables(c.Groups, state.Notes{
		Fresh:  []int64{math.MinInt64},
		Note:   func(g state.Group, n []int64) { n[0] = t.reached[g] },
		Recall: func(g state.Group, n []int64) { t.reached[g] = n[0] },
	}, state.Table{Name: "values", Held: t.store}, state.Table{Name: "event-timers", Held: t.event}, state.Table{Name: "clock-timers", Held: t.clock})
	return t
}

// Restored implements stream.Durable: it tells the store what time it is.
func (t *Transform) Restored(context.Context) error {
	for g, at := range t.reached {
		t.store.Expire(state.Group(g), at)
	}
	return nil
}

// Usage is what the vertex remembers: values and timers.
func (t *Transform) Usage() (values, timers state.Usage) {
	e, c := t.event.Usage(), t.clock.Usage()
	return t.store.Usage(), state.Usage{Keys: e.Keys + c.Keys, Bytes: e.Bytes + c.Bytes, Held: e.Held + c.Held}
}

// In implements stream.Keyed.
func (t *Transform) In(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	if t.Keyless(in, out) {
		return nil
	}
	t.expire(in)
	s := t.session()
	defer t.release(s)
	s.begin(in)
	size := in.Bytes()
	if err := t.guest.Process(ctx, s, in, out); err != nil || len(out.Failures) > 0 {
		return err
	}
	err := s.staged.Commit()
	if err != nil {
		if in.Bytes() < size { // out has it
			in.SwapArena(out.Batch)
		}
		in.Truncate(size)
	}
	return err
}

// expire tells the store what time it is for a call.
func (t *Transform) expire(in *stream.Batch) {
	now := in.Watermark
	if now == stream.NoWatermark || now == stream.EndOfTime {
		return
	}
	for i := range in.Records {
		if r := &in.Records[i]; r.Port == stream.EventTimer {
			now = min(now, stream.Watermark(r.Time))
		}
	}
	for i := range in.Records {
		if g := state.Group(in.Records[i].Group); t.reached[g] < int64(now) {
			t.reached[g] = int64(now)
			t.store.Expire(g, int64(now))
		}
	}
}

// Close implements stream.Transform.
func (t *Transform) Close(ctx context.Context) error { return t.guest.Close(ctx) }

// session returns one that nobody uses.
func (t *Transform) session() *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return newSession(t)
	}
	s := t.idle[n-1]
	t.idle = t.idle[:n-1]
	return s
}

func (t *Transform) release(s *Session) {
	s.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = append(t.idle, s)
}

// timers returns those of a clock.
func (t *Transform) timers(clock int) *state.Timers {
	if clock == WallClock {
		return t.clock
	}
	return t.event
}
