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
	r := &reader{data: content}
	switch id {
	case sectionType:
		each(r, func() { m.Types = append(m.Types, r.funcType()) })
	case sectionImport:
		each(r, func() { m.Imports = append(m.Imports, m.readImport(r)) })
	case sectionFunction:
		each(r, func() { m.Funcs = append(m.Funcs, r.u32()) })
	case sectionTable:
		each(r, func() { m.Tables = append(m.Tables, r.table()) })
	case sectionMemory:
		each(r, func() { m.Memories = append(m.Memories, r.limits()) })
	case sectionExport:
		each(r, func() { m.Exports = append(m.Exports, Export{r.name(), ExternKind(r.byte()), r.u32()}) })
	case sectionStart:
		m.HasStart, m.Start = true, r.u32()
	case sectionCode:
		each(r, func() { r.bytes(r.u32()); m.Bodies++ })
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
func each(r *reader, element func()) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		element()
	}
}

func (r *reader) funcType() FuncType {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail(fmt.Errorf("type form %#x at byte %d is not a function's", form, r.pos-1))
	}
	return FuncType{Params: r.valueTypes(), Results: r.valueTypes()}
}

func (r *reader) valueTypes() []ValueType {
	raw := r.bytes(r.count())
	types := make([]ValueType, len(raw))
	for i, b := range raw {
		types[i] = ValueType(b)
	}
	return types
}

func (m *Module) readImport(r *reader) Import {
	im := Import{Module: r.name(), Name: r.name(), Kind: ExternKind(r.byte())}
	switch im.Kind {
	case ExternFunc:
		index := r.u32()
		if r.err == nil && uint64(index) >= uint64(len(m.Types)) {
			r.fail(fmt.Errorf("import %s.%s has type %d of %d", im.Module, im.Name, index, len(m.Types)))
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
		r.bytes(2) // value type and mutability
	case ExternTag:
		r.byte()
		r.u32()
	default:
		r.fail(fmt.Errorf("import %s.%s is of unknown %s", im.Module, im.Name, im.Kind))
	}
	return im
}

func (r *reader) table() Limits {
	r.byte() // element type
	return r.limits()
}

func (r *reader) limits() Limits {
	flags := r.byte()
	if flags > 1 {
		r.fail(fmt.Errorf("limits with flags %#x need shared memory or memory64, which are not supported", flags))
	}
	l := Limits{Min: uint64(r.u32()), HasMax: flags&1 != 0}
	if l.HasMax {
		l.Max = uint64(r.u32())
	}
	return l
}
