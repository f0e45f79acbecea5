package window

import (
	"context"
	"errors"
	"math"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Config says what a vertex aggregates.
type Config struct {
	Vertex    stream.VertexID
	Spec      Spec
	Aggregate string // of Builtin
	K         int    // of topK
	Groups    int    // of keys
	MaxBytes  int64  // of memory for state

	// Key and Value return parts of a record, valid until the next call. Key may be
	// nil for the record's own; Value is nil for count.
	Key, Value func(b *stream.Batch, i int) ([]byte, bool)

	Late stream.Tag // of records that came too late
}

// Transform aggregates the records of one vertex with what is built in. It
// implements stream.Keyed. Results are JSON (see Result.AppendJSON), have the key
// of their records, and as event time the last moment of their window, or for
// the global one the latest that came.
type Transform struct {
	cfg    Config
	store  *state.Memory
	timers *state.Timers
	groups []group
}

// group is what one goroutine at a time uses.
type group struct {
	operator *Operator
	agg      Aggregator
	reached  stream.Watermark // everything due by then is done
	latest   int64            // the latest event time that came
	used     bool             // a record came
	scratch  []byte           // an accumulator, and results
	records  []Record         // in hand
	all      []state.Group    // the group, for each of them
	acc      int              // the largest accumulator seen
	_        [64]byte         // groups share no cache line
}

// NewTransform returns an aggregation with empty state. Its error has no place.
func NewTransform(c Config) (*Transform, error) {
	agg, err := Builtin(c.Aggregate, c.K)
	if err != nil {
		return nil, err
	}
	budget := state.NewBudget(string(c.Vertex), c.MaxBytes)
	t := &Transform{cfg: c, store: state.NewMemory(c.Groups, budget), timers: state.NewTimers(c.Groups, budget)}
	for range c.Groups {
		o, err := New(c.Spec, agg, t.store, t.timers)
		if err != nil {
			return nil, err
		}
		t.groups = append(t.groups, group{operator: o, agg: agg, reached: stream.NoWatermark})
	}
	return t, nil
}

// Usage is what the vertex remembers: of its windows and of their timers.
func (t *Transform) Usage() (windows, timers state.Usage) { return t.store.Usage(), t.timers.Usage() }

// Groups implements stream.Keyed.
func (t *Transform) Groups() int { return len(t.groups) }

// Group implements stream.Keyed.
func (t *Transform) Group(key []byte) int { return int(state.GroupOf(key, len(t.groups))) }

// Key implements stream.Keyed.
func (t *Transform) Key(b *stream.Batch, i int) ([]byte, bool) {
	if t.cfg.Key == nil {
		return b.Key(i), true
	}
	return t.cfg.Key(b, i)
}

// Call implements stream.Transform; records of a Keyed come by group.
func (t *Transform) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: aggregation called without a group")
}

// In implements stream.Keyed.
func (t *Transform) In(_ context.Context, n int, in *stream.Batch, out *stream.Output) error {
	g := &t.groups[n]
	if t.check(g, in, out); len(out.Failures) > 0 {
		return nil
	}
	if err := t.reserve(state.Group(n), g, in); err != nil {
		return err
	}
	defer t.release(state.Group(n))
	if !g.used {
		g.used, g.latest = true, in.Records[0].Time
	}
	g.reached = max(g.reached, in.Watermark)
	emit := t.emitter(g, out)
	g.records, g.all = g.records[:0], g.all[:0]
	for i := range in.Records {
		g.latest = max(g.latest, in.Records[i].Time)
		g.records, g.all = append(g.records, t.record(in, i)), append(g.all, state.Group(n))
	}
	var failed error
	late := func(i int, err error) {
		if failed = errors.Join(failed, err); err == nil {
			out.AppendFrom(in, i)
			out.Records[out.Len()-1].Tag = t.cfg.Late
		}
	}
	if err := errors.Join(g.operator.AddBatch(g.all, g.records, g.reached, late, emit), failed); err != nil {
		return err
	}
	if at, ok := t.timers.NextOf(state.Group(n)); ok && at <= int64(g.reached) {
		return g.operator.Advance(state.Group(n), g.reached, emit) // late ones that still count
	}
	return nil
}

func (t *Transform) record(in *stream.Batch, i int) Record {
	r := Record{Key: in.Key(i), Time: in.Records[i].Time, Item: in.Value(i)}
	if t.cfg.Value != nil {
		r.Value, _ = t.cfg.Value(in, i)
	}
	return r
}

// check finds the records that cannot be folded in, before any is.
func (t *Transform) check(g *group, in *stream.Batch, out *stream.Output) {
	if t.cfg.Value == nil && g.acc == 0 {
		g.acc = len(g.agg.Init(g.scratch[:0]))
	}
	for i := range in.Records {
		if in.Records[i].Port == stream.NoKey {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "the record has no key: the field that key names is missing"})
			continue
		}
		if t.cfg.Value == nil {
			continue
		}
		value, ok := t.cfg.Value(in, i)
		if !ok {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "the record has no value to aggregate: the field is missing"})
			continue
		}
		acc, err := g.agg.Add(g.agg.Init(g.scratch[:0]), Record{Key: in.Key(i), Time: in.Records[i].Time, Value: value, Item: in.Value(i)})
		if err != nil {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: reason(err)})
			continue
		}
		g.scratch, g.acc = acc, max(g.acc, len(acc))
	}
}

func reason(err error) string {
	if e, ok := err.(*stream.Error); ok {
		return e.Reason()
	}
	return err.Error()
}

// reserve makes room for all that the records of a call may add, so that none is
// left half done.
func (t *Transform) reserve(n state.Group, g *group, in *stream.Batch) error {
	var entries, bytes, timers, timerBytes int
	for i := range in.Records {
		e, b, m, mb := t.cfg.Spec.Room(len(in.Key(i)), t.grown(g.acc, len(in.Value(i))))
		entries, bytes, timers, timerBytes = entries+e, bytes+b, timers+m, timerBytes+mb
	}
	if err := t.store.Reserve(n, entries, bytes); err != nil {
		return err
	}
	if err := t.timers.Reserve(n, timers, timerBytes); err != nil {
		t.store.Release(n)
		return err
	}
	return nil
}

// grown returns what an accumulator may come to have, given the largest so far and
// the size of a record's value.
func (t *Transform) grown(acc, value int) int {
	switch t.cfg.Aggregate {
	case "distinct":
		return max(acc, 17<<10)
	case "topK":
		return max(acc, t.cfg.K*(value+32))
	}
	return acc
}

func (t *Transform) release(n state.Group) {
	t.store.Release(n)
	t.timers.Release(n)
}

// emitter returns a function that adds results to out.
func (t *Transform) emitter(g *group, out *stream.Output) func(Result) {
	return func(r Result) {
		at := r.End - 1
		if r.End == math.MaxInt64 {
			at = g.latest
		}
		g.scratch = r.AppendJSON(g.scratch[:0], t.cfg.Aggregate)
		out.Append(at, r.Key, g.scratch, nil)
		out.Records[out.Len()-1].Source = stream.NoSource
	}
}

// Due implements stream.Keyed.
func (t *Transform) Due(n int) (stream.Watermark, bool) {
	if at, ok := t.timers.NextOf(state.Group(n)); ok {
		return stream.Watermark(at), true
	}
	g := &t.groups[n]
	return stream.EndOfTime, g.used && g.reached < stream.EndOfTime
}

// Advance implements stream.Keyed.
func (t *Transform) Advance(_ context.Context, n int, upTo stream.Watermark, out *stream.Output) error {
	g := &t.groups[n]
	g.reached = upTo
	return g.operator.Advance(state.Group(n), upTo, t.emitter(g, out))
}

// Close implements stream.Transform.
func (t *Transform) Close(context.Context) error { return nil }
