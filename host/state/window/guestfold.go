package window

import (
	"context"
	"hash/maphash"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// folding is the work of one call: the windows that it is about, as they will be if
// all goes well. Until then it changes nothing in Store and Timers. Records are taken
// one after the other, as by an Operator, but are given to the guest together, as
// late as may be: at the end, or before the next record of a window whose early
// result has to be without it.
type folding struct {
	*Operator // over the store and timers of guests; its Aggregator is raw
	guests    *Guests
	seed      maphash.Seed

	// Of the call under way.
	in     *stream.Batch
	out    *stream.Output
	now    int64
	cells  []cell
	names  []byte   // of cells
	index  []uint32 // open addressing by hash of names: cell + 1; 0 = empty
	lists  []listing
	pairs  []pair // not yet given to the guest
	merges []pair // cells: the second was merged into the first
	firing []int32
	late   []int32 // records that came too late
	after  []pair  // of windows that have ended
	fails  int     // of out.Failures, when the call began

	panes    stream.Panes // Accumulators are those of cells
	table    []stream.Pane
	records  []stream.Record
	sorted   []int32 // records of pairs, by cell
	order    []int32 // cells that have pairs
	pieces   []pair  // roots, and cells that are to be merged into them
	asked    []int32
	before   []stream.Pane
	replaced []replacement

	// Of Advance.
	said  Result // the last window
	text  []byte // of it
	block []byte
}

func newFolding(t *Guests) *folding {
	o, err := New(t.cfg.Spec, raw{}, t.store, t.timers)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return &folding{Operator: o, guests: t, seed: maphash.MakeSeed()}
}

// begin gets ready for a call.
func (f *folding) begin(t *Guests, in *stream.Batch, out *stream.Output) {
	f.in, f.out, f.fails, f.now = in, out, len(out.Failures), int64(in.Watermark)
	for i := range in.Records {
		f.now = max(f.now, int64(t.groups[in.Records[i].Group].reached))
	}
	f.panes.Batch, f.panes.Watermark = in, stream.Watermark(f.now)
	if f.spec.Kind == Global {
		f.panes.Watermark = stream.Watermark(f.latestOf())
	}
}

// most is how much a folding keeps for its next call: cells, and bytes.
const most = 1 << 16

// end forgets a call. It says whether the folding is worth keeping.
func (f *folding) end() bool {
	if len(f.cells) < len(f.index)/16 {
		for i := range f.cells {
			f.index[f.slotOf(i)] = 0
		}
	} else {
		clear(f.index)
	}
	f.in, f.out, f.panes.Batch, f.panes.Records = nil, nil, nil, f.panes.Records[:0]
	f.cells, f.names, f.lists, f.pairs, f.merges = f.cells[:0], f.names[:0], f.lists[:0], f.pairs[:0], f.merges[:0]
	f.firing, f.late, f.after, f.asked, f.replaced = f.firing[:0], f.late[:0], f.after[:0], f.asked[:0], f.replaced[:0]
	f.panes.Accumulators = f.panes.Accumulators[:0]
	return cap(f.cells) <= most && cap(f.pairs) <= most && cap(f.panes.Accumulators) <= 64*most && cap(f.names) <= 64*most && cap(f.keys) <= 64*most
}

// failed says whether a part of the call failed.
func (f *folding) failed() bool { return len(f.out.Failures) > f.fails }

// of returns the bytes of an accumulator, keep adds one.
func (f *folding) of(s stream.Span) []byte { return f.panes.Accumulators[s.Off:][:s.Len] }

func (f *folding) keep(acc []byte) stream.Span {
	at := len(f.panes.Accumulators)
	f.panes.Accumulators = append(f.panes.Accumulators, acc...)
	return stream.Span{Off: uint32(at), Len: uint32(len(acc))}
}

// run does all of a call. With failures nothing has changed.
func (f *folding) run(ctx context.Context) error {
	if err := f.due(ctx); err != nil || f.failed() {
		return err
	}
	var groups [warmStep]state.Group
	var records [warmStep]Record
	n := f.in.Len()
	for i := 0; i < n; i++ {
		if i%warmStep == 0 && f.warmer != nil && len(f.asked) == 0 {
			end := min(i+warmStep, n)
			for k := i; k < end; k++ {
				r := &f.in.Records[k]
				groups[k-i], records[k-i] = state.Group(r.Group), Record{Key: f.in.Of(r.Key), Time: r.Time}
			}
			f.warm(groups[:end-i], records[:end-i])
		}
		if f.in.Records[i].Port == stream.EventTimer {
			continue
		}
		late, err := f.add(ctx, i)
		if err != nil || f.failed() {
			return err
		}
		if late {
			f.late = append(f.late, int32(i))
		}
	}
	if err := f.flush(ctx); err != nil || f.failed() {
		return err
	}
	if err := f.fireLate(ctx); err != nil || f.failed() {
		return err
	}
	if err := f.commit(); err != nil {
		return err
	}
	for _, i := range f.late {
		f.out.AppendFrom(f.in, int(i))
		f.out.Records[f.out.Len()-1].Tag = f.guests.cfg.Late
	}
	return nil
}

// add puts a record into its windows, as Operator.Add does.
func (f *folding) add(ctx context.Context, i int) (late bool, err error) {
	r := &f.in.Records[i]
	switch f.spec.Kind {
	case Fixed:
		if r.Time < f.last.Start || r.Time >= f.last.End {
			f.last, _ = f.spec.newest(r.Time)
		}
		if f.over(f.last, f.now) {
			return true, nil
		}
		return false, f.put1(ctx, i, f.last)
	case Sliding:
		late = true
		w, into := f.spec.newest(r.Time)
		for !f.over(w, f.now) {
			if err := f.put1(ctx, i, w); err != nil || f.failed() {
				return false, err
			}
			late = false
			into += int64(f.spec.Slide)
			if into >= int64(f.spec.Size) || r.Time-into > r.Time {
				break
			}
			w = f.spec.before(r.Time, into)
		}
		return late, nil
	case Session:
		return f.joinCell(ctx, i)
	}
	if f.over(allTime, f.now) {
		return true, nil
	}
	return false, f.put1(ctx, i, allTime)
}

// put1 puts a record into a window that is not a session.
func (f *folding) put1(ctx context.Context, i int, w Window) error {
	c, err := f.cell(i, isEntry, w.Start)
	if err != nil {
		return err
	}
	f.cells[c].Window = w
	return f.pair(ctx, i, c)
}

// pair notes that a record goes to a cell.
func (f *folding) pair(ctx context.Context, i, n int) error {
	if f.cells[n].fires {
		if err := f.flush(ctx); err != nil || f.failed() {
			return err
		}
	}
	c := &f.cells[n]
	s := f.spec.step(c.tail, c.Window, f.in.Records[i].Time, f.now)
	c.tail, c.last = s.tail, int32(i)
	if s.alarm {
		c.alarmed, c.alarm = true, s.at
	}
	if c.End <= f.now {
		f.after = append(f.after, pair{int32(i), int32(n)})
	}
	f.pairs = append(f.pairs, pair{int32(i), int32(n)})
	if s.fires {
		c.fires = true
		f.firing = append(f.firing, int32(n))
	}
	return nil
}
