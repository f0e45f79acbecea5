package generator

// seqDigits is how many digits a sequence number is padded to.
const seqDigits = 20

// filler makes values of one size: a sequence number and letters. It holds a
// value whose number is a multiple of 100, so that most values cost one copy
// and two digits.
type filler struct {
	value    []byte
	digits   int    // length of the number; if value is short, its last digits
	hundreds uint64 // what value shows but for the last two digits
}

func newFiller(seed uint64, size int) *filler {
	f := &filler{digits: min(size, seqDigits), value: make([]byte, min(size, seqDigits), size+8)}
	if size > seqDigits {
		r := randomFor(seed, 0)
		f.value = r.appendLetters(append(f.value, ' '), int64(size-seqDigits-1))
	}
	f.show(0)
	return f
}

// show sets all digits but the last two.
func (f *filler) show(hundreds uint64) {
	f.hundreds = hundreds
	for i := f.digits - 3; i >= 0; i-- {
		f.value[i] = '0' + byte(hundreds%10)
		hundreds /= 10
	}
}

// fill writes the value of record n, which has the size of the filler.
func (f *filler) fill(dst []byte, n uint64) {
	hundreds, rest := n/100, n%100
	if hundreds != f.hundreds {
		f.show(hundreds)
	}
	copy(dst, f.value)
	if i := f.digits - 1; i >= 0 {
		dst[i] = '0' + byte(rest%10)
	}
	if i := f.digits - 2; i >= 0 {
		dst[i] = '0' + byte(rest/10)
	}
}
