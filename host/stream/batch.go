package stream

import "math"

// Span is a range of bytes in the arena of a batch.
type Span struct{ Off, Len uint32 }

// Record is one entry in the table of a batch. It holds no pointers, so the
// garbage collector never scans a table.
type Record struct {
	Time    int64 // event time in ns since 1970
	Seq     Seq   // number within Source of the source record it came from
	Key     Span  // empty = no key
	Value   Span
	Headers Span     // a header block as in the abi package; empty = none
	Source  SourceID // which source Seq counts
	Tag     Tag      // set by a transform, read by the router, cleared on the edge
	Port    uint16   // index of the inbound edge it arrived on, up to MaxPort
	Group   uint16   // of its key, in a call of a Keyed
}

// Batch is a table of records over one arena. It is not safe for concurrent use
// and has one owner at a time.
type Batch struct {
	Records []Record
	// Watermark of the vertex when the batch was taken from its inbox.
	Watermark Watermark
	// Least is the least event time of Records, set where a batch enters an edge.
	Least int64
	arena []byte
}

// maxArena bounds the arena so that spans fit 32 bits.
const maxArena = math.MaxUint32

// Len returns the number of records.
func (b *Batch) Len() int { return len(b.Records) }

// Bytes returns the size of the arena, which is what limits in bytes count.
func (b *Batch) Bytes() int { return len(b.arena) }

// Arena returns the bytes that spans point into. The slice is valid until the
// next Store, Reserve or Reset and must not be written to.
func (b *Batch) Arena() []byte { return b.arena }

// Of returns the bytes of a span of this batch, valid like Arena.
func (b *Batch) Of(s Span) []byte { return b.arena[s.Off : s.Off+s.Len : s.Off+s.Len] }

// Value returns the value of record i, valid like Arena.
func (b *Batch) Value(i int) []byte { return b.Of(b.Records[i].Value) }

// Key returns the key of record i, valid like Arena.
func (b *Batch) Key(i int) []byte { return b.Of(b.Records[i].Key) }

// Headers returns the header block of record i, valid like Arena.
func (b *Batch) Headers(i int) []byte { return b.Of(b.Records[i].Headers) }

// Store copies p into the arena and returns its span.
func (b *Batch) Store(p []byte) Span {
	b.mustFit(len(p))
	off := len(b.arena)
	b.arena = append(b.arena, p...)
	return Span{uint32(off), uint32(len(p))}
}

// Reserve returns n writable bytes after the arena's end. They become part of
// the arena by Commit; until then another Reserve may hand them out again.
func (b *Batch) Reserve(n int) []byte {
	b.mustFit(n)
	if cap(b.arena)-len(b.arena) < n {
		grown := make([]byte, len(b.arena), max(len(b.arena)+n, 2*cap(b.arena)))
		copy(grown, b.arena)
		b.arena = grown
	}
	return b.arena[len(b.arena) : len(b.arena)+n]
}

// Commit adds the first n reserved bytes to the arena and returns their span.
func (b *Batch) Commit(n int) Span {
	off := len(b.arena)
	b.arena = b.arena[:off+n]
	return Span{uint32(off), uint32(n)}
}

func (b *Batch) mustFit(n int) {
	if n > maxArena-len(b.arena) {
		panic("BUG: batch arena past 4 GiB")
	}
}

// Append adds a record whose parts are copied into the arena.
func (b *Batch) Append(time int64, key, value, headers []byte) {
	b.mustFit(len(key) + len(value) + len(headers))
	r := Record{Time: time}
	r.Key.Off, r.Key.Len = uint32(len(b.arena)), uint32(len(key))
	r.Value.Off, r.Value.Len = r.Key.Off+r.Key.Len, uint32(len(value))
	r.Headers.Off, r.Headers.Len = r.Value.Off+r.Value.Len, uint32(len(headers))
	b.arena = append(append(append(b.arena, key...), value...), headers...)
	b.Records = append(b.Records, r)
}

// Ports of what came on no edge, or is not as the others, for a Keyed.
const (
	NoKey      = math.MaxUint16     // a record without a key
	EventTimer = math.MaxUint16 - 1 // what is due by event time
	ClockTimer = math.MaxUint16 - 2 // what is due by the clock
	MaxPort    = math.MaxUint16 - 3
)

// SetKey stores a key for record i.
func (b *Batch) SetKey(i int, key []byte) {
	if r := &b.Records[i]; string(b.Of(r.Key)) != string(key) {
		r.Key = b.Store(key)
	}
}

// AppendFrom adds a copy of record i of another batch, bytes included.
func (b *Batch) AppendFrom(from *Batch, i int) {
	r := from.Records[i]
	if !r.compact() {
		r.Key, r.Value, r.Headers = b.Store(from.Of(r.Key)), b.Store(from.Of(r.Value)), b.Store(from.Of(r.Headers))
		b.Records = append(b.Records, r)
		return
	}
	start := r.Value.Off - r.Key.Len
	at := b.Store(from.arena[start : r.Value.Off+r.Value.Len+r.Headers.Len]).Off
	r.Key.Off, r.Value.Off, r.Headers.Off = at, at+r.Key.Len, at+r.Key.Len+r.Value.Len
	b.Records = append(b.Records, r)
}

// compact says whether key, value and headers lie one after the other.
func (r *Record) compact() bool {
	return (r.Key.Len == 0 || r.Key.Off+r.Key.Len == r.Value.Off) && (r.Headers.Len == 0 || r.Value.Off+r.Value.Len == r.Headers.Off)
}

// AppendAll adds copies of all records of another batch: one copy of the arena
// and one addition per record.
func (b *Batch) AppendAll(from *Batch) {
	base := b.Store(from.arena).Off
	n := len(b.Records)
	b.Records = append(b.Records, from.Records...)
	for i := n; i < len(b.Records); i++ {
		r := &b.Records[i]
		r.Key.Off += base
		r.Value.Off += base
		r.Headers.Off += base
	}
}

// AppendView adds copies of records whose spans point into any arena.
func (b *Batch) AppendView(records []Record, arena []byte) {
	from := Batch{Records: records, arena: arena}
	for i := range records {
		b.AppendFrom(&from, i)
	}
}

// SwapArena exchanges the arenas of two batches, which is how a transform
// passes bytes through without copying. Records keep their spans.
func (b *Batch) SwapArena(other *Batch) { b.arena, other.arena = other.arena, b.arena }

// Truncate cuts the arena back to n bytes: it undoes every Store since.
func (b *Batch) Truncate(n int) { b.arena = b.arena[:n] }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.Records = b.Records[:0]
	b.arena = b.arena[:0]
	b.Watermark = NoWatermark
}
