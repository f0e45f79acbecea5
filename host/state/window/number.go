package window

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/wasmill/wasmill/host/stream"
)

// number is an int64, or a float64 that is neither infinite nor NaN.
type number struct {
	whole bool
	i     int64
	f     float64
}

// numberSize is the size of an encoded number: 1 if whole and 0 if not, then the
// int64 or float64, little-endian.
const numberSize = 9

func (n number) append(dst []byte) []byte {
	if n.whole {
		return binary.LittleEndian.AppendUint64(append(dst, 1), uint64(n.i))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0), math.Float64bits(n.f))
}

// decode reads a number of numberSize bytes; false if there is none in them.
func decode(b []byte) (n number, ok bool) {
	bits := binary.LittleEndian.Uint64(b[1:])
	if b[0] == 1 {
		return number{whole: true, i: int64(bits)}, true
	}
	n.f = math.Float64frombits(bits)
	return n, b[0] == 0 && n.f-n.f == 0
}

// json appends the number as JSON writes it.
func (n number) json(dst []byte) []byte {
	if n.whole {
		return strconv.AppendInt(dst, n.i, 10)
	}
	format := byte('f')
	if a := math.Abs(n.f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, n.f, format, -1, 64)
}

// compare orders numbers by value, without rounding.
func (n number) compare(o number) int {
	switch {
	case n.whole && o.whole:
		return cmp.Compare(n.i, o.i)
	case n.whole:
		return -compareMixed(o.f, n.i)
	case o.whole:
		return compareMixed(n.f, o.i)
	}
	return cmp.Compare(n.f, o.f)
}

func compareMixed(f float64, i int64) int {
	switch {
	case f >= 1<<63:
		return 1
	case f < -1<<63:
		return -1
	}
	trunc := math.Trunc(f)
	if c := cmp.Compare(int64(trunc), i); c != 0 {
		return c
	}
	return cmp.Compare(f, trunc)
}

// parse reads a number in the notation of JSON: an int64 if it is written without
// fraction and exponent and fits, otherwise the nearest float64. An error is a
// *stream.Error with code record-error.
func parse(v []byte) (number, error) {
	whole, ok := grammar(v)
	if !ok {
		return number{}, refused(v, "is not a number")
	}
	if whole {
		if i, ok := integer(v); ok {
			return number{whole: true, i: i}, nil
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(v), len(v)), 64)
	if err != nil {
		return number{}, refused(v, "is a number beyond 1.8e308")
	}
	return number{f: f + 0}, nil // -0 + 0 is 0
}

// grammar says whether v is a JSON number, and whether it has neither fraction nor
// exponent.
func grammar(v []byte) (whole, ok bool) {
	i := 0
	if i < len(v) && v[i] == '-' {
		i++
	}
	first := i
	digits := func() bool {
		from := i
		for i < len(v) && v[i] >= '0' && v[i] <= '9' {
			i++
		}
		return i > from
	}
	if !digits() || v[first] == '0' && i > first+1 {
		return false, false
	}
	whole = i == len(v)
	if i < len(v) && v[i] == '.' {
		i++
		if !digits() {
			return false, false
		}
	}
	if i < len(v) && (v[i] == 'e' || v[i] == 'E') {
		i++
		if i < len(v) && (v[i] == '+' || v[i] == '-') {
			i++
		}
		if !digits() {
			return false, false
		}
	}
	return whole, i == len(v)
}

// integer reads decimal digits with an optional minus; false if no int64 holds it.
func integer(v []byte) (int64, bool) {
	negative := v[0] == '-'
	if negative {
		v = v[1:]
	}
	if len(v) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range v {
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}

// maxPreview is how much of a value an error shows, in bytes.
const maxPreview = 80

func refused(v []byte, why string) error {
	shown := fmt.Sprintf("%q", v)
	if len(v) > maxPreview {
		shown = fmt.Sprintf("%q… (%d bytes)", v[:maxPreview], len(v))
	}
	return &stream.Error{
		Code: stream.RecordError,
		Why:  "the value to aggregate, " + shown + ", " + why,
		Fix:  "correct the record, or the field that is aggregated",
	}
}
