//go:build unix

package wasm

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// reserved is the linear memory of an instance: address space for its maximum,
// reserved when it starts, of which only what is touched takes memory. It grows
// in place, and goes back to the system when the instance is closed. Nobody may
// close an instance while it runs.
type reserved struct{ all []byte }

// allocateMemory is a wazero memory allocator. Where address space cannot be had
// it falls back on Go's heap.
func allocateMemory(_, most uint64) experimental.LinearMemory {
	if most == 0 {
		return &reserved{}
	}
	all, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|noReserve)
	if err != nil {
		return &onHeap{}
	}
	return &reserved{all}
}

// Reallocate implements experimental.LinearMemory.
func (m *reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	return m.all[:size:len(m.all)]
}

// Free implements experimental.LinearMemory.
func (m *reserved) Free() {
	if m.all == nil {
		return
	}
	if err := syscall.Munmap(m.all); err != nil {
		panic("BUG: memory of an instance is not what was mapped: " + err.Error())
	}
	m.all = nil
}
