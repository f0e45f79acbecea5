package window

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// A window that is due is a record. Its headers are a block of one: the lengths of
// name and value, 4 bytes each, the name, and as value start, end and firing, 8, 8
// and 1 bytes, and the accumulator. Numbers are little-endian.
const (
	dueName = "wasmill-window"
	dueHead = 8 + len(dueName)
	dueSize = dueHead + 8 + 8 + 1
)

var firings = [...]stream.Firing{Early: stream.FiringEarly, OnTime: stream.FiringEnd, Late: stream.FiringLate}

// appendDue adds a window that is due to a batch.
func (f *folding) appendDue(in *stream.Batch, r Result, at int64, group uint16) {
	if f.said.Window != r.Window || f.said.Fired != r.Fired || len(f.text) == 0 {
		f.said = Result{Window: r.Window, Fired: r.Fired}
		f.text = appendTime(append(f.text[:0], `{"start":`...), r.Start, r.Window)
		f.text = appendTime(append(f.text, `,"end":`...), r.End, r.Window)
		f.text = append(append(append(f.text, `,"fired":"`...), r.Fired.String()...), `"}`...)
	}
	b := binary.LittleEndian.AppendUint32(f.block[:0], uint32(len(dueName)))
	b = binary.LittleEndian.AppendUint32(b, uint32(dueSize-dueHead+len(r.Value)))
	b = append(b, dueName...)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Start))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.End))
	f.block = append(append(b, byte(r.Fired)), r.Value...)
	in.Append(at, r.Key, f.text, f.block)
	last := &in.Records[in.Len()-1]
	last.Group, last.Source, last.Port = group, stream.NoSource, stream.EventTimer
}

// dueAt reads the window of a record that is due, and copies its accumulator.
func (f *folding) dueAt(i int) (stream.Pane, error) {
	r := &f.in.Records[i]
	b := f.in.Of(r.Headers)
	if len(b) < dueSize || int(b[dueSize-1]) >= len(firings) {
		return stream.Pane{}, fmt.Errorf("due window of %d bytes: %w", len(b), ErrCorrupt)
	}
	return stream.Pane{
		Start: int64(binary.LittleEndian.Uint64(b[dueHead:])), End: int64(binary.LittleEndian.Uint64(b[dueHead+8:])),
		Key: r.Key, Accumulator: f.keep(b[dueSize:]), Firing: firings[b[dueSize-1]],
	}, nil
}

// due asks for the results of the windows that are due. Accumulators that the guest
// replaces take the place of those in the store, if these are still there.
func (f *folding) due(ctx context.Context) error {
	f.table = f.table[:0]
	for i := range f.in.Records {
		if f.in.Records[i].Port != stream.EventTimer {
			continue
		}
		p, err := f.dueAt(i)
		if err != nil {
			return err
		}
		f.table = append(f.table, p)
		f.asked = append(f.asked, int32(i))
	}
	table := f.table
	f.before = append(f.before[:0], table...)
	err := f.results(ctx, table, func(k int) int { return int(f.asked[k]) })
	if err != nil || f.failed() {
		return err
	}
	for k := range table {
		if table[k].Accumulator != f.before[k].Accumulator {
			f.replaced = append(f.replaced, replacement{int(f.asked[k]), table[k]})
		}
	}
	return nil
}

// replacement is an accumulator that a guest gave for a window that is due.
type replacement struct {
	record int
	stream.Pane
}

// replace puts the accumulators of windows that were due in the place of the old
// ones. There is room for them.
func (f *folding) replace() error {
	for _, r := range f.replaced {
		g, key := state.Group(f.in.Records[r.record].Group), f.in.Key(r.record)
		id := r.Start
		if f.spec.Kind == Session {
			if err := f.loadSessions(g, key); err != nil {
				return err
			}
			from, to := overlap(f.sessions, Window{r.Start, r.Start})
			if from == to {
				continue
			}
			id = sessionAt(f.sessions, from).id
		}
		f.name = appendName(f.name[:0], isEntry, key, id)
		entry, found := f.store.Value(g, f.name)
		if !found {
			continue
		}
		_, tail, err := split(entry)
		if err != nil {
			return err
		}
		f.acc = append(f.acc[:0], f.of(r.Accumulator)...)
		if err := f.put(g, tail); err != nil {
			return err
		}
	}
	return nil
}
