package window

import (
	"cmp"
	"context"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Bounds of what the guest gets at once: records and windows, and bytes of
// accumulators. One window may have more bytes.
const (
	maxPairs    = 4096
	maxGathered = 1 << 20
)

// flush has the guest do what was put off: merge sessions, add records, give the
// early results that they bring.
func (f *folding) flush(ctx context.Context) error {
	for _, do := range [...]func(context.Context) error{f.mergeCells, f.addPairs, f.fireEarly} {
		if err := do(ctx); err != nil || f.failed() {
			return err
		}
	}
	f.pairs, f.merges, f.firing = f.pairs[:0], f.merges[:0], f.firing[:0]
	return nil
}

// pane is what the guest is told of a cell.
func (f *folding) pane(n int32, why stream.Firing) stream.Pane {
	c := &f.cells[n]
	return stream.Pane{Start: c.Start, End: c.End, Key: c.key, Accumulator: c.acc, Firing: why}
}

// mergeCells merges the accumulators of sessions that have become one, two by two
// until one is left of each.
func (f *folding) mergeCells(ctx context.Context) error {
	f.pieces = f.pieces[:0]
	for _, m := range f.merges {
		f.piece(m.a)
		f.piece(m.b)
	}
	for _, p := range f.pieces {
		f.cells[p.b].first, f.cells[p.b].n = 0, 0
	}
	slices.SortStableFunc(f.pieces, func(x, y pair) int { return cmp.Compare(x.a, y.a) })
	for {
		f.table = f.table[:0]
		left := f.pieces[:0]
		for i := 0; i < len(f.pieces); i++ {
			p := f.pieces[i]
			left = append(left, p)
			if i+1 < len(f.pieces) && f.pieces[i+1].a == p.a {
				f.cells[p.b].first = uint32(len(f.table)) + 1
				f.table = append(f.table, f.pane(p.b, 0), f.pane(f.pieces[i+1].b, 0))
				i++
			}
		}
		f.pieces = left
		if len(f.table) == 0 {
			break
		}
		for from := 0; from < len(f.table); {
			to := f.gather(f.table, from, 2)
			f.panes.Table, f.panes.Records = f.table[from:to], nil
			if err := f.guests.cfg.Guest.Merge(ctx, &f.panes); err != nil {
				return err
			}
			from = to
		}
		for _, p := range f.pieces {
			c := &f.cells[p.b]
			if c.first > 0 {
				c.acc, c.first = f.table[c.first-1].Accumulator, 0
			}
		}
	}
	for _, p := range f.pieces {
		f.cells[p.a].acc = f.cells[p.b].acc
	}
	return nil
}

// piece notes a cell that has something to merge, once.
func (f *folding) piece(n int32) {
	if c := &f.cells[n]; c.acc.Len > 0 && c.n == 0 {
		c.n = 1
		f.pieces = append(f.pieces, pair{f.root(n), n})
	}
}

// gather returns the end of the panes from an index on that fit into one call, in
// steps.
func (f *folding) gather(table []stream.Pane, from, step int) int {
	size := 0
	for to := from; to < len(table); to += step {
		for _, p := range table[to : to+step] {
			size += int(p.Accumulator.Len)
		}
		if to > from && (to-from >= maxPairs || size > maxGathered) {
			return to
		}
	}
	return len(table)
}

// sortPairs puts the records of pairs into the order of the cells that they go to,
// which is that of their first records.
func (f *folding) sortPairs() {
	f.order = f.order[:0]
	for i := range f.pairs {
		n := f.pairs[i].b
		if f.cells[n].into >= 0 {
			n = f.root(n)
			f.pairs[i].b = n
		}
		c := &f.cells[n]
		if c.n == 0 {
			f.order = append(f.order, n)
		}
		c.n++
	}
	at := uint32(0)
	for _, n := range f.order {
		c := &f.cells[n]
		c.first, at = at, at+c.n
	}
	f.sorted = slices.Grow(f.sorted[:0], len(f.pairs))[:len(f.pairs)]
	for _, p := range f.pairs {
		c := &f.cells[p.b]
		f.sorted[c.first] = p.a
		c.first++
	}
	for _, n := range f.order {
		f.cells[n].first -= f.cells[n].n
	}
}

// recordsOf returns the records of f.sorted in a range: those of the batch itself if
// they are the same.
func (f *folding) recordsOf(from, to uint32) []stream.Record {
	all, which := f.in.Records, f.sorted[from:to]
	first, same := int(which[0]), true
	for k, i := range which {
		if int(i) != first+k {
			same = false
			break
		}
	}
	if same {
		return all[first : first+len(which)]
	}
	f.records = f.records[:0]
	for _, i := range which {
		f.records = append(f.records, all[i])
	}
	return f.records
}

// addPairs has the guest add the records of pairs to their cells.
func (f *folding) addPairs(ctx context.Context) error {
	f.sortPairs()
	for at := 0; at < len(f.order); {
		start := f.cells[f.order[at]].first
		records, size := uint32(0), 0
		f.table = f.table[:0]
		to := at
		for ; to < len(f.order); to++ {
			c := &f.cells[f.order[to]]
			size += int(c.acc.Len)
			if to > at && (records+c.n > maxPairs || size > maxGathered) {
				break
			}
			p := f.pane(f.order[to], 0)
			p.First, p.Count = records, min(c.n, maxPairs)
			records += p.Count
			f.table = append(f.table, p)
		}
		f.panes.Table, f.panes.Records = f.table, f.recordsOf(start, start+records)
		if err := f.guests.cfg.Guest.Add(ctx, &f.panes, f.out); err != nil {
			return err
		}
		for k := range f.out.Failures[f.fails:] {
			x := &f.out.Failures[f.fails+k]
			x.Input = int(f.sorted[int(start)+x.Input])
		}
		if f.failed() {
			return nil
		}
		for k := range f.table {
			c := &f.cells[f.order[at+k]]
			c.acc, c.first, c.n = f.table[k].Accumulator, c.first+f.table[k].Count, c.n-f.table[k].Count
		}
		if at = to; f.cells[f.order[to-1]].n > 0 {
			at--
		}
	}
	return nil
}

// results asks for the results of windows. A failure becomes that of the record that
// is told for its index in the table.
func (f *folding) results(ctx context.Context, table []stream.Pane, record func(k int) int) error {
	for from := 0; from < len(table); {
		to := f.gather(table, from, 1)
		f.panes.Table, f.panes.Records = table[from:to], nil
		had := len(f.out.Failures)
		if err := f.guests.cfg.Guest.Result(ctx, &f.panes, f.out); err != nil {
			return err
		}
		for k := range f.out.Failures[had:] {
			x := &f.out.Failures[had+k]
			x.Input = record(from + x.Input)
		}
		from = to
	}
	return nil
}

// fireEarly gives the early results that the records in hand bring.
func (f *folding) fireEarly(ctx context.Context) error {
	return f.fireCells(ctx, f.firing, stream.FiringEarly)
}

// fireLate gives the results of windows that have ended and got records since.
func (f *folding) fireLate(ctx context.Context) error {
	f.firing = f.firing[:0]
	for _, p := range f.after {
		n := f.root(p.b)
		if c := &f.cells[n]; c.End <= f.now && !c.fires {
			c.fires = true
			f.firing = append(f.firing, n)
		}
	}
	if err := f.fireCells(ctx, f.firing, stream.FiringLate); err != nil || !f.failed() {
		return err
	}
	reasons := make(map[int32]string) // by cell
	for _, x := range f.out.Failures[f.fails:] {
		for _, p := range f.after {
			if p.a == int32(x.Input) {
				reasons[f.root(p.b)] = x.Reason
			}
		}
	}
	for _, p := range f.after {
		if why, ok := reasons[f.root(p.b)]; ok {
			f.out.Failures = append(f.out.Failures, stream.Failure{Input: int(p.a), Reason: why})
		}
	}
	return nil
}

// fireCells gives the results of cells.
func (f *folding) fireCells(ctx context.Context, cells []int32, why stream.Firing) error {
	if len(cells) == 0 {
		return nil
	}
	f.table = f.table[:0]
	for _, n := range cells {
		f.table = append(f.table, f.pane(n, why))
	}
	table := f.table
	err := f.results(ctx, table, func(k int) int { return int(f.cells[cells[k]].last) })
	if err != nil || f.failed() {
		return err
	}
	for k, n := range cells {
		c := &f.cells[n]
		c.acc, c.fires = table[k].Accumulator, false
		c.tail &= early
	}
	return nil
}
