package window

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// count counts records. Accumulator: uint64.
type count struct{}

const countSize = 8

func (count) Init(dst []byte) []byte { return binary.LittleEndian.AppendUint64(dst, 0) }

func (count) Add(acc []byte, _ Record) ([]byte, error) {
	if len(acc) != countSize {
		return acc, sized(acc, countSize)
	}
	binary.LittleEndian.PutUint64(acc, binary.LittleEndian.Uint64(acc)+1)
	return acc, nil
}

func (count) Merge(acc, other []byte) ([]byte, error) {
	if len(acc) != countSize || len(other) != countSize {
		return acc, sized(append(acc, other...), 2*countSize)
	}
	binary.LittleEndian.PutUint64(acc, binary.LittleEndian.Uint64(acc)+binary.LittleEndian.Uint64(other))
	return acc, nil
}

func (count) Result(dst, acc []byte) ([]byte, error) {
	if len(acc) != countSize {
		return dst, sized(acc, countSize)
	}
	return strconv.AppendUint(dst, binary.LittleEndian.Uint64(acc), 10), nil
}

// total is a sum: exact for the numbers that are int64, in 128 bits, which 2^64 of
// them cannot exceed, and in float64 for the others. A float64 sum that would be
// infinite stays at the largest float64.
type total struct {
	high, low uint64 // two's complement
	f         float64
}

const totalSize = 24

func readTotal(b []byte) total {
	return total{
		binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b),
		finite(math.Float64frombits(binary.LittleEndian.Uint64(b[16:]))),
	}
}

func (t total) write(b []byte) {
	binary.LittleEndian.PutUint64(b, t.low)
	binary.LittleEndian.PutUint64(b[8:], t.high)
	binary.LittleEndian.PutUint64(b[16:], math.Float64bits(t.f))
}

func (t total) plus(o total) total {
	var carry uint64
	t.low, carry = bits.Add64(t.low, o.low, 0)
	t.high, _ = bits.Add64(t.high, o.high, carry)
	t.f = finite(t.f + o.f)
	return t
}

func (n number) total() total {
	if n.whole {
		return total{uint64(n.i >> 63), uint64(n.i), 0}
	}
	return total{f: n.f}
}

// whole is the sum of the integers.
func (t total) whole() *big.Int {
	negative := t.high>>63 == 1
	if negative {
		var borrow uint64
		t.low, borrow = bits.Sub64(0, t.low, 0)
		t.high, _ = bits.Sub64(0, t.high, borrow)
	}
	n := new(big.Int).SetUint64(t.high)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(t.low))
	if negative {
		n.Neg(n)
	}
	return n
}

// small says whether the sum of the integers is low as an int64.
func (t total) small() bool { return t.high == uint64(int64(t.low)>>63) }

// json appends the sum: all digits if it is one of integers, otherwise a float64.
func (t total) json(dst []byte) []byte {
	switch {
	case t.f != 0:
		return number{f: t.float()}.json(dst)
	case t.small():
		return strconv.AppendInt(dst, int64(t.low), 10)
	}
	return t.whole().Append(dst, 10)
}

func (t total) float() float64 {
	f := float64(int64(t.low))
	if !t.small() {
		f, _ = new(big.Float).SetInt(t.whole()).Float64()
	}
	return finite(f + t.f)
}

func finite(f float64) float64 {
	if f != f {
		return 0
	}
	return max(-math.MaxFloat64, min(f, math.MaxFloat64))
}

// sum adds numbers up. Accumulator: total.
type sum struct{}

func (sum) Init(dst []byte) []byte { return append(dst, make([]byte, totalSize)...) }

func (sum) Add(acc []byte, r Record) ([]byte, error) {
	if len(acc) != totalSize {
		return acc, sized(acc, totalSize)
	}
	n, err := parse(r.Value)
	if err != nil {
		return acc, err
	}
	readTotal(acc).plus(n.total()).write(acc)
	return acc, nil
}

func (sum) Merge(acc, other []byte) ([]byte, error) {
	if len(acc) != totalSize || len(other) != totalSize {
		return acc, sized(append(acc, other...), 2*totalSize)
	}
	readTotal(acc).plus(readTotal(other)).write(acc)
	return acc, nil
}

func (sum) Result(dst, acc []byte) ([]byte, error) {
	if len(acc) != totalSize {
		return dst, sized(acc, totalSize)
	}
	return readTotal(acc).json(dst), nil
}

// average divides a sum by a count, in float64. Accumulator: count, total.
type average struct{}

const averageSize = countSize + totalSize

func (average) Init(dst []byte) []byte { return append(dst, make([]byte, averageSize)...) }

func (average) Add(acc []byte, r Record) ([]byte, error) {
	if len(acc) != averageSize {
		return acc, sized(acc, averageSize)
	}
	if _, err := (sum{}).Add(acc[countSize:], r); err != nil {
		return acc, err
	}
	_, err := count{}.Add(acc[:countSize], r)
	return acc, err
}

func (average) Merge(acc, other []byte) ([]byte, error) {
	if len(acc) != averageSize || len(other) != averageSize {
		return acc, sized(append(acc, other...), 2*averageSize)
	}
	if _, err := (sum{}).Merge(acc[countSize:], other[countSize:]); err != nil {
		return acc, err
	}
	_, err := count{}.Merge(acc[:countSize], other[:countSize])
	return acc, err
}

func (average) Result(dst, acc []byte) ([]byte, error) {
	if len(acc) != averageSize {
		return dst, sized(acc, averageSize)
	}
	n := binary.LittleEndian.Uint64(acc)
	if n == 0 {
		return append(dst, "null"...), nil
	}
	return number{f: readTotal(acc[countSize:]).float() / float64(n)}.json(dst), nil
}
