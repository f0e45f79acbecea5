package meter

import (
	"fmt"
	"strings"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Version changes with the code that Rewrite makes, for caches.
const Version = 4

// The import that a rewritten module asks for, of type () -> i64: it returns
// the next slice of fuel, or traps. If the global of ExportStack is negative it
// has to trap.
const (
	ImportModule = "wasmill_meter"
	ImportYield  = "yield"
)

// Reserved names. A module that exports one itself is refused.
const (
	reserved     = "wasmill:"
	ExportFuel   = reserved + "fuel"    // the i64 global that counts down
	ExportStack  = reserved + "stack"   // the i64 global with the bytes of stack that are left
	ExportGlobal = reserved + "global:" // and the index of a mutable global
)

// Limits are maxima that the module's own are lowered to.
type Limits struct {
	MemoryPages   uint64
	TableElements uint64 // of all tables together
	Stack         int64  // of calls in calls, bytes as estimated; 0 = it is not counted

	all bool // every function counts the stack
}

// Result is a rewritten module.
type Result struct {
	Module    []byte
	Size      int // of Module, bytes
	Functions int // with a check at their entry
	Loops     int // with a check where they start again
	Bulk      int // functions with checks before bulk instructions
	Nested    int // functions that count the stack
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
	m.signatures = signatures(in)
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
	globals   uint32   // before: the index of the fuel; the next is that of the stack
	taken     []bool   // functions that tables may hold, by index among those not imported
	indirect  uint32   // weight of a call through a table
	mutable   []uint32 // indices of the mutable globals that are not imported
	result    Result

	signatures []wasm.FuncType // of all functions; the zero value for a type that is not there
	blocks     []uint32        // by type: the one of a block that leaves its results, if there are several
	now        uint32          // counts calls and loops
	touched    []uint32        // by local: when it was last read or written
}

// signatures returns the types of all functions, imported ones first.
func signatures(in *wasm.Module) []wasm.FuncType {
	var out []wasm.FuncType
	for _, im := range in.Imports {
		if im.Kind == wasm.ExternFunc {
			out = append(out, im.Type)
		}
	}
	for _, t := range in.Funcs {
		if int64(t) >= int64(len(in.Types)) {
			out = append(out, wasm.FuncType{})
			continue
		}
		out = append(out, in.Types[t])
	}
	return out
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
