package window

import (
	"context"
	"math"
	"sync"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Guests aggregates the records of one vertex with what a guest knows of it: it
// keeps the accumulators, and calls the guest with many windows at once. Windows
// open, fire and end as those of an Operator do. It implements stream.Durable.
//
//	records ─▶ In: which windows? ─▶ accumulators ─▶ Merge, Add, Result ─▶ Store, Timers
//	                                    ▲ of the call alone until all has gone well │
//	watermark ─▶ Advance: which are due? ─▶ record {window, accumulator} ─▶ In: Result
//
// What is due leaves the store before its result is asked for, and comes back to In
// as a record of its own (Port stream.EventTimer): its value is the window as JSON,
// its header "wasmill-window" has the accumulator. If it fails it is tried again,
// dropped or sent to the dead letters as any record. A window whose result was
// dropped is gone; within the lateness it goes on without that result.
//
// Results that come of records in a call (early ones after so many, late ones) are
// part of that call. If such a result fails, so does the record that brought it, or
// each of those that came too late.
type Guests struct {
	state.Keys
	state.Tables
	cfg    GuestConfig
	store  *memory
	timers *state.Timers
	groups []guestGroup

	mu   sync.Mutex
	free []*folding // guarded by mu
}

// GuestConfig says what a vertex aggregates with a guest.
type GuestConfig struct {
	Vertex   stream.VertexID
	Spec     Spec
	Guest    stream.Folder
	Groups   int   // of keys
	MaxBytes int64 // of memory for state

	// Key returns the key of a record, valid until the next call; nil = its own.
	Key func(b *stream.Batch, i int) ([]byte, bool)

	Late stream.Tag // of records that came too late
}

// guestGroup is what is known of a group beside its windows.
type guestGroup struct {
	progress
	_ [64]byte // groups share no cache line
}

// NewGuests returns an aggregation with empty state. Its error has no place.
func NewGuests(c GuestConfig) (*Guests, error) {
	if err := c.Spec.Validate(); err != nil {
		return nil, err
	}
	if c.Spec.Kind == Session && !c.Guest.Merges() {
		return nil, wrong("session windows grow together, and the plugin does not export wasmill_merge", "write one, or take fixed, sliding or global windows")
	}
	budget := state.NewBudget(string(c.Vertex), c.MaxBytes)
	t := &Guests{Keys: state.NewKeys(c.Groups, c.Key), cfg: c, store: newMemory(c.Groups, budget), timers: state.NewTimers(c.Groups, budget), groups: make([]guestGroup, c.Groups)}
	for g := range t.groups {
		t.groups[g].progress = fresh
	}
	t.Tables = tables(c.Groups, func(g state.Group) *progress { return &t.groups[g].progress }, t.store, t.timers)
	return t, nil
}

// Usage is what the vertex remembers: of its windows and of their timers.
func (t *Guests) Usage() (windows, timers state.Usage) { return t.store.usage(), t.timers.Usage() }

// In implements stream.Keyed.
func (t *Guests) In(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	if t.Keyless(in, out) {
		return nil
	}
	f := t.take()
	defer t.give(f)
	f.begin(t, in, out)
	err := f.run(ctx)
	if err != nil || len(out.Failures) > 0 {
		out.Reset()
		return err
	}
	for i := range in.Records {
		r := &in.Records[i]
		if r.Port == stream.EventTimer {
			continue
		}
		g := &t.groups[r.Group]
		if !g.used {
			g.used, g.latest = true, r.Time
		}
		g.latest, g.reached = max(g.latest, r.Time), stream.Watermark(f.now)
	}
	return nil
}

// Due implements stream.Keyed.
func (t *Guests) Due(from, to int) (least stream.Watermark, ok bool) {
	for n := from; n < to; n++ {
		if at, due := t.due(n); due && (!ok || at < least) {
			least, ok = at, true
		}
	}
	return least, ok
}

func (t *Guests) due(n int) (stream.Watermark, bool) {
	if at, ok := t.timers.NextOf(state.Group(n)); ok {
		return stream.Watermark(at), true
	}
	g := &t.groups[n]
	return stream.EndOfTime, g.used && g.reached < stream.EndOfTime
}

// Alarm implements stream.Keyed: windows are of event time.
func (t *Guests) Alarm(from, to int) (at int64, ok bool) { return 0, false }

// Advance implements stream.Keyed.
func (t *Guests) Advance(_ context.Context, from, to int, upTo stream.Watermark, _ int64, in *stream.Batch, _ *stream.Output) error {
	f := t.take()
	defer t.give(f)
	for n := from; n < to && in.Len() < enough; n++ {
		at, due := t.due(n)
		g := &t.groups[n]
		g.reached = max(g.reached, upTo)
		if !due || at > upTo {
			continue
		}
		err := f.Advance(state.Group(n), g.reached, func(r Result) {
			at := r.End - 1
			if r.Window == allTime {
				at = g.latest
			}
			f.appendDue(in, r, at, uint16(n))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close implements stream.Transform. The guest is its owner's to close.
func (t *Guests) Close(context.Context) error { return nil }

// take returns what one call works with.
func (t *Guests) take() *folding {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		f := t.free[n-1]
		t.free = t.free[:n-1]
		return f
	}
	return newFolding(t)
}

// give takes it back, unless it has grown past what one is worth keeping.
func (t *Guests) give(f *folding) {
	if !f.end() {
		return
	}
	t.mu.Lock()
	t.free = append(t.free, f)
	t.mu.Unlock()
}

// raw is the Aggregator of an Operator that gives accumulators for results.
type raw struct{}

func (raw) Init(dst []byte) []byte                 { return dst }
func (raw) Add([]byte, Record) ([]byte, error)     { panic("BUG: a guest adds") }
func (raw) Merge([]byte, []byte) ([]byte, error)   { panic("BUG: a guest merges") }
func (raw) Result(dst, acc []byte) ([]byte, error) { return append(dst, acc...), nil }

// latestOf returns the latest event time that came to the groups of a call, the
// records in hand included.
func (f *folding) latestOf() int64 {
	latest := int64(math.MinInt64)
	for i := range f.in.Records {
		r := &f.in.Records[i]
		if g := &f.guests.groups[r.Group]; g.used {
			latest = max(latest, g.latest)
		}
		latest = max(latest, r.Time)
	}
	return latest
}
