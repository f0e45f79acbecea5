package binary

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// errEnd says that bytes ran out.
var errEnd = errors.New("unexpected end")

// Reader takes values off bytes. The first error stays; values after it are 0.
type Reader struct {
	data []byte
	pos  int
	err  error
}

// NewReader returns a reader at the start of bytes.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Err returns the first error, nil if there was none.
func (r *Reader) Err() error { return r.err }

// Pos returns how many bytes were read.
func (r *Reader) Pos() int { return r.pos }

// Fail sets the error, if there is none yet, and ends the bytes.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
		r.data = r.data[:min(r.pos, len(r.data))]
	}
}

// More says whether there are bytes left.
func (r *Reader) More() bool { return r.err == nil && r.pos < len(r.data) }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.pos >= len(r.data) {
		r.Fail(errEnd)
		return 0
	}
	r.pos++
	return r.data[r.pos-1]
}

// Bytes reads n bytes, which stay those of the input.
func (r *Reader) Bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.pos) {
		r.Fail(errEnd)
		return nil
	}
	r.pos += int(n)
	return r.data[r.pos-int(n) : r.pos]
}

// Uint reads an unsigned LEB128 number of at most bits bits.
func (r *Reader) Uint(bits uint) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := r.Byte()
		if r.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 && uint64(b) >= 1<<left {
			r.Fail(fmt.Errorf("number at byte %d does not fit %d bits", r.pos, bits))
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

// U32 reads an index, a count or a size.
func (r *Reader) U32() uint32 { return uint32(r.Uint(32)) }

// Count reads the length of a vector whose elements have at least one byte.
func (r *Reader) Count() uint32 {
	n := r.U32()
	if uint64(n) > uint64(len(r.data)-r.pos) {
		r.Fail(errEnd)
		return 0
	}
	return n
}

// Name reads a length and so many bytes of UTF-8.
func (r *Reader) Name() string {
	b := r.Bytes(r.U32())
	if !utf8.Valid(b) {
		r.Fail(fmt.Errorf("name at byte %d is not UTF-8", r.pos))
	}
	return string(b)
}

// Skip reads a LEB128 number of at most bits bits, signed or not, and forgets it.
func (r *Reader) Skip(bits uint) {
	for n := (bits + 6) / 7; n > 0; n-- {
		if r.Byte() < 0x80 {
			return
		}
	}
	r.Fail(fmt.Errorf("number at byte %d does not fit %d bits", r.pos, bits))
}
