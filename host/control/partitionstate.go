package control

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// memories is the part of a stream.Durable that brings the memories of partitions into
// checkpoints and back. Partition p is the group p of one table, and each Freeze has
// one part for those that changed: all of it, or what is another than in the parts
// before. A part, form 1, numbers little-endian:
//
//	form 1 B │ partition 4 B │ partitions 4 B │ snapshot of wasm.Partitions
//
// The snapshot of a partition that has not started is empty.
type memories struct {
	where string
	parts partitionGuests
	saved []savedMemory
	last  *frozenMemories // nil: none
}

// partitionGuests is what memories need of wasm.Partitions.
type partitionGuests interface {
	Version(part int) uint64
	Snapshot(ctx context.Context, part int, since uint64, dst []byte) ([]byte, error)
	Restore(ctx context.Context, part int, chain ...[]byte) error
}

// savedMemory is what checkpoints have of a partition, or those that it is being
// restored from.
type savedMemory struct {
	state.Chain
	given   bool     // there is a full part
	version uint64   // that all parts are of; 0 = of one that has not started
	brought [][]byte // by Restore: the snapshots of the chain, until Restored
}

const (
	memoryTable = "memory"
	memoryForm  = 1
	memoryHead  = 1 + 4 + 4
)

func newMemories(where string, parts partitionGuests, n int) *memories {
	return &memories{where: where, parts: parts, saved: make([]savedMemory, n)}
}

// Freeze implements stream.Durable. It takes as long as comparing the memory of the
// partitions that have changed, and copying what has.
func (m *memories) Freeze(full bool) stream.Frozen {
	m.settle()
	f := &frozenMemories{}
	m.last = f
	for p := range m.saved {
		s := &m.saved[p]
		version := m.parts.Version(p)
		if !full && s.given && version == s.version {
			continue
		}
		x := memoryPart{partition: p, version: version, full: full || !s.given || s.version == 0 || s.Worn()}
		since := s.version
		if x.full {
			since = 0
		}
		le := binary.LittleEndian
		x.data = le.AppendUint32(le.AppendUint32([]byte{memoryForm}, uint32(p)), uint32(len(m.saved)))
		if x.data, f.err = m.parts.Snapshot(context.Background(), p, since, x.data); f.err != nil {
			break
		}
		x.size = len(x.data)
		f.parts = append(f.parts, x)
	}
	return f
}

// settle notes what became of the last Freeze.
func (m *memories) settle() {
	f := m.last
	if m.last = nil; f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.released {
		panic("BUG: Freeze before the last Frozen was released")
	}
	if !f.saved {
		return
	}
	for _, x := range f.parts {
		s := &m.saved[x.partition]
		s.given, s.version = true, x.version
		s.Add(x.full, x.size)
	}
}

// Restore implements stream.Durable. What is wrong with the snapshots themselves shows
// in Restored.
func (m *memories) Restore(table string, full bool, data []byte) error {
	le := binary.LittleEndian
	switch {
	case table != memoryTable:
		return m.corrupt("it is of the table %q, which the vertex does not have", table)
	case len(data) < memoryHead:
		return m.corrupt("it ends within its head")
	case data[0] != memoryForm:
		return m.corrupt("its form is %d, known is %d", data[0], memoryForm)
	}
	p, of := le.Uint32(data[1:]), le.Uint32(data[5:])
	switch {
	case p >= of:
		return m.corrupt("it is of partition %d of %d", p, of)
	case of != uint32(len(m.saved)):
		return &stream.Error{
			Code: stream.StateForeign, Where: m.where, Why: fmt.Sprintf("the state is that of %d partitions, not %d", of, len(m.saved)),
			Fix: fmt.Sprintf("write partitions: %d; their number is fixed for the life of the pipeline", of),
		}
	}
	s, snapshot := &m.saved[p], data[memoryHead:]
	switch {
	case full:
		s.given, s.brought = true, nil
	case !s.given || len(snapshot) == 0:
		return m.corrupt("it says what changed in partition %d, and comes after nothing", p)
	}
	s.brought = append(s.brought, append([]byte{}, snapshot...))
	s.Add(full, len(data))
	return nil
}

func (m *memories) corrupt(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Where: m.where, Why: "a part of a snapshot cannot be read: " + fmt.Sprintf(format, args...)}
}

// Reset implements stream.Durable. Partitions that were restored have not started.
func (m *memories) Reset() {
	m.settle()
	for p := range m.saved {
		if s := &m.saved[p]; s.given {
			if err := m.parts.Restore(context.Background(), p); err != nil {
				panic("BUG: " + err.Error()) // nothing is read, nor started
			}
			*s = savedMemory{}
		}
	}
}

// Restored implements stream.Durable: it starts the guests of partitions that had
// started.
func (m *memories) Restored(ctx context.Context) error {
	for p := range m.saved {
		s := &m.saved[p]
		if !s.given {
			continue
		}
		if err := m.parts.Restore(ctx, p, s.brought...); err != nil {
			return err
		}
		s.version, s.brought = m.parts.Version(p), nil
	}
	return nil
}

// frozenMemories implements stream.Frozen.
type frozenMemories struct {
	parts []memoryPart
	err   error // of Freeze
	begun bool  // parts are given
	whole bool  // all of them were

	mu              sync.Mutex // guards
	released, saved bool
}

// memoryPart is what a Freeze has of a partition.
type memoryPart struct {
	partition int
	version   uint64
	full      bool
	data      []byte // nil: it was given
	size      int    // of data
}

// Parts implements stream.Frozen. What was given is given up at once.
func (f *frozenMemories) Parts(yield func(table string, from, to int, full bool, entries int, data []byte) error) error {
	if f.err != nil {
		return f.err
	}
	if f.begun {
		panic("BUG: the parts of a Frozen are asked for twice")
	}
	f.begun = true
	for i := range f.parts {
		x := &f.parts[i]
		entries := 0
		if x.version > 0 {
			entries = 1
		}
		if err := yield(memoryTable, x.partition, x.partition+1, x.full, entries, x.data); err != nil {
			return err
		}
		x.data = nil
	}
	f.whole = true
	return nil
}

// Size implements stream.Frozen.
func (f *frozenMemories) Size() (n int64) {
	for i := range f.parts {
		n += int64(f.parts[i].size)
	}
	return n
}

// Release implements stream.Frozen.
func (f *frozenMemories) Release(saved bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released, f.saved = true, saved && f.whole
	for i := range f.parts {
		f.parts[i].data = nil
	}
}
