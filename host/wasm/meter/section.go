package meter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Section ids.
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10
	sectionData     = 11
	sectionCount    = 12
)

// order is that of sections in a file.
var order = []byte{
	sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal,
	sectionExport, sectionStart, sectionElement, sectionCount, sectionCode, sectionData,
}

// find returns the content of a section, nil if it is not there.
func (m *module) find(id byte) []byte {
	for _, s := range m.in.Sections {
		if s.ID == id {
			return s.Content
		}
	}
	return nil
}

// readGlobals counts the globals and notes the mutable ones.
func (m *module) readGlobals() error {
	content := m.find(sectionGlobal)
	if content == nil {
		return nil
	}
	r := wasm.NewReader(content)
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		r.ValueType()
		if r.Byte() == 1 {
			m.mutable = append(m.mutable, m.globals)
		}
		if _, err := m.expression(r, content, nil); err != nil {
			return fmt.Errorf("global %d: %w", m.globals, err)
		}
		m.globals++
	}
	return rest(r)
}

// rest is the error of a section that was not read to its end.
func rest(r *wasm.Reader) error {
	if r.Err() == nil && r.More() {
		return errors.New("bytes left over")
	}
	return r.Err()
}

// rewrite makes the new module.
func (m *module) rewrite() error {
	makers := map[byte]func([]byte) ([]byte, error){
		sectionType:    m.types,
		sectionImport:  m.imports,
		sectionTable:   m.tables,
		sectionMemory:  m.memories,
		sectionGlobal:  m.globalSection,
		sectionExport:  m.exports,
		sectionStart:   m.start,
		sectionElement: m.elements,
		sectionCode:    m.code,
		sectionData:    m.data,
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range order {
		content := m.find(id)
		if make, ok := makers[id]; ok {
			var err error
			if content, err = make(content); err != nil {
				return fmt.Errorf("section %d: %w", id, err)
			}
		}
		if content != nil {
			out = appendSection(out, id, content)
		}
	}
	for _, s := range m.in.Sections {
		if s.ID != sectionCustom {
			continue
		}
		var err error
		if out, err = m.custom(out, s.Content); err != nil {
			return fmt.Errorf("custom section: %w", err)
		}
	}
	m.result.Module, m.result.Size = out, len(out)
	return nil
}

func appendSection(dst []byte, id byte, content []byte) []byte {
	dst = appendU32(append(dst, id), uint32(len(content)))
	return append(dst, content...)
}

// vector splits a section into its count and its elements.
func vector(content []byte) (n uint32, elements []byte, err error) {
	if content == nil {
		return 0, nil, nil
	}
	r := wasm.NewReader(content)
	n = r.Count()
	return n, content[r.Pos():], r.Err()
}

// appended returns a section with one more element at its end.
func appended(content, element []byte) ([]byte, error) {
	n, elements, err := vector(content)
	return slices.Concat(appendU32(nil, n+1), elements, element), err
}

// types adds the type of yield at the end, and behind it those of blocks around
// the bodies of functions with several results.
func (m *module) types(content []byte) ([]byte, error) {
	n, elements, err := vector(content)
	if err != nil {
		return nil, err
	}
	elements = append(slices.Clone(elements), 0x60, 0, 1, byte(wasm.I64))
	n++
	if m.limits.Stack > 0 {
		m.blocks = make([]uint32, len(m.in.Types))
		for i, t := range m.in.Types {
			if len(t.Results) < 2 {
				continue
			}
			m.blocks[i] = n
			n++
			elements = appendU32(append(elements, 0x60, 0), uint32(len(t.Results)))
			for _, r := range t.Results {
				elements = append(elements, byte(r))
			}
		}
	}
	return append(appendU32(nil, n), elements...), nil
}

// imports adds yield at the end.
func (m *module) imports(content []byte) ([]byte, error) {
	element := appendName(appendName(nil, ImportModule), ImportYield)
	return appended(content, appendU32(append(element, byte(wasm.ExternFunc)), uint32(len(m.in.Types))))
}

func appendName(dst []byte, name string) []byte {
	return append(appendU32(dst, uint32(len(name))), name...)
}

// tables caps the maxima of tables, so that together they stay within the limit.
func (m *module) tables(content []byte) ([]byte, error) {
	if content == nil {
		return nil, nil
	}
	r := wasm.NewReader(content)
	n := r.Count()
	out := appendU32(nil, n)
	free := m.limits.TableElements
	for _, l := range m.in.Tables {
		free -= min(free, l.Min)
	}
	for i := range m.in.Tables {
		t := r.Byte()
		r.Byte()
		r.U32()
		l := m.in.Tables[i]
		if l.HasMax {
			r.U32()
		}
		out = appendLimits(append(out, t), l, l.Min+free/uint64(len(m.in.Tables)))
	}
	return out, rest(r)
}

// memories caps the maximum of the memory.
func (m *module) memories(content []byte) ([]byte, error) {
	if content == nil {
		return nil, nil
	}
	out := appendU32(nil, uint32(len(m.in.Memories)))
	for _, l := range m.in.Memories {
		out = appendLimits(out, l, m.limits.MemoryPages)
	}
	return out, nil
}

func appendLimits(dst []byte, l wasm.Limits, most uint64) []byte {
	if !l.HasMax || l.Max > most {
		l.Max = max(most, l.Min) // a minimum over the limit is for the caller to refuse
	}
	return appendU32(appendU32(append(dst, 1), uint32(l.Min)), uint32(l.Max))
}

// globalSection adds the fuel and the stack.
func (m *module) globalSection(content []byte) ([]byte, error) {
	n, elements, err := vector(content)
	if err != nil {
		return nil, err
	}
	out := appendU32(nil, n+2)
	r := wasm.NewReader(elements)
	for ; n > 0 && r.Err() == nil; n-- {
		out = append(out, r.Byte(), r.Byte())
		if out, err = m.expression(r, elements, out); err != nil {
			return nil, err
		}
	}
	out = append(out, byte(wasm.I64), 1, opI64Const, 0, opEnd)
	out = appendS64(append(out, byte(wasm.I64), 1, opI64Const), m.limits.Stack)
	return append(out, opEnd), rest(r)
}

// expression copies a constant expression from r, which reads content, with
// functions renumbered.
func (m *module) expression(r *wasm.Reader, content, dst []byte) ([]byte, error) {
	for {
		in := next(r)
		if r.Err() != nil {
			return nil, r.Err()
		}
		switch in.op {
		case opRefFunc:
			if err := m.check(&in, 0); err != nil {
				return nil, err
			}
			m.take(in.index)
			dst = appendU32(append(dst, opRefFunc), m.function(in.index))
			continue
		case opGlobalGet:
			if in.index >= m.globals { // only earlier ones may be named
				return nil, fmt.Errorf("global %d of %d", in.index, m.globals)
			}
		}
		dst = append(dst, content[in.start:in.end]...)
		if in.op == opEnd {
			return dst, nil
		}
	}
}

// exports renumbers functions, and adds the globals.
func (m *module) exports(content []byte) ([]byte, error) {
	out := appendU32(nil, uint32(len(m.in.Exports)+2+len(m.mutable)))
	for _, e := range m.in.Exports {
		index := e.Index
		switch {
		case e.Kind == wasm.ExternFunc && index >= m.functions, e.Kind == wasm.ExternGlobal && index >= m.globals:
			return nil, fmt.Errorf("export %s of %s %d is not there", e.Name, e.Kind, index)
		case e.Kind == wasm.ExternFunc:
			index = m.function(index)
		}
		out = appendExport(out, e.Name, e.Kind, index)
	}
	out = appendExport(out, ExportFuel, wasm.ExternGlobal, m.globals)
	out = appendExport(out, ExportStack, wasm.ExternGlobal, m.globals+1)
	for _, index := range m.mutable {
		out = appendExport(out, fmt.Sprintf("%s%d", ExportGlobal, index), wasm.ExternGlobal, index)
	}
	return out, nil
}

func appendExport(dst []byte, name string, kind wasm.ExternKind, index uint32) []byte {
	return appendU32(append(appendName(dst, name), byte(kind)), index)
}

// start renumbers the start function.
func (m *module) start(content []byte) ([]byte, error) {
	if !m.in.HasStart {
		return nil, nil
	}
	if m.in.Start >= m.functions {
		return nil, fmt.Errorf("start function %d of %d", m.in.Start, m.functions)
	}
	return appendU32(nil, m.function(m.in.Start)), nil
}

// elements renumbers functions in element segments.
func (m *module) elements(content []byte) ([]byte, error) {
	n, elements, err := vector(content)
	if content == nil || err != nil {
		return nil, err
	}
	out := appendU32(nil, n)
	r := wasm.NewReader(elements)
	for ; n > 0 && r.Err() == nil; n-- {
		if out, err = m.segment(r, elements, out); err != nil {
			return nil, err
		}
	}
	return out, rest(r)
}

// segment copies one element segment, of any of its eight forms: bit 0 of the
// form is passive or declared, bit 1 has a table index or kind, bit 2 has
// expressions instead of indices.
func (m *module) segment(r *wasm.Reader, content, dst []byte) (out []byte, err error) {
	form := r.U32()
	if r.Err() == nil && form > 7 {
		return nil, fmt.Errorf("element segment of form %d", form)
	}
	dst = appendU32(dst, form)
	if form&1 == 0 {
		if form&2 != 0 {
			dst = appendU32(dst, r.U32()) // table
		}
		if dst, err = m.expression(r, content, dst); err != nil {
			return nil, err
		}
	}
	if form&3 != 0 {
		if form&4 != 0 {
			dst = append(dst, byte(r.ValueType()))
		} else {
			dst = append(dst, r.Byte()) // element kind
		}
	}
	n := r.Count()
	dst = appendU32(dst, n)
	for ; n > 0 && r.Err() == nil; n-- {
		if form&4 != 0 {
			if dst, err = m.expression(r, content, dst); err != nil {
				return nil, err
			}
			continue
		}
		index := r.U32()
		if index >= m.functions {
			return nil, fmt.Errorf("function %d of %d", index, m.functions)
		}
		m.take(index)
		dst = appendU32(dst, m.function(index))
	}
	return dst, r.Err()
}

// code rewrites the bodies.
func (m *module) code(content []byte) ([]byte, error) {
	if content == nil {
		return nil, nil
	}
	r := wasm.NewReader(content)
	n := r.Count()
	functions := make([]function, n)
	for i := range n {
		body := r.Bytes(r.U32())
		if r.Err() != nil {
			return nil, r.Err()
		}
		if uint64(m.in.Funcs[i]) >= uint64(len(m.in.Types)) {
			return nil, fmt.Errorf("function %d has a type that is not there", m.yield+i)
		}
		var err error
		if functions[i], err = m.scan(body, m.in.Types[m.in.Funcs[i]]); err != nil {
			return nil, fmt.Errorf("function %d: %w", m.yield+i, err)
		}
	}
	m.settle(functions)
	if m.limits.Stack > 0 {
		m.nest(functions)
	}
	out := appendU32(make([]byte, 0, len(content)+len(content)/2), n)
	for i := range functions {
		f := &functions[i]
		var err error
		if out, err = m.write(out, f, functions, m.in.Funcs[i]); err != nil {
			return nil, fmt.Errorf("function %d: %w", m.yield+uint32(i), err)
		}
		if !f.free {
			m.result.Functions++
		}
		if f.bulk {
			m.result.Bulk++
		}
		if f.depth > 0 {
			m.result.Nested++
		}
	}
	return out, rest(r)
}

// custom appends a custom section, unless rewriting makes it wrong.
func (m *module) custom(dst, content []byte) ([]byte, error) {
	r := wasm.NewReader(content)
	name := r.Name()
	switch {
	case r.Err() != nil:
		return nil, r.Err()
	case strings.HasPrefix(name, ".debug_") || strings.HasPrefix(name, "reloc.") || name == "sourceMappingURL":
		return dst, nil
	case name == "name":
		if names := m.names(content[r.Pos():]); names != nil {
			content = append(appendName(nil, "name"), names...)
		} // else it stays as it is, for the runtime to refuse
	}
	return appendSection(dst, sectionCustom, content), nil
}
