package wasm

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
)

// sides are the side inputs of a vertex, ABI.md §5.3: a set that is never changed but
// replaced, so that a call that took it finds the same values from its start to its end.
type sides struct {
	mu  sync.Mutex // held while the set is replaced
	set atomic.Pointer[[]side]
}

// side is one value.
type side struct {
	name    string
	version int64 // from 1; grows with each other value
	value   []byte
}

// load returns the set as it is now.
func (s *sides) load() []side {
	if set := s.set.Load(); set != nil {
		return *set
	}
	return nil
}

// replace sets the value of a name. The same value again changes nothing.
func (s *sides) replace(name string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := slices.Clone(s.load())
	k := slices.IndexFunc(set, func(one side) bool { return one.name == name })
	switch {
	case k < 0:
		set = append(set, side{name, 1, value})
	case bytes.Equal(set[k].value, value):
		return
	default:
		set[k].version, set[k].value = set[k].version+1, value
	}
	s.set.Store(&set)
}

// SetSide implements stream.Sided.
func (t *Transform) SetSide(name string, value []byte) { t.vertex.sides.replace(name, value) }

// ReadsSides says whether the plugin can read side inputs.
func (p *Plugin) ReadsSides() bool {
	for _, im := range p.Module.Imports {
		if im.Module == abi.ModuleWasmill && abi.IsSide(im.Name) {
			return true
		}
	}
	return false
}

// unpin ends what a call knew of side inputs: there are none between calls.
func (i *instance) unpin() { i.pinned = nil }

// side returns the side input whose name the parameters at 0 give, nil if the call has
// none of that name.
func (i *instance) side(stack []uint64) (*side, error) {
	name, ok := abi.Ref{Addr: uint32(stack[0]), Len: uint32(stack[1])}.In(i.refresh())
	if !ok {
		return nil, errRange
	}
	for k := range i.pinned {
		if s := &i.pinned[k]; s.name == string(name) {
			return s, nil
		}
	}
	return nil, nil
}

// sideVersion implements side_version.
func (i *instance) sideVersion(_ api.Memory, stack []uint64) error {
	s, err := i.side(stack)
	if err != nil {
		return err
	}
	stack[0] = api.EncodeI64(-1)
	if s != nil {
		stack[0] = uint64(s.version)
	}
	return nil
}

// sideRead implements side_read.
func (i *instance) sideRead(_ api.Memory, stack []uint64) error {
	s, err := i.side(stack)
	if err != nil {
		return err
	}
	if s == nil {
		stack[0] = api.EncodeI32(-1)
		return nil
	}
	if room := uint32(stack[3]); uint64(len(s.value)) <= uint64(room) {
		to, ok := abi.Ref{Addr: uint32(stack[2]), Len: uint32(len(s.value))}.In(i.view)
		if !ok {
			return errRange
		}
		copy(to, s.value)
	}
	stack[0] = uint64(len(s.value))
	return nil
}
