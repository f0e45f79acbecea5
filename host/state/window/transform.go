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
// implements stream.Durable. Results are JSON (see Result.AppendJSON), have the key
// of their records, and as event time the last moment of their window, or for
// the global one the latest that came.
type Transform struct {
	state.Keys
	state.Tables
	cfg    Config
	store  *memory
	timers *state.Timers
	groups []group
}

// group is what one goroutine at a time uses.
type group struct {
	operator *Operator
	agg      Aggregator
	progress
	scratch []byte        // an accumulator, and results
	records []Record      // in hand
	all     []state.Group // the group, for each of them
	acc     int           // the largest accumulator seen
	need    room          // of the records in hand
	touched []state.Group // those of the records in hand, if the first is of this one
	listed  bool          // in touched of the first one
	_       [64]byte      // groups share no cache line
}

// NewTransform returns an aggregation with empty state. Its error has no place.
func NewTransform(c Config) (*Transform, error) {
	agg, err := Builtin(c.Aggregate, c.K)
	if err != nil {
		return nil, err
	}
	budget := state.NewBudget(string(c.Vertex), c.MaxBytes)
	t := &Transform{Keys: state.NewKeys(c.Groups, c.Key), cfg: c, store: newMemory(c.Groups, budget), timers: state.NewTimers(c.Groups, budget)}
	for range c.Groups {
		o, err := New(c.Spec, agg, t.store, t.timers)
		if err != nil {
			return nil, err
		}
		t.groups = append(t.groups, group{operator: o, agg: agg, progress: fresh})
	}
	t.Tables = tables(c.Groups, func(g state.Group) *progress { return &t.groups[g].progress }, t.store, t.timers)
	return t, nil
}

// Usage is what the vertex remembers: of its windows and of their timers.
func (t *Transform) Usage() (windows, timers state.Usage) { return t.store.usage(), t.timers.Usage() }

// In implements stream.Keyed. Calls for other groups may be under way, so it works
// with what belongs to the group of the first record.
func (t *Transform) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	first := &t.groups[in.Records[0].Group]
	if t.check(first, in, out); len(out.Failures) > 0 {
		return nil
	}
	reached := in.Watermark
	for i := range in.Records {
		reached = max(reached, t.groups[in.Records[i].Group].reached)
	}
	defer t.release(first)
	if err := t.reserve(first, in, reached); err != nil {
		return err
	}
	first.records, first.all = first.records[:0], first.all[:0]
	for i := range in.Records {
		r := &in.Records[i]
		g := &t.groups[r.Group]
		if !g.used {
			g.used, g.latest = true, r.Time
		}
		g.latest, g.reached = max(g.latest, r.Time), reached
		first.records, first.all = append(first.records, t.record(in, i)), append(first.all, state.Group(r.Group))
	}
	var failed error
	late := func(i int, err error) {
		if failed = errors.Join(failed, err); err == nil {
			out.AppendFrom(in, i)
			out.Records[out.Len()-1].Tag = t.cfg.Late
		}
	}
	emit := t.emitter(first, out)
	if err := errors.Join(first.operator.AddBatch(first.all, first.records, reached, late, emit), failed); err != nil {
		return err
	}
	for _, n := range first.touched {
		if at, ok := t.timers.NextOf(n); ok && at <= int64(reached) { // late ones that still count
			if err := first.operator.Advance(n, reached, emit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Transform) record(in *stream.Batch, i int) Record {
	r := Record{Key: in.Key(i), Time: in.Records[i].Time}
	if t.cfg.Value != nil {
		r.Item = in.Value(i)
		r.Value, _ = t.cfg.Value(in, i)
	}
	return r
}

// check finds the records that cannot be folded in, before any is.
func (t *Transform) check(g *group, in *stream.Batch, out *stream.Output) {
	if t.cfg.Value == nil && g.acc == 0 {
		g.acc = len(g.agg.Init(g.scratch[:0]))
	}
	if t.Keyless(in, out) || t.cfg.Value == nil {
		return
	}
	for i := range in.Records {
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

// room is what Spec.Room returns.
type room struct{ windows, members, timers Need }

// reserve makes room for all that the records of a call may add, so that none is
// left half done. If there is not so much, it is enough that there is for those that
// open windows, unless accumulators grow. Also after an error release gives it back.
func (t *Transform) reserve(first *group, in *stream.Batch, reached stream.Watermark) error {
	t.measure(first, in, nil)
	err := t.promise(first)
	if err == nil || t.cfg.Aggregate == "distinct" || t.cfg.Aggregate == "topK" {
		return err
	}
	t.release(first)
	t.measure(first, in, func(i int) bool {
		r := &in.Records[i]
		return !first.operator.settled(state.Group(r.Group), in.Key(i), r.Time, int64(reached))
	})
	return t.promise(first)
}

// measure adds up what the records of a call need, or those that need anything.
func (t *Transform) measure(first *group, in *stream.Batch, needs func(i int) bool) {
	first.touched = first.touched[:0]
	key, acc, one := -1, 0, room{}
	for i := range in.Records {
		r := &in.Records[i]
		g := &t.groups[r.Group]
		if !g.listed {
			g.listed = true
			first.touched = append(first.touched, state.Group(r.Group))
		}
		if needs != nil && !needs(i) {
			continue
		}
		k, a := int(r.Key.Len), t.grown(first.acc, int(r.Value.Len))
		if k != key || a != acc {
			key, acc = k, a
			one.windows, one.members, one.timers = t.cfg.Spec.Room(k, a)
		}
		g.need.windows.add(one.windows)
		g.need.members.add(one.members)
		g.need.timers.add(one.timers)
	}
}

// promise puts aside what was measured.
func (t *Transform) promise(first *group) error {
	for _, n := range first.touched {
		need := &t.groups[n].need
		if *need == (room{}) {
			continue
		}
		if err := t.store.reserve(n, need.windows, need.members); err != nil {
			return err
		}
		if err := t.timers.Reserve(n, need.timers.Entries, need.timers.Bytes); err != nil {
			return err
		}
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

func (t *Transform) release(first *group) {
	for _, n := range first.touched {
		t.store.release(n)
		t.timers.Release(n)
		t.groups[n].need, t.groups[n].listed = room{}, false
	}
}

// emitter returns a function that adds results to out, with the scratch of a group.
func (t *Transform) emitter(g *group, out *stream.Output) func(Result) {
	return func(r Result) {
		at := r.End - 1
		if r.End == math.MaxInt64 {
			at = t.groups[t.Group(r.Key)].latest
		}
		g.scratch = r.AppendJSON(g.scratch[:0], t.cfg.Aggregate)
		out.Append(at, r.Key, g.scratch, nil)
		out.Records[out.Len()-1].Source = stream.NoSource
	}
}

// Due implements stream.Keyed.
func (t *Transform) Due(from, to int) (least stream.Watermark, ok bool) {
	for n := from; n < to; n++ {
		if at, due := t.due(n); due && (!ok || at < least) {
			least, ok = at, true
		}
	}
	return least, ok
}

func (t *Transform) due(n int) (stream.Watermark, bool) {
	if at, ok := t.timers.NextOf(state.Group(n)); ok {
		return stream.Watermark(at), true
	}
	g := &t.groups[n]
	return stream.EndOfTime, g.used && g.reached < stream.EndOfTime
}

// Alarm implements stream.Keyed: windows are of event time.
func (t *Transform) Alarm(from, to int) (at int64, ok bool) { return 0, false }

// enough is how many results a call gives before it leaves the next group to
// another one.
const enough = 4096

// Advance implements stream.Keyed.
func (t *Transform) Advance(_ context.Context, from, to int, upTo stream.Watermark, _ int64, _ *stream.Batch, out *stream.Output) error {
	for n := from; n < to && out.Len() < enough; n++ {
		at, due := t.due(n)
		g := &t.groups[n]
		g.reached = max(g.reached, upTo)
		if !due || at > upTo {
			continue
		}
		if err := g.operator.Advance(state.Group(n), g.reached, t.emitter(g, out)); err != nil {
			return err
		}
	}
	return nil
}

// Close implements stream.Transform.
func (t *Transform) Close(context.Context) error { return nil }
