package wasm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// aggregate is what an instance of that kind exports instead of wasmill_process.
type aggregate struct {
	add, merge, result api.Function // merge may be nil
}

func aggregateOf(m api.Module) aggregate {
	return aggregate{m.ExportedFunction(abi.ExportAdd), m.ExportedFunction(abi.ExportMerge), m.ExportedFunction(abi.ExportResult)}
}

// Merges implements stream.Folder.
func (t *Transform) Merges() bool {
	_, ok := t.plugin.Module.Export(abi.ExportMerge)
	return ok
}

// Add implements stream.Folder.
func (t *Transform) Add(ctx context.Context, p *stream.Panes, out *stream.Output) error {
	return t.watched(ctx, len(p.Records), func(i *instance) error { return i.fold(ctx, i.aggregate.add, p, out) })
}

// Merge implements stream.Folder.
func (t *Transform) Merge(ctx context.Context, p *stream.Panes) error {
	return t.watched(ctx, len(p.Table), func(i *instance) error { return i.fold(ctx, i.aggregate.merge, p, nil) })
}

// Result implements stream.Folder.
func (t *Transform) Result(ctx context.Context, p *stream.Panes, out *stream.Output) error {
	return t.watched(ctx, len(p.Table), func(i *instance) error { return i.fold(ctx, i.aggregate.result, p, out) })
}

// watched makes a call for so many records or windows as Call does.
func (t *Transform) watched(ctx context.Context, n int, call func(*instance) error) error {
	probe, err := t.gate.enter(ctx)
	if err != nil {
		return err
	}
	err = t.with(ctx, call)
	t.settle(ctx, n, probe, err)
	return err
}

// with makes one call, whatever came of earlier ones.
func (t *Transform) with(ctx context.Context, call func(*instance) error) error {
	t.counters.calls.Add(1)
	i, err := t.pool.borrow(ctx)
	if err != nil {
		return err
	}
	if err := call(i); err != nil {
		t.discarded(ctx, err)
		t.pool.discard(i)
		return err
	}
	t.pool.put(i)
	return nil
}

// fold calls one of the functions of an aggregate with a frame and reads what it
// answers. On an error the instance is done for.
func (i *instance) fold(ctx context.Context, f api.Function, p *stream.Panes, out *stream.Output) error {
	if err := i.enter(ctx); err != nil {
		return err
	}
	defer i.leave()
	now := time.Now()
	i.clock.begin(ctx, now, i.plugin.limits.deadline(max(1, len(p.Records), len(p.Table))), i.plugin.limits.Fuel)
	defer i.clock.end()
	i.hostCalls, i.answer = 0, nil
	i.output.reset()
	l := layOut(p)
	if l.size > math.MaxInt32 {
		return i.noRoom(l.size)
	}
	if err := i.reserve(l.size); err != nil {
		return err
	}
	i.writeFold(p, now, &l, i.refresh()[i.arena:][:l.size])
	i.stack[0] = uint64(i.arena)
	i.pinned = i.vertex.sides.load()
	defer i.unpin()
	if err := f.CallWithStack(i.ctx, i.stack[:]); err != nil {
		return i.failure(stream.GuestTrap, "trapped", err)
	}
	d := &i.decoder
	d.memory, d.data, d.low = i.refresh(), i.arena+l.bytes, l.low
	d.in, d.size, d.bytes, d.lastTag, d.tag = p.Batch, l.high-l.low, 0, abi.Ref{}, stream.Untagged
	if err := d.decodeFold(uint32(i.stack[0]), l.size, p, out); err != nil {
		return i.garbage(err)
	}
	return nil
}

// foldLayout says where the parts of a frame are, in bytes from its start: header,
// windows, records, the part of the batch's arena that they need, accumulators.
type foldLayout struct {
	records, bytes, accumulators uint32
	low, high                    uint32 // of the arena
	size                         int
}

func layOut(p *stream.Panes) (l foldLayout) {
	low, high := uint32(math.MaxUint32), uint32(0)
	within := func(s stream.Span) {
		if s.Len > 0 {
			low, high = min(low, s.Off), max(high, s.Off+s.Len)
		}
	}
	accumulators := 0
	for k := range p.Table {
		within(p.Table[k].Key)
		accumulators += int(p.Table[k].Accumulator.Len)
	}
	for k := range p.Records {
		r := &p.Records[k]
		within(r.Key)
		within(r.Value)
		within(r.Headers)
	}
	if low < high {
		l.low, l.high = low, high
	}
	records := abi.FoldHeaderSize + len(p.Table)*abi.WindowSize
	bytes := records + len(p.Records)*abi.InSize
	l.size = bytes + int(l.high-l.low) + accumulators
	l.records, l.bytes, l.accumulators = uint32(records), uint32(bytes), uint32(bytes)+l.high-l.low
	return l
}

// writeFold lays a frame out at dst, which is where the arena is.
func (i *instance) writeFold(p *stream.Panes, now time.Time, l *foldLayout, dst []byte) {
	header := abi.FoldHeader{
		Header: abi.Header{
			Count: uint32(len(p.Records)), Records: i.arena + l.records,
			Now: now.UnixNano(), Watermark: int64(p.Watermark),
			Seed: i.vertex.seed ^ uint64(p.Table[0].Start)*0x9e3779b97f4a7c15,
		},
		Windows: uint32(len(p.Table)), Table: i.arena + abi.FoldHeaderSize,
	}
	if len(p.Records) > 0 {
		header.Seed = i.vertex.seed ^ uint64(p.Records[0].Seq)*0x9e3779b97f4a7c15
	}
	header.Put((*[abi.FoldHeaderSize]byte)(dst))
	// Empty parts lie in the arena, too.
	base := i.arena + l.bytes - l.low
	at := func(s stream.Span) abi.Ref {
		if s.Len == 0 {
			return abi.Ref{Addr: i.arena + l.bytes}
		}
		return abi.Ref{Addr: base + s.Off, Len: s.Len}
	}
	next := l.accumulators
	windows := dst[abi.FoldHeaderSize:l.records]
	for k := range p.Table {
		t := &p.Table[k]
		w := abi.Window{
			Start: t.Start, End: t.End, Key: at(t.Key), Accumulator: abi.Ref{Addr: i.arena + next, Len: t.Accumulator.Len},
			First: t.First, Count: t.Count, Firing: uint32(t.Firing),
		}
		w.Put((*[abi.WindowSize]byte)(windows[k*abi.WindowSize:]))
		next += uint32(copy(dst[next:], p.Accumulators[t.Accumulator.Off:][:t.Accumulator.Len]))
	}
	records := dst[l.records:l.bytes]
	for k := range p.Records {
		r := &p.Records[k]
		record := abi.In{Time: r.Time, Key: at(r.Key), Value: at(r.Value), Headers: at(r.Headers), Port: uint32(r.Port)}
		record.Put((*[abi.InSize]byte)(records[k*abi.InSize:]))
	}
	copy(dst[l.bytes:], p.Batch.Arena()[l.low:l.high])
}

// decodeFold reads the answer at addr to a frame of size bytes. Results go to out;
// it is nil where there may be neither results nor errors.
func (d *decoder) decodeFold(addr uint32, size int, p *stream.Panes, out *stream.Output) error {
	most := (len(p.Table) + len(p.Records)) * d.limits.OutputPerRecord
	table, err := abi.OutTable(d.memory, addr, most)
	if errors.Is(err, abi.ErrTooMany) {
		return &overLimit{"outputPerRecord", err.Error()}
	}
	if err != nil {
		return err
	}
	if out != nil {
		d.store = out.Batch
	}
	before := len(p.Accumulators)
	for k := 0; k < len(table); k += abi.OutSize {
		var e abi.Out
		e.Take((*[abi.OutSize]byte)(table[k:]))
		if err := d.foldEntry(&e, size+before, p, out); err != nil {
			return fmt.Errorf("output entry %d: %w", k/abi.OutSize, err)
		}
	}
	return nil
}

// foldEntry takes one entry of an answer. Accumulators may come to most bytes, over
// what is granted.
func (d *decoder) foldEntry(e *abi.Out, most int, p *stream.Panes, out *stream.Output) error {
	adds := len(p.Records) > 0
	switch {
	case e.Outcome == abi.OutcomeAccumulator:
		return d.accumulator(e, most, p)
	case out == nil || adds && e.Outcome != abi.OutcomeError:
		return fmt.Errorf("outcome %d is not one of this call", e.Outcome)
	case adds:
		if e.Input >= uint32(len(p.Records)) {
			return fmt.Errorf("an error of record %d in a frame of %d records", e.Input, len(p.Records))
		}
		return d.failed(e, out)
	case e.Input >= uint32(len(p.Table)):
		return fmt.Errorf("input %d of a frame of %d windows", e.Input, len(p.Table))
	case e.Outcome != abi.OutcomeEmit:
		return d.failed(e, out)
	}
	return d.emit(e, stream.Record{Time: e.Time, Source: stream.NoSource}, out)
}

// accumulator takes a new accumulator for a window.
func (d *decoder) accumulator(e *abi.Out, most int, p *stream.Panes) error {
	if e.Input >= uint32(len(p.Table)) {
		return fmt.Errorf("an accumulator for window %d in a frame of %d windows", e.Input, len(p.Table))
	}
	b, ok := e.Value.In(d.memory)
	switch n := len(p.Accumulators); {
	case !ok:
		return fmt.Errorf("accumulator at %#x with %d bytes is not inside the %d bytes of memory", e.Value.Addr, e.Value.Len, len(d.memory))
	case len(b) > d.limits.RecordBytes:
		return &overLimit{"recordBytes", fmt.Sprintf("accumulator of %d bytes is over the limit of %d", len(b), d.limits.RecordBytes)}
	case n+len(b) > most+d.limits.OutputBytes:
		return &overLimit{"outputBytes", fmt.Sprintf("takes the accumulators of one call over its input by more than %d bytes", d.limits.OutputBytes)}
	default:
		p.Accumulators = append(p.Accumulators, b...)
		p.Table[e.Input].Accumulator = stream.Span{Off: uint32(n), Len: uint32(len(b))}
	}
	return nil
}
