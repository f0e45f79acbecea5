package binary

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// errEnd says that bytes ran out.
var errEnd = errors.New("unexpected end")

// reader takes values off bytes. The first error stays; values after it are 0.
type reader struct {
	data []byte
	pos  int
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
		r.data = r.data[:min(r.pos, len(r.data))]
	}
}

func (r *reader) more() bool { return r.err == nil && r.pos < len(r.data) }

func (r *reader) byte() byte {
	if r.pos >= len(r.data) {
		r.fail(errEnd)
		return 0
	}
	r.pos++
	return r.data[r.pos-1]
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.pos) {
		r.fail(errEnd)
		return nil
	}
	r.pos += int(n)
	return r.data[r.pos-int(n) : r.pos]
}

// uint reads an unsigned LEB128 number of at most bits bits.
func (r *reader) uint(bits uint) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := r.byte()
		if r.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 && uint64(b) >= 1<<left {
			r.fail(fmt.Errorf("number at byte %d does not fit %d bits", r.pos, bits))
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (r *reader) u32() uint32 { return uint32(r.uint(32)) }

// count reads the length of a vector whose elements have at least one byte.
func (r *reader) count() uint32 {
	n := r.u32()
	if uint64(n) > uint64(len(r.data)-r.pos) {
		r.fail(errEnd)
		return 0
	}
	return n
}

func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.fail(fmt.Errorf("name at byte %d is not UTF-8", r.pos))
	}
	return string(b)
}
