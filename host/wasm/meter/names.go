package meter

import (
	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Subsections of the name section that are keyed by function.
const (
	nameFunctions = 1
	nameLocals    = 2
	nameLabels    = 3
)

// names renumbers the functions in a name section, so that stack traces stay
// right. It returns nil for one that it cannot read.
func (m *module) names(content []byte) []byte {
	out := []byte{}
	r := wasm.NewReader(content)
	for r.More() {
		id := r.Byte()
		sub := r.Bytes(r.U32())
		if r.Err() != nil {
			return nil
		}
		switch id {
		case nameFunctions:
			sub = m.renumber(sub, func(r *wasm.Reader) { r.Bytes(r.U32()) })
		case nameLocals, nameLabels:
			sub = m.renumber(sub, func(r *wasm.Reader) {
				for n := r.Count(); n > 0 && r.Err() == nil; n-- {
					r.U32()
					r.Bytes(r.U32())
				}
			})
		}
		if sub == nil {
			return nil
		}
		out = appendSection(out, id, sub)
	}
	return out
}

// renumber copies a map from function indices to what skip reads.
func (m *module) renumber(content []byte, skip func(*wasm.Reader)) []byte {
	r := wasm.NewReader(content)
	n := r.Count()
	out := appendU32(nil, n)
	for ; n > 0 && r.Err() == nil; n-- {
		out = appendU32(out, m.function(r.U32()))
		from := r.Pos()
		skip(r)
		if r.Err() == nil {
			out = append(out, content[from:r.Pos()]...)
		}
	}
	if rest(r) != nil {
		return nil
	}
	return out
}
