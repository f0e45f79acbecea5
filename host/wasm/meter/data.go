package meter

import (
	"bytes"
	"cmp"
	"slices"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// gap is how many zeros between two data segments are put into one that has both:
// copying them costs less than another segment does. Go's linker leaves out each run of
// zeros, and makes 26,000 segments of a small program; wazero evaluates where each one
// belongs at every start of an instance.
const gap = 32

// dataSegment is one that is put at a fixed place when an instance starts.
type dataSegment struct {
	at   uint64
	data []byte
}

func (s *dataSegment) end() uint64 { return s.at + uint64(len(s.data)) }

// data joins segments that lie close to each other. Between them memory has zeros, as it
// is the module's own and nothing has run. It gets no more than twice as long.
func (m *module) data(content []byte) ([]byte, error) {
	segments := m.placed(content)
	if len(segments) < 2 {
		return content, nil
	}
	slices.SortStableFunc(segments, func(a, b dataSegment) int { return cmp.Compare(a.at, b.at) })
	joined, free := segments[:1], uint64(len(content))
	joined[0].data = slices.Clip(joined[0].data)
	for _, s := range segments[1:] {
		last := &joined[len(joined)-1]
		if s.at < last.end() {
			return content, nil // which one comes last matters
		}
		if zeros := s.at - last.end(); zeros <= min(gap, free) {
			last.data = append(append(last.data, make([]byte, zeros)...), s.data...)
			free -= zeros
			continue
		}
		s.data = slices.Clip(s.data) // what is appended is written elsewhere
		joined = append(joined, s)
	}
	out := appendU32(nil, uint32(len(joined)))
	for _, s := range joined {
		out = append(appendS64(append(out, 0, opI32Const), int64(s.at)), opEnd)
		out = append(appendU32(out, uint32(len(s.data))), s.data...)
	}
	return out, nil
}

// placed returns the segments if all are put at fixed places in a memory of the module
// and no instruction names one by its number, else none.
func (m *module) placed(content []byte) []dataSegment {
	imported := slices.ContainsFunc(m.in.Imports, func(i wasm.Import) bool { return i.Kind == wasm.ExternMemory })
	if content == nil || imported || m.find(sectionCount) != nil {
		return nil
	}
	r := wasm.NewReader(content)
	segments := make([]dataSegment, 0, r.Count())
	for range cap(segments) {
		form, from := r.Byte(), r.Pos()
		at := next(r)
		canonical := r.Err() == nil && at.op == opI32Const && bytes.Equal(content[from+1:at.end], appendS64(nil, int64(at.value)))
		if form != 0 || !canonical || r.Byte() != opEnd {
			return nil // for the runtime, which also refuses what is wrong
		}
		segments = append(segments, dataSegment{uint64(at.value), r.Bytes(r.U32())})
	}
	if rest(r) != nil {
		return nil
	}
	return segments
}
