package meter

import (
	"fmt"
	"strings"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Version changes with the code that Rewrite makes, for caches.
const Version = 2

// The import that a rewritten module asks for, of type () -> i64: it returns
// the next slice of fuel, or traps.
const (
	ImportModule = "wasmill_meter"
	ImportYield  = "yield"
)

// Reserved names. A module that exports one itself is refused.
const (
	reserved     = "wasmill:"
	ExportFuel   = reserved + "fuel"    // the i64 global that counts down
	ExportGlobal = reserved + "global:" // and the index of a mutable global
)

// Limits are maxima that the module's own are lowered to.
type Limits struct {
	MemoryPages   uint64
	TableElements uint64 // of all tables together
}

// Result is a rewritten module.
type Result struct {
	Module    []byte
	Size      int // of Module, bytes
	Functions int // with a check at their entry
	Loops     int // with a check where they start again
	Bulk      int // functions with checks before bulk instructions
}

// Rewrite meters a module, which has been decoded from data.
func Rewrite(in *wasm.Module, limits Limits) (*Result, error) {
	m := &module{in: in, limits: limits}
	for _, im := range in.Imports {
		switch im.Kind {
		case wasm.ExternFunc:
			m.yield++
		case wasm.ExternGlobal:
			m.globals++
		}
		if im.Module == ImportModule {
			return nil, fmt.Errorf("imports from the reserved module %s", ImportModule)
		}
	}
	for _, e := range in.Exports {
		if strings.HasPrefix(e.Name, reserved) {
			return nil, fmt.Errorf("exports the reserved name %s", e.Name)
		}
	}
	m.functions = m.yield + uint32(len(in.Funcs))
	m.taken = make([]bool, len(in.Funcs))
	if err := m.readGlobals(); err != nil {
		return nil, err
	}
	if err := m.rewrite(); err != nil {
		return nil, err
	}
	return &m.result, nil
}

// module is one run of Rewrite.
type module struct {
	in        *wasm.Module
	limits    Limits
	functions uint32   // before
	yield     uint32   // index of the new import: behind the other imported functions
	globals   uint32   // before: the index of the new global
	taken     []bool   // functions that tables may hold, by index among those not imported
	indirect  uint32   // weight of a call through a table
	mutable   []uint32 // indices of the mutable globals that are not imported
	result    Result
}

// take notes that a table may hold a function.
func (m *module) take(index uint32) {
	if index >= m.yield {
		m.taken[index-m.yield] = true
	}
}

// function returns the new index of a function.
func (m *module) function(index uint32) uint32 {
	if index >= m.yield {
		return index + 1
	}
	return index
}
