package window

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/axiomhq/hyperloglog"
	"github.com/dgryski/go-metro"
)

// distinct counts the values that differ, as bytes. Up to MaxExact of them the
// count is exact (but for values with the same 64-bit hash), beyond it is that of a
// HyperLogLog sketch with 2^14 registers: the standard error is 0.81 %, so that 997
// of 1000 results are off by less than 2.5 %.
//
// Accumulator: 8 bytes per hash, ascending; then a sketch as the library encodes it,
// whose registers are raised in place, because decoding 16 KiB for each record would
// cost a thousand times the record. Flajolet et al., HyperLogLog, 2007.
type distinct struct{}

// MaxExact is how many distinct values are counted exactly.
const MaxExact = 256

const (
	precision  = 14
	hashSeed   = 1337 // that of the library, so that others can read its sketches
	registers  = 8    // where they begin: version, precision, 0, dense, their number
	sketchSize = registers + 1<<precision
)

func (distinct) Init(dst []byte) []byte { return dst }

func (distinct) Add(acc []byte, r Record) ([]byte, error) {
	if err := checkDistinct(acc); err != nil {
		return acc, err
	}
	return addHash(acc, metro.Hash64(r.Value, hashSeed)), nil
}

func addHash(acc []byte, h uint64) []byte {
	if len(acc) == sketchSize {
		raise(acc, h)
		return acc
	}
	at, found := searchHash(acc, h)
	if found {
		return acc
	}
	if len(acc) == MaxExact*8 {
		acc = sketchOf(acc)
		raise(acc, h)
		return acc
	}
	return slices.Insert(acc, at*8, binary.BigEndian.AppendUint64(nil, h)...)
}

// searchHash finds a hash, or the index where it belongs.
func searchHash(acc []byte, h uint64) (at int, found bool) {
	low, high := 0, len(acc)/8
	for low < high {
		middle := (low + high) / 2
		have := binary.BigEndian.Uint64(acc[middle*8:])
		if have == h {
			return middle, true
		}
		if have < h {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, false
}

// sketchOf makes a sketch of hashes, in the memory of acc if it is large enough.
func sketchOf(acc []byte) []byte {
	hashes := slices.Clone(acc)
	acc = slices.Grow(acc[:0], sketchSize)[:sketchSize]
	clear(acc)
	acc[0], acc[1] = 2, precision
	binary.BigEndian.PutUint32(acc[4:], 1<<precision)
	for ; len(hashes) > 0; hashes = hashes[8:] {
		raise(acc, binary.BigEndian.Uint64(hashes))
	}
	return acc
}

// raise puts a hash into a sketch.
func raise(sketch []byte, h uint64) {
	register := &sketch[registers+h>>(64-precision)]
	*register = max(*register, uint8(bits.LeadingZeros64(h<<precision|1<<(precision-1)))+1)
}

func (distinct) Merge(acc, other []byte) ([]byte, error) {
	if err := checkDistinct(acc); err != nil {
		return acc, err
	}
	if err := checkDistinct(other); err != nil {
		return acc, err
	}
	if len(other) < sketchSize {
		for ; len(other) > 0; other = other[8:] {
			acc = addHash(acc, binary.BigEndian.Uint64(other))
		}
		return acc, nil
	}
	if len(acc) < sketchSize {
		acc = sketchOf(acc)
	}
	for i := registers; i < sketchSize; i++ {
		acc[i] = max(acc[i], other[i])
	}
	return acc, nil
}

func (distinct) Result(dst, acc []byte) ([]byte, error) {
	if err := checkDistinct(acc); err != nil {
		return dst, err
	}
	if len(acc) < sketchSize {
		return strconv.AppendInt(dst, int64(len(acc)/8), 10), nil
	}
	var s hyperloglog.Sketch
	if err := s.UnmarshalBinary(acc); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return strconv.AppendUint(dst, s.Estimate(), 10), nil
}

// checkDistinct looks at the frame only: whether the registers of a sketch are
// possible is left to Result, where the library checks them.
func checkDistinct(acc []byte) error {
	if len(acc) == sketchSize && acc[0] == 2 && acc[1] == precision && acc[3] == 0 {
		return nil
	}
	if len(acc) > MaxExact*8 || len(acc)%8 != 0 {
		return fmt.Errorf("distinct values in %d bytes: %w", len(acc), ErrCorrupt)
	}
	return nil
}
