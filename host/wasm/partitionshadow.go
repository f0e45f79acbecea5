package wasm

import (
	"bytes"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// unit is the part of memory in which changes are found and stored, in bytes. A
// smaller one stores less of what did not change, and is not found faster.
const unit = 4 << 10

// shadow is a copy of all that an instance remembers, as it was after one of its
// calls. It knows when each unit of memory was last found to be another one than
// before: units are compared by content, so that none is missed.
type shadow struct {
	version uint64 // of the partition when it was taken; 0 = never
	memory  experimental.LinearMemory
	bytes   []byte   // of memory
	found   []uint64 // by unit, the version at which its last change was found
	mind
}

// mind is what an instance remembers besides its memory.
type mind struct {
	arena, room uint32
	wall, nano  int64
	random      [48]byte // of wasi, in its own form
	globals     []uint64 // in the order of Plugin.globals
}

// take makes s a copy of an instance whose partition is at a version.
func (s *shadow) take(i *instance, version uint64) error {
	memory := i.refresh()
	if err := s.resize(len(memory), i.plugin.limits.Memory); err != nil {
		return err
	}
	for k := range s.found {
		now, before := memory[k*unit:][:unit], s.bytes[k*unit:][:unit]
		if !bytes.Equal(now, before) {
			copy(before, now)
			s.found[k] = version
		}
	}
	s.version = version
	s.arena, s.room = i.arena, i.room
	s.wall, s.nano = i.wasi.wall, i.wasi.nano
	if _, err := i.wasi.random.AppendBinary(s.random[:0]); err != nil {
		return err
	}
	s.globals = s.globals[:0]
	for _, name := range i.plugin.globals {
		s.globals = append(s.globals, i.module.ExportedGlobal(name).Get())
	}
	return nil
}

// resize makes room for size bytes of memory, which never shrinks, and may have
// limit bytes at most.
func (s *shadow) resize(size int, limit int64) error {
	if s.memory == nil {
		s.memory = allocateMemory(uint64(size), uint64(limit/PageSize*PageSize))
	}
	if size <= len(s.bytes) {
		return nil
	}
	if s.bytes = s.memory.Reallocate(uint64(size)); s.bytes == nil {
		return fmt.Errorf("memory of %d bytes is over the limit of %d", size, limit)
	}
	s.found = append(s.found, make([]uint64, size/unit-len(s.found))...)
	return nil
}

// bringTo makes a fresh instance, in which no function of the guest has run but
// perhaps its start, what the shadow is of. The start section and data segments have
// written where they like, so that all of memory is compared.
func (s *shadow) bringTo(i *instance) error {
	if more := len(s.bytes) - int(i.memory.Size()); more > 0 {
		if _, ok := i.memory.Grow(uint32(more / PageSize)); !ok {
			return fmt.Errorf("memory cannot grow to %d bytes", len(s.bytes))
		}
	}
	memory := i.refresh()
	if len(memory) != len(s.bytes) {
		return fmt.Errorf("it starts with %d bytes of memory, and had %d", len(memory), len(s.bytes))
	}
	for k := range s.found {
		now, before := s.bytes[k*unit:][:unit], memory[k*unit:][:unit]
		if !bytes.Equal(now, before) {
			copy(before, now)
		}
	}
	for k, name := range i.plugin.globals {
		g := i.module.ExportedGlobal(name).(api.MutableGlobal)
		g.Set(masked(g.Type(), s.globals[k]))
	}
	i.arena, i.room = s.arena, s.room
	return i.wasi.resume(s.wall, s.nano, s.random[:])
}

// masked returns what a global of a type may be set to.
func masked(t api.ValueType, value uint64) uint64 {
	if t == api.ValueTypeI32 || t == api.ValueTypeF32 {
		return uint64(uint32(value))
	}
	return value
}

// free gives the memory back.
func (s *shadow) free() {
	if s.memory != nil {
		s.memory.Free()
	}
	*s = shadow{}
}
