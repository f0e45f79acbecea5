package meter

import (
	"fmt"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Portable returns the exports of the rewritten module that are its mutable
// globals. These and the memory, copied into another instance, make that one its
// equal, unless pinned says what an instance has besides. Of a module that is not
// valid it says nothing sensible.
//
// Tables are such a thing as soon as an instruction may change one: those of a fresh
// instance hold what element segments say. Dropped segments are none: after
// data.drop a use of the segment traps, and nothing but table.init, which changes
// a table, uses those of elements. So a program for which it makes a difference that
// a segment is there again was about to fail.
func Portable(m *wasm.Module) (globals []string, pinned string) {
	index := 0
	for _, im := range m.Imports {
		if im.Kind == wasm.ExternGlobal {
			index++
		}
	}
	for _, s := range m.Sections {
		switch s.ID {
		case sectionGlobal:
			globals, pinned = variables(s.Content, index)
		case sectionCode:
			pinned = tableChange(s.Content)
		}
		if pinned != "" {
			return nil, pinned
		}
	}
	return globals, ""
}

// variables lists the mutable globals of a section, whose first one has an index.
// Some cannot be carried over: references mean nothing in another instance, and of
// vectors wazero shows one half.
func variables(content []byte, index int) (globals []string, pinned string) {
	r := wasm.NewReader(content)
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		t := r.ValueType()
		if mutable := r.Byte() == 1; mutable {
			switch t {
			case wasm.I32, wasm.I64, wasm.F32, wasm.F64:
				globals = append(globals, fmt.Sprintf("%s%d", ExportGlobal, index))
			default:
				return nil, fmt.Sprintf("has a variable of type %s outside its memory", t)
			}
		}
		for r.Err() == nil && next(r).op != opEnd {
		}
		index++
	}
	return globals, ""
}

// tableChange looks for an instruction after which a table is not what a fresh
// instance has.
func tableChange(content []byte) (pinned string) {
	r := wasm.NewReader(content)
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		body := wasm.NewReader(r.Bytes(r.U32()))
		if (&function{}).readLocals(body) != nil {
			continue
		}
		for body.More() {
			name := ""
			switch in := next(body); in.op {
			case opTableSet:
				name = "table.set"
			case opTableInit:
				name = "table.init"
			case opTableCopy:
				name = "table.copy"
			case opTableGrow:
				name = "table.grow"
			case opTableFill:
				name = "table.fill"
			default:
				continue
			}
			return "changes a table of functions while it runs (" + name + ")"
		}
	}
	return ""
}
