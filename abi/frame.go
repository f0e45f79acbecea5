package abi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes in bytes of what frames are made of.
const (
	HeaderSize    = 32 // input header
	InSize        = 40 // input record
	OutHeaderSize = 16 // output header
	OutSize       = 48 // output entry
	Align         = 8
)

// MaxTag is the longest name of a tag, in bytes.
const MaxTag = 255

// Kinds of an entry of the record table.
const (
	InRecord     uint32 = 0
	InEventTimer uint32 = 1
	InClockTimer uint32 = 2
)

// Clocks of a timer. It comes as an entry of the kind InEventTimer + clock.
const (
	ClockEvent = 0 // event time
	ClockWall  = 1
)

// Outcomes of an output entry.
const (
	OutcomeEmit  uint32 = 0
	OutcomeError uint32 = 1
)

// Ref is a range of guest memory as the guest or the host wrote it: unchecked.
type Ref struct{ Addr, Len uint32 }

// In returns the bytes of a range, or false if it is not inside memory. An
// empty range is fine wherever it points.
func (r Ref) In(memory []byte) ([]byte, bool) {
	if r.Len == 0 {
		return nil, true
	}
	if uint64(r.Addr)+uint64(r.Len) > uint64(len(memory)) {
		return nil, false
	}
	return memory[r.Addr : r.Addr+r.Len], true
}

// Unpack takes an i64 result apart into the range that it packs.
func Unpack(result uint64) Ref { return Ref{Addr: uint32(result >> 32), Len: uint32(result)} }

// Header is the header of an input frame.
type Header struct {
	Count     uint32
	Records   uint32 // address of the record table
	Now       int64  // ns since 1970
	Watermark int64  // ns since 1970
	Seed      uint64
}

// Put writes the header to the start of dst.
func (h *Header) Put(dst *[HeaderSize]byte) {
	binary.LittleEndian.PutUint32(dst[0:], h.Count)
	binary.LittleEndian.PutUint32(dst[4:], h.Records)
	binary.LittleEndian.PutUint64(dst[8:], uint64(h.Now))
	binary.LittleEndian.PutUint64(dst[16:], uint64(h.Watermark))
	binary.LittleEndian.PutUint64(dst[24:], h.Seed)
}

// Take reads the header from src.
func (h *Header) Take(src *[HeaderSize]byte) {
	h.Count = binary.LittleEndian.Uint32(src[0:])
	h.Records = binary.LittleEndian.Uint32(src[4:])
	h.Now = int64(binary.LittleEndian.Uint64(src[8:]))
	h.Watermark = int64(binary.LittleEndian.Uint64(src[16:]))
	h.Seed = binary.LittleEndian.Uint64(src[24:])
}

// In is one record of an input frame.
type In struct {
	Time                int64
	Key, Value, Headers Ref
	Port                uint32
	Kind                uint32
}

// Put writes the record to dst.
func (r *In) Put(dst *[InSize]byte) {
	binary.LittleEndian.PutUint64(dst[0:], uint64(r.Time))
	putRef(dst[8:16], r.Key)
	putRef(dst[16:24], r.Value)
	putRef(dst[24:32], r.Headers)
	binary.LittleEndian.PutUint32(dst[32:], r.Port)
	binary.LittleEndian.PutUint32(dst[36:], r.Kind)
}

// Take reads a record from src.
func (r *In) Take(src *[InSize]byte) {
	r.Time = int64(binary.LittleEndian.Uint64(src[0:]))
	r.Key, r.Value, r.Headers = takeRef(src[8:16]), takeRef(src[16:24]), takeRef(src[24:32])
	r.Port = binary.LittleEndian.Uint32(src[32:])
	r.Kind = binary.LittleEndian.Uint32(src[36:])
}

// Out is one entry of an output table.
type Out struct {
	Time                int64
	Key, Value, Headers Ref
	Input               uint32
	Outcome             uint32
	Tag                 Ref
}

// Put writes the entry to dst.
func (r *Out) Put(dst *[OutSize]byte) {
	binary.LittleEndian.PutUint64(dst[0:], uint64(r.Time))
	putRef(dst[8:16], r.Key)
	putRef(dst[16:24], r.Value)
	putRef(dst[24:32], r.Headers)
	binary.LittleEndian.PutUint32(dst[32:], r.Input)
	binary.LittleEndian.PutUint32(dst[36:], r.Outcome)
	putRef(dst[40:48], r.Tag)
}

// Take reads an entry from src.
func (r *Out) Take(src *[OutSize]byte) {
	r.Time = int64(binary.LittleEndian.Uint64(src[0:]))
	r.Key, r.Value, r.Headers = takeRef(src[8:16]), takeRef(src[16:24]), takeRef(src[24:32])
	r.Input = binary.LittleEndian.Uint32(src[32:])
	r.Outcome = binary.LittleEndian.Uint32(src[36:])
	r.Tag = takeRef(src[40:48])
}

func putRef(dst []byte, r Ref) {
	binary.LittleEndian.PutUint64(dst, uint64(r.Len)<<32|uint64(r.Addr))
}

func takeRef(src []byte) Ref {
	v := binary.LittleEndian.Uint64(src)
	return Ref{Addr: uint32(v), Len: uint32(v >> 32)}
}

// OutTable checks the output header at addr and returns the bytes of its entry
// table: a multiple of OutSize, at most max entries.
func OutTable(memory []byte, addr uint32, max int) ([]byte, error) {
	header, ok := Ref{addr, OutHeaderSize}.In(memory)
	switch {
	case addr == 0:
		return nil, errors.New("returned 0 instead of the address of an output header")
	case addr%Align != 0:
		return nil, fmt.Errorf("output header at %#x is not a multiple of %d", addr, Align)
	case !ok:
		return nil, fmt.Errorf("output header at %#x is not inside the %d bytes of memory", addr, len(memory))
	}
	return table(memory, binary.LittleEndian.Uint32(header[0:]), binary.LittleEndian.Uint32(header[4:]), OutSize, max, "output entries")
}

// InTable checks an input header at addr, as a guest would, and returns it with
// the bytes of its record table: a multiple of InSize.
func InTable(memory []byte, addr uint32) (Header, []byte, error) {
	raw, ok := Ref{addr, HeaderSize}.In(memory)
	if !ok || addr%Align != 0 {
		return Header{}, nil, fmt.Errorf("input header at %#x is misaligned or not inside the %d bytes of memory", addr, len(memory))
	}
	var h Header
	h.Take((*[HeaderSize]byte)(raw))
	t, err := table(memory, h.Count, h.Records, InSize, int(h.Count), "input records")
	return h, t, err
}

// ErrTooMany says that a table has more entries than allowed.
var ErrTooMany = errors.New("more than the limit")

func table(memory []byte, count, addr uint32, size, max int, what string) ([]byte, error) {
	switch bytes := uint64(count) * uint64(size); {
	case count == 0:
		return nil, nil
	case uint64(count) > uint64(max):
		return nil, fmt.Errorf("%d %s are %w of %d", count, what, ErrTooMany, max)
	case addr%Align != 0:
		return nil, fmt.Errorf("table of %s at %#x is not a multiple of %d", what, addr, Align)
	case uint64(addr)+bytes > uint64(len(memory)):
		return nil, fmt.Errorf("table of %d %s at %#x is not inside the %d bytes of memory", count, what, addr, len(memory))
	default:
		return memory[addr : uint64(addr)+bytes], nil
	}
}
