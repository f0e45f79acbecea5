package wasmill

import (
	"math"
	"unsafe"
)

// A plugin of kind aggregate folds the records of a key and a window into an accumulator,
// which the host keeps, ABI.md §4.1. Copy aggregate.go too. This one says how long the values
// are on average:
//
//	type mean struct{ count, bytes uint64 }
//
//	func (m *mean) Append(to []byte) []byte {
//		to = binary.LittleEndian.AppendUint64(to, m.count)
//		return binary.LittleEndian.AppendUint64(to, m.bytes)
//	}
//
//	func (m *mean) Read(from []byte) {
//		m.count, m.bytes = binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[8:])
//	}
//
//	func init() {
//		wasmill.Aggregate(`{"name": "mean", "kind": "aggregate"}`, wasmill.Functions[*mean]{Add: add, Merge: merge, Result: result})
//	}
//
//	func main() {} // not called
//
//	func add(m *mean, r *wasmill.Record) error {
//		if len(r.Value) == 0 {
//			return errors.New("the value is empty")
//		}
//		m.count++
//		m.bytes += uint64(len(r.Value))
//		return nil
//	}
//
//	func merge(m, other *mean) {
//		m.count += other.count
//		m.bytes += other.bytes
//	}
//
//	func result(m *mean, w *wasmill.Window, out *wasmill.Output) error {
//		out.Buf = strconv.AppendUint(out.Buf, m.bytes/max(1, m.count), 10)
//		w.Emit(out, out.Take())
//		return nil
//	}

// Accumulator is what the host keeps, as bytes. It begins as its zero value. A new version of
// a plugin gets the bytes of the old one.
type Accumulator[T any] interface {
	*T
	Append(to []byte) []byte // the same bytes for equal values
	Read(from []byte)        // what Append wrote; it may keep nothing of it
}

// Functions are those of an aggregate. Add folds a record in, or fails that record by an
// error; what it made of the accumulator does not count then. Merge folds the records of other
// in, for session windows; nil = there are none. Result emits any number of results, or fails;
// what it makes of the accumulator is kept, if the window goes on. A panic fails all records
// of the call.
type Functions[P any] struct {
	Add    func(acc P, r *Record) error
	Merge  func(acc, other P)
	Result func(acc P, w *Window, out *Output) error
}

// Aggregate makes f the functions of the plugin, as Map does.
func Aggregate[T any, P Accumulator[T]](description string, f Functions[P]) {
	described, folds = []byte(description), &folding[T, P]{f: f}
}

// Window is a window of a key.
type Window struct {
	Start, End int64 // ns since 1970; [Start, End), for all times the least and the largest int64
	Key        []byte
	Firing     Firing
}

// Firing says why a result is wanted.
type Firing uint32

// The firings: the window has ended, it has not, records came after that.
const (
	End   Firing = 0
	Early Firing = 1
	Late  Firing = 2
)

// Emit sends a value with the key of the window, and as time its last moment, or for the
// window of all times that of the latest record.
func (w *Window) Emit(out *Output, value []byte) { w.EmitTag(out, value, "") }

// EmitTag sends it to the edges that ask for the tag.
func (w *Window) EmitTag(out *Output, value []byte, tag string) {
	at := w.End - 1
	if w.End == math.MaxInt64 {
		at = out.Watermark
	}
	out.EmitTag(&Record{Time: at, Key: w.Key, Value: value}, tag)
}

// From here on it is the ABI.
var folds interface {
	add(*fold) uint32
	merge(*fold) uint32
	result(*fold) uint32
}

type fold struct {
	frame
	count, table uint32
	_            uint64
}

type window struct {
	start, end       int64
	key, accumulator span
	first, count     uint32
	firing, _        uint32
}

func (f *fold) windows() []window { return unsafe.Slice((*window)(in(f.table)), f.count) }

//go:wasmexport wasmill_add
func add(at uint32) uint32 { return folds.add((*fold)(in(at))) }

//go:wasmexport wasmill_merge
func merge(at uint32) uint32 { return folds.merge((*fold)(in(at))) }

//go:wasmexport wasmill_result
func result(at uint32) uint32 { return folds.result((*fold)(in(at))) }

type folding[T any, P Accumulator[T]] struct {
	f          Functions[P]
	acc, other T // in hand
	window     Window
	before     []byte
}

// load makes an accumulator what the host keeps.
func (g *folding[T, P]) load(acc P, w *window) {
	if from := w.accumulator.bytes(); len(from) > 0 {
		acc.Read(from)
		return
	}
	var zero T
	*acc = zero
}

// put answers an accumulator.
func (g *folding[T, P]) put(o *Output, i int) {
	o.Buf = P(&g.acc).Append(o.Buf)
	o.Results = append(o.Results, Result{Record: Record{Value: o.Take()}, input: uint32(i), outcome: 2})
}

func (g *folding[T, P]) add(f *fold) uint32 {
	o := begin(&f.frame)
	records := unsafe.Slice((*record)(in(f.records)), f.frame.count)
	for i, w := range f.windows() {
		g.load(&g.acc, &w)
		for k := w.first; k < w.first+w.count; k++ {
			records[k].to(&current)
			if err := g.f.Add(&g.acc, &current); err != nil {
				o.Results = append(o.Results, Result{Record: Record{Value: []byte(err.Error())}, input: k, outcome: 1})
			}
		}
		g.put(o, i)
	}
	return o.answer()
}

func (g *folding[T, P]) merge(f *fold) uint32 {
	o, windows := begin(&f.frame), f.windows()
	for i := 0; i+1 < len(windows); i += 2 {
		g.load(&g.acc, &windows[i])
		g.load(&g.other, &windows[i+1])
		g.f.Merge(&g.acc, &g.other)
		g.put(o, i)
	}
	return o.answer()
}

func (g *folding[T, P]) result(f *fold) uint32 {
	o := begin(&f.frame)
	for i, w := range f.windows() {
		g.load(&g.acc, &w)
		g.before = P(&g.acc).Append(g.before[:0])
		g.window = Window{Start: w.start, End: w.end, Key: w.key.bytes(), Firing: Firing(w.firing)}
		o.input, o.taken = uint32(i), len(o.Buf)
		before := len(o.Results)
		if err := g.f.Result(&g.acc, &g.window, o); err != nil {
			o.Results = append(o.Results[:before], Result{Record: Record{Value: []byte(err.Error())}, input: uint32(i), outcome: 1})
			continue
		}
		o.taken = len(o.Buf)
		after := P(&g.acc).Append(o.Buf)
		if o.Buf = after[:o.taken]; string(after[o.taken:]) != string(g.before) {
			g.put(o, i)
		}
	}
	return o.answer()
}
