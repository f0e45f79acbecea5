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
	sectionTag      = 13
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
		each(r, func() { m.Memories = append(m.Memories, r.memory()) })
	case sectionExport:
		each(r, func() { m.Exports = append(m.Exports, Export{r.Name(), ExternKind(r.Byte()), r.U32()}) })
	case sectionStart:
		m.HasStart, m.Start = true, r.U32()
	case sectionCode:
		each(r, func() { r.Bytes(r.U32()); m.Bodies++ })
	case sectionTag:
		return exceptions
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
	switch form := r.Byte(); {
	case r.err != nil || form == 0x60:
	case form == 0x4e || form == 0x4f || form == 0x50 || form == 0x5e || form == 0x5f: // rec, sub final, sub, array, struct
		r.Fail(collection)
	default:
		r.Fail(fmt.Errorf("type form %#x at byte %d is not a function's", form, r.pos-1))
	}
	return FuncType{Params: r.valueTypes(), Results: r.valueTypes()}
}

func (r *Reader) valueTypes() []ValueType {
	types := make([]ValueType, r.Count())
	for i := range types {
		types[i] = r.ValueType()
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
		im.Limits = r.memory()
	case ExternGlobal:
		r.ValueType()
		r.Byte() // mutability
	case ExternTag:
		r.Fail(exceptions)
	default:
		r.Fail(fmt.Errorf("import %s.%s is of unknown %s", im.Module, im.Name, im.Kind))
	}
	return im
}

func (r *Reader) table() Limits {
	if r.More() && r.data[r.pos] == 0x40 { // an initial value follows
		r.Fail(typedReferences)
	}
	r.ValueType()
	return r.limits()
}

// maxPages is the largest memory, 4 GiB.
const maxPages = 1 << 16

func (r *Reader) memory() Limits {
	l := r.limits()
	if pages := max(l.Min, l.Max); pages > maxPages {
		r.Fail(fmt.Errorf("memory of %d pages, the most is %d", pages, maxPages))
	}
	return l
}

func (r *Reader) limits() Limits {
	flags := r.Byte()
	switch {
	case flags <= 1:
	case flags <= 3:
		r.Fail(threads)
	case flags <= 7:
		r.Fail(memory64)
	default:
		r.Fail(fmt.Errorf("limits with flags %#x at byte %d are not known", flags, r.pos-1))
	}
	l := Limits{Min: uint64(r.U32()), HasMax: flags&1 != 0}
	if l.HasMax {
		l.Max = uint64(r.U32())
	}
	if l.HasMax && l.Min > l.Max && r.err == nil {
		r.Fail(fmt.Errorf("minimum of %d is more than the maximum of %d", l.Min, l.Max))
	}
	return l
}
