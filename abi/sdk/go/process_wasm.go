//go:build wasm

package wasmill

import (
	"time"
	"unsafe"
)

// State is the state of the key of the record in hand.
type State struct {
	record  uint32
	buf     []byte // what was read
	encoded []byte // what is put
}

func (s *State) begin(_ *Record, out *Output) { s.record = out.input }

// Get returns the value under a name, valid until the next Get, List or change, and false
// if there is none.
func (s *State) Get(name string) ([]byte, bool) {
	for {
		n := stateGet(s.record, text(name), uint32(len(name)), at(s.buf), uint32(cap(s.buf)))
		if n < 0 {
			return nil, false
		}
		if int(n) <= cap(s.buf) {
			return s.buf[:n], true
		}
		s.buf = make([]byte, 2*n)
	}
}

// Put sets it, for ttl of event time from the record on; 0 is until it is deleted.
func (s *State) Put(name string, value []byte, ttl time.Duration) {
	statePut(s.record, text(name), uint32(len(name)), at(value), uint32(len(value)), int64(ttl))
}

// Delete removes it.
func (s *State) Delete(name string) { stateDelete(s.record, text(name), uint32(len(name))) }

// List returns the names that begin with a prefix, with their values, in the order of their
// bytes. It is valid like what Get returns.
func (s *State) List(prefix string) Headers {
	for {
		n := stateList(s.record, text(prefix), uint32(len(prefix)), at(s.buf), uint32(cap(s.buf)))
		if int(n) <= cap(s.buf) {
			return Headers(s.buf[:n])
		}
		s.buf = make([]byte, 2*n)
	}
}

// SetTimer sets the timer of a name, or moves it: to when the clock has come to at, ns since
// 1970.
func (s *State) SetTimer(c Clock, name string, at int64) {
	timerSet(s.record, uint32(c), text(name), uint32(len(name)), at)
}

// DeleteTimer removes it.
func (s *State) DeleteTimer(c Clock, name string) {
	timerDelete(s.record, uint32(c), text(name), uint32(len(name)))
}

func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
func at(b []byte) unsafe.Pointer   { return unsafe.Pointer(unsafe.SliceData(b)) }

//go:wasmimport wasmill state_get
func stateGet(record uint32, name unsafe.Pointer, length uint32, to unsafe.Pointer, room uint32) int32

//go:wasmimport wasmill state_put
func statePut(record uint32, name unsafe.Pointer, length uint32, value unsafe.Pointer, size uint32, ttl int64)

//go:wasmimport wasmill state_delete
func stateDelete(record uint32, name unsafe.Pointer, length uint32)

//go:wasmimport wasmill state_list
func stateList(record uint32, prefix unsafe.Pointer, length uint32, to unsafe.Pointer, room uint32) int32

//go:wasmimport wasmill timer_set
func timerSet(record, clock uint32, name unsafe.Pointer, length uint32, at int64)

//go:wasmimport wasmill timer_delete
func timerDelete(record, clock uint32, name unsafe.Pointer, length uint32)
