package binary

import "fmt"

// Ids of the sections that are read.
const (
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionExport   = 7
	sectionStart    = 8
	sectionCode     = 10
)

var sectionNames = [...]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag",
}

func sectionName(id byte) string {
	if int(id) < len(sectionNames) {
		return sectionNames[id]
	}
	return fmt.Sprintf("with id %d", id)
}

// sectionOrder is the place of a section in a file: data count stands before
// code, tag before global; unknown ones come last.
func sectionOrder(id byte) int {
	switch id {
	case 12:
		return 2*9 + 1
	case 13:
		return 2*5 + 1
	}
	return 2 * int(id)
}

// section reads what a section says into the module.
func (m *Module) section(id byte, content []byte) error {
	r := NewReader(content)
	switch id {
	case sectionType:
		each(r, func() { m.Types = append(m.Types, r.funcType()) })
	case sectionImport:
		each(r, func() { m.Imports = append(m.Imports, m.readImport(r)) })
	case sectionFunction:
		each(r, func() { m.Funcs = append(m.Funcs, r.U32()) })
	case sectionTable:
		each(r, func() { m.Tables = append(m.Tables, r.table()) })
	case sectionMemory:
		each(r, func() { m.Memories = append(m.Memories, r.limits()) })
	case sectionExport:
		each(r, func() { m.Exports = append(m.Exports, Export{r.Name(), ExternKind(r.Byte()), r.U32()}) })
	case sectionStart:
		m.HasStart, m.Start = true, r.U32()
	case sectionCode:
		each(r, func() { r.Bytes(r.U32()); m.Bodies++ })
	default:
		if int(id) >= len(sectionNames) {
			return fmt.Errorf("unknown section")
		}
		return nil
	}
	if r.err == nil && r.pos != len(content) {
		return fmt.Errorf("%d bytes left over", len(content)-r.pos)
	}
	return r.err
}

// each reads a vector.
func each(r *Reader, element func()) {
	for n := r.Count(); n > 0 && r.err == nil; n-- {
		element()
	}
}

func (r *Reader) funcType() FuncType {
	if form := r.Byte(); r.err == nil && form != 0x60 {
		r.Fail(fmt.Errorf("type form %#x at byte %d is not a function's", form, r.pos-1))
	}
	return FuncType{Params: r.valueTypes(), Results: r.valueTypes()}
}

func (r *Reader) valueTypes() []ValueType {
	raw := r.Bytes(r.Count())
	types := make([]ValueType, len(raw))
	for i, b := range raw {
		types[i] = ValueType(b)
	}
	return types
}

func (m *Module) readImport(r *Reader) Import {
	im := Import{Module: r.Name(), Name: r.Name(), Kind: ExternKind(r.Byte())}
	switch im.Kind {
	case ExternFunc:
		index := r.U32()
		if r.err == nil && uint64(index) >= uint64(len(m.Types)) {
			r.Fail(fmt.Errorf("import %s.%s has type %d of %d", im.Module, im.Name, index, len(m.Types)))
			return im
		}
		if r.err == nil {
			im.Type = m.Types[index]
		}
	case ExternTable:
		im.Limits = r.table()
	case ExternMemory:
		im.Limits = r.limits()
	case ExternGlobal:
		r.Bytes(2) // value type and mutability
	case ExternTag:
		r.Byte()
		r.U32()
	default:
		r.Fail(fmt.Errorf("import %s.%s is of unknown %s", im.Module, im.Name, im.Kind))
	}
	return im
}

func (r *Reader) table() Limits {
	r.Byte() // element type
	return r.limits()
}

func (r *Reader) limits() Limits {
	flags := r.Byte()
	if flags > 1 {
		r.Fail(fmt.Errorf("limits with flags %#x need shared memory or memory64, which are not supported", flags))
	}
	l := Limits{Min: uint64(r.U32()), HasMax: flags&1 != 0}
	if l.HasMax {
		l.Max = uint64(r.U32())
	}
	return l
}
