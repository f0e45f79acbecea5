package abi

import (
	"encoding/binary"
	"fmt"
)

// KindAggregate folds the records of a key and a window into an accumulator.
const KindAggregate Kind = "aggregate"

// Exports of an aggregate, with their types in ABI.md §1.
const (
	ExportAdd    = "wasmill_add"
	ExportResult = "wasmill_result"
	ExportMerge  = "wasmill_merge"
)

// Sizes in bytes of what a frame of an aggregate has beside records.
const (
	FoldHeaderSize = 48 // input header
	WindowSize     = 48 // entry of the window table
)

// OutcomeAccumulator is the outcome of an output entry of an aggregate: a new
// accumulator for a window.
const OutcomeAccumulator uint32 = 2

// Why the result of a window is wanted.
const (
	FiringEnd   uint32 = 0
	FiringEarly uint32 = 1
	FiringLate  uint32 = 2
)

// FoldHeader is the header of an input frame of an aggregate.
type FoldHeader struct {
	Header
	Windows uint32
	Table   uint32 // address of the window table
}

// Put writes the header to the start of dst.
func (h *FoldHeader) Put(dst *[FoldHeaderSize]byte) {
	h.Header.Put((*[HeaderSize]byte)(dst[:]))
	binary.LittleEndian.PutUint32(dst[32:], h.Windows)
	binary.LittleEndian.PutUint32(dst[36:], h.Table)
	binary.LittleEndian.PutUint64(dst[40:], 0)
}

// Take reads the header from src.
func (h *FoldHeader) Take(src *[FoldHeaderSize]byte) {
	h.Header.Take((*[HeaderSize]byte)(src[:]))
	h.Windows = binary.LittleEndian.Uint32(src[32:])
	h.Table = binary.LittleEndian.Uint32(src[36:])
}

// Window is one entry of the window table.
type Window struct {
	Start, End       int64
	Key, Accumulator Ref
	First, Count     uint32 // its records
	Firing           uint32
}

// Put writes the entry to dst.
func (w *Window) Put(dst *[WindowSize]byte) {
	binary.LittleEndian.PutUint64(dst[0:], uint64(w.Start))
	binary.LittleEndian.PutUint64(dst[8:], uint64(w.End))
	putRef(dst[16:24], w.Key)
	putRef(dst[24:32], w.Accumulator)
	binary.LittleEndian.PutUint32(dst[32:], w.First)
	binary.LittleEndian.PutUint32(dst[36:], w.Count)
	binary.LittleEndian.PutUint64(dst[40:], uint64(w.Firing))
}

// Take reads the entry from src.
func (w *Window) Take(src *[WindowSize]byte) {
	w.Start = int64(binary.LittleEndian.Uint64(src[0:]))
	w.End = int64(binary.LittleEndian.Uint64(src[8:]))
	w.Key, w.Accumulator = takeRef(src[16:24]), takeRef(src[24:32])
	w.First = binary.LittleEndian.Uint32(src[32:])
	w.Count = binary.LittleEndian.Uint32(src[36:])
	w.Firing = binary.LittleEndian.Uint32(src[40:])
}

// WindowTable checks an input header of an aggregate at addr, as a guest would, and
// returns it with the bytes of its window table, a multiple of WindowSize, and of
// its record table, a multiple of InSize.
func WindowTable(memory []byte, addr uint32) (h FoldHeader, windows, records []byte, err error) {
	raw, ok := Ref{addr, FoldHeaderSize}.In(memory)
	if !ok || addr%Align != 0 {
		return h, nil, nil, fmt.Errorf("input header at %#x is misaligned or not inside the %d bytes of memory", addr, len(memory))
	}
	h.Take((*[FoldHeaderSize]byte)(raw))
	if windows, err = table(memory, h.Windows, h.Table, WindowSize, int(h.Windows), "windows"); err != nil {
		return h, nil, nil, err
	}
	records, err = table(memory, h.Count, h.Records, InSize, int(h.Count), "input records")
	return h, windows, records, err
}
