package wasm

// onHeap is linear memory in Go's heap, where no address space can be reserved.
type onHeap struct{ all []byte }

// Reallocate implements experimental.LinearMemory.
func (m *onHeap) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		m.all = append(m.all, make([]byte, size-uint64(len(m.all)))...)
	}
	return m.all[:size]
}

// Free implements experimental.LinearMemory.
func (m *onHeap) Free() { m.all = nil }
