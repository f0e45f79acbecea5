package wasm

import (
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// maxReason is how much of a guest's message about a record is kept, in bytes.
const maxReason = 1 << 10

// overLimit is the error of an answer that passes a limit of the pipeline.
type overLimit struct{ setting, text string }

func (e *overLimit) Error() string { return e.text }

// compactFrom is the size from which an arena is worth compacting, in bytes.
const compactFrom = 64 << 10

// decoder reads what a guest answers. It trusts nothing in memory.
type decoder struct {
	limits Limits
	tags   *stream.TagTable
	memory []byte // the guest's, after the call
	data   uint32 // address of the copy of the input's arena

	// of the call under way
	in      *stream.Batch
	store   *stream.Batch // whose arena gets what is copied: in's or out's
	size    uint32        // of the input's arena, or of the part of it from low on that was copied
	low     uint32
	bytes   int // of records so far
	lastTag abi.Ref
	tag     stream.Tag // of lastTag
}

// decode fills out from the output at addr. On an error, and if there are
// failures, in is as it was.
//
// Values that lie in the input frame are not copied: if the first value does,
// in's arena is swapped into out, and other values are appended to it. If it
// does not, out keeps its own arena and everything is copied there.
func (d *decoder) decode(addr uint32, in *stream.Batch, out *stream.Output) error {
	d.in, d.size, d.low, d.bytes, d.lastTag, d.tag = in, uint32(in.Bytes()), 0, 0, abi.Ref{}, stream.Untagged
	table, err := abi.OutTable(d.memory, addr, in.Len()*d.limits.OutputPerRecord)
	if errors.Is(err, abi.ErrTooMany) {
		return &overLimit{"outputPerRecord", err.Error()}
	}
	if err != nil {
		return err
	}
	d.store = out.Batch
	for k := 0; k < len(table); k += abi.OutSize {
		var e abi.Out
		e.Take((*[abi.OutSize]byte)(table[k:]))
		if k == 0 && d.inFrame(e.Value) {
			d.store = in
		}
		if err := d.entry(&e, out); err != nil {
			in.Truncate(int(d.size))
			out.Reset()
			out.Failures = out.Failures[:0]
			return fmt.Errorf("output entry %d: %w", k/abi.OutSize, err)
		}
	}
	if len(out.Failures) > 0 {
		dropFailed(out, table)
		if d.store == in { // it stays as it was
			out.SwapArena(in)
			compact(out, in)
			in.Truncate(int(d.size))
		}
		return nil
	}
	if d.store == in {
		out.SwapArena(in)
		if out.Bytes() >= compactFrom && d.bytes < out.Bytes()/4 {
			compact(out, in)
		}
	}
	return nil
}

// entry adds one output entry to out.
func (d *decoder) entry(e *abi.Out, out *stream.Output) error {
	if e.Input >= uint32(d.in.Len()) {
		return fmt.Errorf("input %d of a frame of %d records", e.Input, d.in.Len())
	}
	from := &d.in.Records[e.Input]
	if e.Outcome != abi.OutcomeEmit {
		return d.failed(e, out)
	}
	return d.emit(e, stream.Record{Time: e.Time, Seq: from.Seq, Source: from.Source}, out)
}

// emit adds a result, of which r has what is not in its entry.
func (d *decoder) emit(e *abi.Out, r stream.Record, out *stream.Output) error {
	if size := uint64(e.Key.Len) + uint64(e.Value.Len) + uint64(e.Headers.Len); size > uint64(d.limits.RecordBytes) {
		return &overLimit{"recordBytes", fmt.Sprintf("record of %d bytes is over the limit of %d", size, d.limits.RecordBytes)}
	}
	var err error
	if e.Value.Len > 0 {
		if r.Value, err = d.span(e.Value); err != nil {
			return fmt.Errorf("value %w", err)
		}
	}
	if e.Key.Len > 0 {
		if r.Key, err = d.span(e.Key); err != nil {
			return fmt.Errorf("key %w", err)
		}
	}
	if e.Headers.Len > 0 {
		if r.Headers, err = d.span(e.Headers); err != nil {
			return fmt.Errorf("header block %w", err)
		}
		if !abi.ValidHeaders(d.store.Of(r.Headers)) {
			return errors.New("header block is malformed")
		}
	}
	if e.Tag.Len > 0 {
		if err := d.readTag(e.Tag); err != nil {
			return err
		}
		r.Tag = d.tag
	}
	out.Records = append(out.Records, r)
	return nil
}

// inFrame says whether a range lies in the copy of the input's arena.
func (d *decoder) inFrame(ref abi.Ref) bool {
	off := ref.Addr - d.data // wraps below
	return off <= d.size && ref.Len <= d.size-off
}

// span returns where the bytes of a range are in the arena of d.store, after
// copying them there if need be. Its errors complete a sentence.
func (d *decoder) span(ref abi.Ref) (stream.Span, error) {
	if d.bytes += int(ref.Len); d.bytes > d.limits.OutputBytes+int(d.size) {
		return stream.Span{}, &overLimit{"outputBytes", fmt.Sprintf("takes the output of one call over its input by more than %d bytes", d.limits.OutputBytes)}
	}
	if d.inFrame(ref) {
		from := stream.Span{Off: ref.Addr - d.data + d.low, Len: ref.Len}
		if d.store == d.in {
			return from, nil
		}
		return d.store.Store(d.in.Of(from)), nil
	}
	b, ok := ref.In(d.memory)
	if !ok {
		return stream.Span{}, fmt.Errorf("at %#x with %d bytes is not inside the %d bytes of memory", ref.Addr, ref.Len, len(d.memory))
	}
	return d.store.Store(b), nil
}

// readTag sets d.tag. Guests mostly name one tag many times at one address.
func (d *decoder) readTag(ref abi.Ref) error {
	if ref == d.lastTag {
		return nil
	}
	if ref.Len > abi.MaxTag {
		return fmt.Errorf("tag of %d bytes is over the limit of %d", ref.Len, abi.MaxTag)
	}
	name, ok := ref.In(d.memory)
	if !ok {
		return fmt.Errorf("tag at %#x is not inside the %d bytes of memory", ref.Addr, len(d.memory))
	}
	d.lastTag, d.tag = ref, d.tags.Tag(name)
	return nil
}

// failed adds an entry that reports an error.
func (d *decoder) failed(e *abi.Out, out *stream.Output) error {
	if e.Outcome != abi.OutcomeError {
		return fmt.Errorf("outcome %d is not known", e.Outcome)
	}
	message, ok := e.Value.In(d.memory)
	if !ok {
		return fmt.Errorf("message at %#x is not inside the %d bytes of memory", e.Value.Addr, len(d.memory))
	}
	if n := len(out.Failures); n > 0 && out.Failures[n-1].Input == int(e.Input) {
		return nil // one reason is enough
	}
	out.Failures = append(out.Failures, stream.Failure{Input: int(e.Input), Reason: printable(message, maxReason)})
	return nil
}

// dropFailed removes what inputs emitted that failed as well. The table is the
// one that out was made of.
func dropFailed(out *stream.Output, table []byte) {
	failed := make(map[uint32]bool, len(out.Failures))
	for _, f := range out.Failures {
		failed[uint32(f.Input)] = true
	}
	kept, next := out.Records[:0], 0
	for k := 0; k < len(table); k += abi.OutSize {
		var e abi.Out
		e.Take((*[abi.OutSize]byte)(table[k:]))
		if e.Outcome != abi.OutcomeEmit {
			continue
		}
		if !failed[e.Input] {
			kept = append(kept, out.Records[next])
		}
		next++
	}
	out.Records = kept
}

// compact moves what records point to from an arena that is mostly dead, such
// as that of a frame of which a filter let little through, to a new one.
func compact(out *stream.Output, old *stream.Batch) {
	out.SwapArena(old)
	for k := range out.Records {
		r := &out.Records[k]
		r.Key, r.Value, r.Headers = out.Store(old.Of(r.Key)), out.Store(old.Of(r.Value)), out.Store(old.Of(r.Headers))
	}
}
