// Package wasmill is the guest SDK for Go and TinyGo: this one file. Copy it to a folder
// wasmill/ of your project, write a main package
//
//	func init() { wasmill.Map(`{"name": "upper", "kind": "map"}`, upper) }
//	func main() {} // not called
//
//	func upper(r *wasmill.Record, out *wasmill.Output) error {
//		r.Value = bytes.ToUpper(r.Value)
//		out.Emit(r)
//		return nil
//	}
//
// and build it with Go 1.24 or later, or with TinyGo:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o upper.wasm .
//	tinygo build -target=wasip1 -buildmode=c-shared -scheduler=none -o upper.wasm .
//
// It compiles on every platform, so that `go test` reaches your function: give it a Record
// and an Output, look at Output.Results. What asks the host for something (Log, Now, Random,
// Sleep, HTTP) is in the files beside this one: copy all three of them too if you need any.
package wasmill

import (
	"encoding/binary"
	"runtime"
	"unsafe"
)

// Map makes f the function of the plugin; description is the JSON of ABI.md §1. Call it
// in an init function.
func Map(description string, f Func) { described, handle = []byte(description), f }

// Params has f called with the parameters, a JSON object, before the first record. Call it
// in an init function too; without it the plugin takes no parameters.
func Params(f func(params []byte) error) { configured = f }

// Func handles one record: it emits any number of results, or fails that record by an
// error. A panic fails all records of the call.
type Func func(r *Record, out *Output) error

// Record is one record. Its bytes are read-only and only valid during the call: copy what
// you keep. The struct itself is yours to change.
type Record struct {
	Time       int64 // event time, ns since 1970
	Key, Value []byte
	Headers    Headers
	Port       uint32 // index of the edge it came in by
}

// Headers is a header block.
type Headers []byte

// Next takes the first header off the block; ok is false when the block is empty.
func (h Headers) Next() (name, value []byte, rest Headers, ok bool) {
	if len(h) == 0 {
		return nil, nil, nil, false
	}
	n := 8 + binary.LittleEndian.Uint32(h)
	v := n + binary.LittleEndian.Uint32(h[4:])
	return h[8:n], h[n:v], h[v:], true
}

// Append adds a header to a copy of the block.
func (h Headers) Append(name, value string) Headers {
	h = binary.LittleEndian.AppendUint32(h[:len(h):len(h)], uint32(len(name)))
	h = binary.LittleEndian.AppendUint32(h, uint32(len(value)))
	return append(append(h, name...), value...)
}

// Output collects the results of a call. Make new bytes without garbage by appending
// them to Buf and fetching them with Take.
type Output struct {
	Buf            []byte
	Results        []Result
	Now, Watermark int64  // of the call, ns since 1970
	Seed           uint64 // for randomness that repeats when a record is processed again

	taken       int // Buf[:taken] belongs to results
	input, kind uint32
}

// Result is one emitted record.
type Result struct {
	Record
	Tag            string
	input, outcome uint32
}

// Take returns what was appended to Buf since the last Take or the start of the record.
func (o *Output) Take() []byte {
	from := o.taken
	o.taken = len(o.Buf)
	return o.Buf[from:o.taken:o.taken]
}

// Emit sends a record, changed or not, to the edges without a condition.
func (o *Output) Emit(r *Record) { o.EmitTag(r, "") }

// EmitTag sends a record to the edges that ask for the tag.
func (o *Output) EmitTag(r *Record, tag string) {
	o.Results = append(o.Results, Result{Record: *r, Tag: tag, input: o.input})
}

// From here on it is the ABI. What the host reads stays reachable through these variables.
var (
	described  []byte
	configured func([]byte) error
	handle     Func
	kinds      uint32 // the last kind of entries that handle is for; timers are in process.go
	arena      []byte // where the host writes; addresses in frames lie in here
	current    Record
	out        Output
	entries    []entry
	header     struct {
		count, entries uint32
		_              uint64 // reserved, and aligns the header
	}
	message []byte
)

type span struct{ addr, len uint32 }

type frame struct {
	count, records uint32
	now, watermark int64
	seed           uint64
}

type record struct { // in the input frame
	time                int64
	key, value, headers span
	port, kind          uint32
}

type entry struct { // of the output table
	time                int64
	key, value, headers span
	input, outcome      uint32
	tag                 span
}

func addr[T any](p *T) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

func spanOf(b []byte) span { return span{addr(unsafe.SliceData(b)), uint32(len(b))} }

func spanOfString(s string) span { return span{addr(unsafe.StringData(s)), uint32(len(s))} }

func (s span) packed() uint64 { return uint64(s.addr)<<32 | uint64(s.len) }

func (s span) bytes() []byte {
	if s.len == 0 {
		return nil
	}
	from := s.addr - addr(&arena[0])
	return arena[from : from+s.len : from+s.len]
}

//go:wasmexport wasmill_abi_v1
func abiV1() {}

//go:wasmexport wasmill_describe
func describe() uint64 { return spanOf(described).packed() }

//go:wasmexport wasmill_configure
func configure(addr, length uint32) uint64 {
	params := span{addr, length}.bytes()
	switch {
	case configured != nil:
		if err := configured(params); err != nil {
			message = []byte(err.Error())
			return spanOf(message).packed()
		}
	case string(params) != "{}":
		message = []byte("this plugin takes no parameters")
		return spanOf(message).packed()
	}
	return 0
}

//go:wasmexport wasmill_input
func input(size uint32) uint32 {
	if int(size) > len(arena) {
		words := make([]uint64, max(int(size), 2*len(arena))/8+1) // 8-byte aligned
		arena = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
	}
	return addr(&arena[0])
}

//go:wasmexport wasmill_process
func process(at uint32) uint32 {
	f := (*frame)(in(at))
	records := unsafe.Slice((*record)(in(f.records)), f.count)
	r, o := &current, begin(f)
	for i := range records {
		in := &records[i]
		if in.kind > kinds {
			continue
		}
		in.to(r)
		o.input, o.kind, o.taken = uint32(i), in.kind, len(o.Buf)
		before := len(o.Results)
		if err := handle(r, o); err != nil {
			failure := Result{Record: Record{Value: []byte(err.Error())}, input: uint32(i), outcome: 1}
			o.Results = append(o.Results[:before], failure)
		}
	}
	return o.answer()
}

// in returns where an address of the arena is.
func in(at uint32) unsafe.Pointer { return unsafe.Pointer(&arena[at-addr(&arena[0])]) }

func (in *record) to(r *Record) {
	r.Time, r.Key, r.Value, r.Headers, r.Port = in.time, in.key.bytes(), in.value.bytes(), in.headers.bytes(), in.port
}

// begin gets ready for a frame.
func begin(f *frame) *Output {
	runtime.Gosched()  // the only chance of Go's garbage collector to run
	clear(out.Results) // lets the collector have what they refer to
	out = Output{Buf: out.Buf[:0], Results: out.Results[:0], Now: f.now, Watermark: f.watermark, Seed: f.seed}
	return &out
}

// answer returns the address of what was collected.
func (o *Output) answer() uint32 {
	if n := len(o.Results); n > len(entries) {
		entries = make([]entry, 2*n)
	}
	for i := range o.Results {
		r := &o.Results[i]
		entries[i] = entry{r.Time, spanOf(r.Key), spanOf(r.Value), spanOf(r.Headers), r.input, r.outcome, spanOfString(r.Tag)}
	}
	header.count, header.entries = uint32(len(o.Results)), addr(unsafe.SliceData(entries))
	return addr(&header)
}
