package binary

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// What Decode says of files that are not core modules.
var (
	ErrNotWasm   = errors.New("not a WebAssembly file")
	ErrComponent = errors.New("a component, not a core module")
)

// ValueType is the type of a parameter or result, by its code in the format.
type ValueType byte

// The types of numbers and vectors.
const (
	I32  ValueType = 0x7f
	I64  ValueType = 0x7e
	F32  ValueType = 0x7d
	F64  ValueType = 0x7c
	V128 ValueType = 0x7b
)

func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case 0x70:
		return "funcref"
	case 0x6f:
		return "externref"
	}
	return fmt.Sprintf("type %#x", byte(t))
}

// FuncType is the type of a function.
type FuncType struct{ Params, Results []ValueType }

func (f FuncType) String() string { return list(f.Params) + " -> " + list(f.Results) }

// Equal says whether two types are the same.
func (f FuncType) Equal(g FuncType) bool {
	return list(f.Params) == list(g.Params) && list(f.Results) == list(g.Results)
}

func list(types []ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// ExternKind is what an import or export is.
type ExternKind byte

// The kinds.
const (
	ExternFunc   ExternKind = 0
	ExternTable  ExternKind = 1
	ExternMemory ExternKind = 2
	ExternGlobal ExternKind = 3
	ExternTag    ExternKind = 4
)

func (k ExternKind) String() string {
	if k <= ExternTag {
		return [...]string{"function", "table", "memory", "global", "tag"}[k]
	}
	return fmt.Sprintf("extern kind %d", byte(k))
}

// Limits of a memory, in pages of 64 KiB, or of a table, in elements.
type Limits struct {
	Min, Max uint64
	HasMax   bool
}

// Import is one import. Type is that of a function.
type Import struct {
	Module, Name string
	Kind         ExternKind
	Type         FuncType
	Limits       Limits // of a memory or table
}

// Export is one export. Index counts imports first.
type Export struct {
	Name  string
	Kind  ExternKind
	Index uint32
}

// Section is one section as it stands in the file.
type Section struct {
	ID      byte
	Content []byte // without id and size
}

// Module is what the sections of a file say.
type Module struct {
	Sections []Section
	Types    []FuncType
	Imports  []Import
	Funcs    []uint32 // type index of each function that is not imported
	Tables   []Limits // not imported
	Memories []Limits // not imported
	Exports  []Export
	HasStart bool
	Start    uint32
	Bodies   int // number of function bodies
}

// FuncTypeOf returns the type of a function by its index.
func (m *Module) FuncTypeOf(index uint32) (FuncType, bool) {
	for _, im := range m.Imports {
		if im.Kind != ExternFunc {
			continue
		}
		if index == 0 {
			return im.Type, true
		}
		index--
	}
	if uint64(index) >= uint64(len(m.Funcs)) || uint64(m.Funcs[index]) >= uint64(len(m.Types)) {
		return FuncType{}, false
	}
	return m.Types[m.Funcs[index]], true
}

// Export returns the export with a name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

const headerSize = 8 // magic and version

// Decode reads a module. Errors name the section and what is wrong with it;
// ErrNotWasm and ErrComponent can be told by errors.Is.
func Decode(data []byte) (*Module, error) {
	if !bytes.HasPrefix(data, []byte("\x00asm")) {
		return nil, ErrNotWasm
	}
	if len(data) < headerSize {
		return nil, fmt.Errorf("file ends in its header: %w", errEnd)
	}
	switch {
	case data[6] == 1: // the layer field
		return nil, ErrComponent
	case !bytes.Equal(data[4:8], []byte{1, 0, 0, 0}):
		return nil, fmt.Errorf("version %x of the binary format is not known", data[4:8])
	}
	m := &Module{}
	r := &Reader{data: data, pos: headerSize}
	for last := 0; r.More(); {
		id := r.Byte()
		size := r.U32()
		at := r.pos
		content := r.Bytes(size)
		if r.err != nil {
			return nil, fmt.Errorf("section %s at byte %d says %d bytes, the file has %d more: %w", sectionName(id), at, size, len(data)-at, r.err)
		}
		if id != 0 {
			place := sectionOrder(id)
			if place <= last {
				return nil, fmt.Errorf("section %s at byte %d is out of order or there twice", sectionName(id), at)
			}
			last = place
		}
		m.Sections = append(m.Sections, Section{id, content})
		if err := m.section(id, content); err != nil {
			return nil, fmt.Errorf("section %s at byte %d: %w", sectionName(id), at, err)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(m.Funcs) != m.Bodies {
		return nil, fmt.Errorf("%d functions are declared and %d have a body", len(m.Funcs), m.Bodies)
	}
	return m, nil
}
