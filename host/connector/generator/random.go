package generator

import (
	"encoding/binary"
	"math/bits"
)

// random is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014): one addition and a hash per number, and as good
// from any state.
type random uint64

const golden = 0x9E3779B97F4A7C15

// randomFor returns the random numbers of record n.
func randomFor(seed uint64, n uint64) random {
	r := random(seed)
	return random(r.next() ^ n*0xD1342543DE82EF95)
}

func (r *random) next() uint64 {
	*r += golden
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below returns a number from 0 to n-1; n is at least 1.
func (r *random) below(n int64) int64 {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int64(hi)
}

// float returns a number from 0 to 1, 1 not included.
func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// appendLetters adds n letters from a to z. It may write to 7 bytes after them.
func (r *random) appendLetters(dst []byte, n int64) []byte {
	const lanes = 0x00FF00FF00FF00FF
	end := len(dst) + int(n)
	for len(dst) < end {
		word := r.next() // 8 bytes b, each of which becomes b*26/256
		even := word & lanes * 26 >> 8 & lanes
		odd := word >> 8 & lanes * 26 &^ lanes
		dst = binary.LittleEndian.AppendUint64(dst, even|odd+'a'*0x0101010101010101)
	}
	return dst[:end]
}

// appendWords adds a text of 3 to most-1 bytes of letters, in which one byte in
// 13 is a gap, though not the first or last.
func (r *random) appendWords(dst []byte, most int64, gap byte) []byte {
	n := 3 + r.below(most-3)
	start := len(dst)
	dst = r.appendLetters(dst, n)
	text := dst[start:]
	word := uint64(0)
	for i := 1; i < len(text)-1; i++ {
		if i%8 == 1 {
			word = r.next()
		}
		if word&0xff*13>>8 == 0 {
			text[i] = gap
		}
		word >>= 8
	}
	return dst
}
