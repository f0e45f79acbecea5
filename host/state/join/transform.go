package join

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// ErrCorrupt says that stored bytes are not what this package wrote.
var ErrCorrupt = errors.New("corrupt join state")

// Config says what a vertex joins.
type Config struct {
	Vertex stream.VertexID

	// Spec is of fixed, sliding or global windows, without early results.
	Spec window.Spec
	// Within is the most that may lie between the event times of a pair, with global
	// windows; 0: anything.
	Within time.Duration
	// Outer asks for the left records that found no right one, too.
	Outer bool

	Groups   int   // of keys
	MaxBytes int64 // of memory for state

	// Key returns the key of a record, valid until the next call; nil for its own.
	Key func(b *stream.Batch, i int) ([]byte, bool)
	// Right says for each port whether its records are those of the right side.
	Right []bool

	Late stream.Tag // of records that came too late
}

// Transform joins the records of one vertex. It implements stream.Durable.
type Transform struct {
	state.Keys
	state.Tables
	cfg    Config
	panes  window.Spec // which panes a record is in, and how long they stay
	store  *state.Memory
	timers *state.Timers
	groups []group
	late   atomic.Uint64

	mu   sync.Mutex // guards free
	free []*lane
}

// group is what the calls of a key group leave to each other.
type group struct {
	reached stream.Watermark // what is due by then is done, or will be before any record
	_       [56]byte         // groups share no cache line
}

// outerPanes is how many panes span the reach of a record where left records without
// a right one are asked for: they leave with their pane, once that is out of reach.
const outerPanes = 2

// New returns a join with empty state. Its error has no place.
func New(c Config) (*Transform, error) {
	panes := c.Spec
	if c.Within > 0 {
		panes = window.Spec{Kind: window.Fixed, Size: c.Within, Lateness: c.Spec.Lateness + c.Within}
		if c.Outer {
			panes.Size = (c.Within + outerPanes - 1) / outerPanes
		}
	}
	if err := errors.Join(c.Spec.Validate(), panes.Validate()); err != nil {
		return nil, err
	}
	why, fix := "", ""
	switch {
	case c.Spec.Kind == window.Session:
		why, fix = "a join has no sessions: their ends depend on records yet to come", "take fixed, sliding or global windows"
	case c.Spec.EveryRecords != 0 || c.Spec.Every != 0:
		why, fix = "the pairs of a join come at once, not every so often", "ask for no early results"
	case c.Within < 0 || c.Within > 0 && c.Spec.Kind != window.Global:
		why, fix = "only records of the global window are joined by how far apart they are", "give a time above zero, and the global window"
	}
	if why != "" {
		return nil, &stream.Error{Code: stream.ConfigValue, Why: why, Fix: fix}
	}
	budget := state.NewBudget(string(c.Vertex), c.MaxBytes)
	t := &Transform{Keys: state.NewKeys(c.Groups, c.Key), cfg: c, panes: panes, store: state.NewMemory(c.Groups, budget), timers: state.NewTimers(c.Groups, budget), groups: make([]group, c.Groups)}
	for n := range t.groups {
		t.groups[n].reached = stream.NoWatermark
	}
	t.Tables = state.NewTables(c.Groups, state.Notes{
		Fresh:  []int64{int64(stream.NoWatermark)},
		Note:   func(g state.Group, n []int64) { n[0] = int64(t.groups[g].reached) },
		Recall: func(g state.Group, n []int64) { t.groups[g].reached = stream.Watermark(n[0]) },
	}, state.Table{Name: "records", Held: t.store}, state.Table{Name: "timers", Held: t.timers})
	return t, nil
}

// Usage is what the vertex remembers: of its records and of its timers.
func (t *Transform) Usage() (records, timers state.Usage) { return t.store.Usage(), t.timers.Usage() }

// Late returns how many records came too late.
func (t *Transform) Late() uint64 { return t.late.Load() }

// In implements stream.Keyed.
func (t *Transform) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	l := t.take()
	defer t.give(l)
	l.reach(in)
	if t.Keyless(in, out) {
		return nil
	}
	l.render(in)
	if err := l.measure(in, out); err != nil || len(out.Failures) > 0 {
		return err
	}
	defer t.release(in)
	if err := l.reserve(in); err != nil {
		return err
	}
	late := 0
	for i := range in.Records {
		n, err := l.add(in, i, out)
		if err != nil {
			return err
		}
		if n == 0 {
			late++
			out.AppendFrom(in, i)
			out.Records[out.Len()-1].Tag = t.cfg.Late
		}
	}
	t.late.Add(uint64(late))
	return nil
}

func (t *Transform) release(in *stream.Batch) {
	for i := range in.Records {
		t.store.Release(state.Group(in.Records[i].Group))
		t.timers.Release(state.Group(in.Records[i].Group))
	}
}

// Due implements stream.Keyed.
func (t *Transform) Due(from, to int) (least stream.Watermark, ok bool) {
	for n := from; n < to; n++ {
		if at, due := t.timers.NextOf(state.Group(n)); due && (!ok || at < int64(least)) {
			least, ok = stream.Watermark(at), true
		}
	}
	return least, ok
}

// Alarm implements stream.Keyed: a join knows event time only.
func (t *Transform) Alarm(from, to int) (at int64, ok bool) { return 0, false }

// Close implements stream.Transform.
func (t *Transform) Close(context.Context) error { return nil }

// take returns a lane that no other call has.
func (t *Transform) take() *lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		l := t.free[n-1]
		t.free = t.free[:n-1]
		return l
	}
	return newLane(t)
}

// give takes a lane back. There are as many as calls were made at once.
func (t *Transform) give(l *lane) {
	l.clear()
	t.mu.Lock()
	t.free = append(t.free, l)
	t.mu.Unlock()
}
