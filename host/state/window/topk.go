package window

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// topK keeps the k records with the largest numbers, largest first; of equal ones
// those that are older, then those whose item is smaller as bytes. Accumulator:
// entries of a number, the event time, the length of the item and the item.
type topK struct{ k int }

const entryHead = numberSize + 8 + 4

type ranked struct {
	by   number
	at   int64
	item []byte
	raw  []byte // encoded
}

// compare is below zero if a ranks before b.
func (a ranked) compare(b ranked) int {
	return cmp.Or(b.by.compare(a.by), cmp.Compare(a.at, b.at), bytes.Compare(a.item, b.item))
}

func (topK) Init(dst []byte) []byte { return dst }

func (t topK) Add(acc []byte, r Record) ([]byte, error) {
	n, err := parse(r.Value)
	if err != nil {
		return acc, err
	}
	if len(r.Item) > math.MaxUint32 {
		return acc, refused(r.Item, "is too long to keep")
	}
	return t.insert(acc, ranked{by: n, at: r.Time, item: r.Item})
}

// insert puts an entry at its rank and cuts off what falls behind the k-th.
func (t topK) insert(acc []byte, e ranked) ([]byte, error) {
	at, end, ranks := -1, 0, 0 // where the new entry goes, where the kept ones end
	for end < len(acc) {
		have, err := next(acc[end:])
		if err != nil {
			return acc, err
		}
		if at < 0 && e.compare(have) < 0 {
			at = end
			ranks++
		}
		if ranks == t.k {
			break
		}
		ranks++
		end += len(have.raw)
	}
	if at < 0 {
		if ranks == t.k {
			return acc, nil
		}
		at = end
	}
	size := entryHead + len(e.item)
	kept := end - at
	acc = append(acc[:end], make([]byte, size)...)
	copy(acc[at+size:], acc[at:at+kept])
	b := e.by.append(acc[at:at])
	b = binary.LittleEndian.AppendUint64(b, uint64(e.at))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.item)))
	_ = append(b, e.item...)
	return acc, nil
}

func (t topK) Merge(acc, other []byte) ([]byte, error) {
	for rest := other; len(rest) > 0; {
		e, err := next(rest)
		if err != nil {
			return acc, err
		}
		rest = rest[len(e.raw):]
	}
	for len(other) > 0 {
		e, err := next(other)
		if err != nil {
			return acc, err
		}
		if acc, err = t.insert(acc, e); err != nil {
			return acc, err
		}
		other = other[len(e.raw):]
	}
	return acc, nil
}

// Result is an array of {"by": number, "item": …}: the item as it is if it is JSON,
// otherwise as text, or in base64 as itemBase64; without if it is empty.
func (t topK) Result(dst, acc []byte) ([]byte, error) {
	dst = append(dst, '[')
	for first := true; len(acc) > 0; first = false {
		e, err := next(acc)
		if err != nil {
			return dst, err
		}
		acc = acc[len(e.raw):]
		if !first {
			dst = append(dst, ',')
		}
		dst = e.by.json(append(dst, `{"by":`...))
		if len(e.item) > 0 {
			whole := bytes.NewBuffer(append(dst, `,"item":`...))
			if json.Compact(whole, e.item) == nil {
				dst = whole.Bytes()
			} else {
				dst = appendText(append(dst, ','), "item", e.item)
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}

// next reads the first entry of an accumulator that is not empty.
func next(acc []byte) (e ranked, err error) {
	if len(acc) < entryHead {
		return e, fmt.Errorf("entry of %d bytes: %w", len(acc), ErrCorrupt)
	}
	by, ok := decode(acc)
	size := uint64(binary.LittleEndian.Uint32(acc[numberSize+8:]))
	if !ok || size > uint64(len(acc)-entryHead) {
		return e, fmt.Errorf("entry with an item of %d bytes in %d: %w", size, len(acc), ErrCorrupt)
	}
	end := entryHead + int(size)
	return ranked{by, int64(binary.LittleEndian.Uint64(acc[numberSize:])), acc[entryHead:end], acc[:end]}, nil
}
