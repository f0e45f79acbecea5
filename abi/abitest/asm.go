package abitest

import (
	"encoding/binary"
	"slices"
)

// Asm assembles a small module. The zero value is an empty one; imports have to
// come before functions.
type Asm struct {
	types, imports, funcs, tables, memory, globals, exports, start, elements, code, data [][]byte
	nImports                                                                             int
}

// Value types, for Func and Import.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
)

// Export kinds.
const (
	kindFunc   = 0
	kindMemory = 2
)

// Import adds an imported function and returns its index.
func (a *Asm) Import(module, name string, params, results []byte) uint32 {
	a.imports = append(a.imports, slices.Concat(vector([]byte(module)), vector([]byte(name)), []byte{kindFunc}, uleb(a.typeIndex(params, results))))
	a.nImports++
	return uint32(a.nImports - 1)
}

// Func adds a function, exported unless the name is empty, and returns its
// index. locals are the types of its locals; body lacks only the final end.
func (a *Asm) Func(export string, params, results, locals []byte, body ...[]byte) uint32 {
	index := uint32(a.nImports + len(a.funcs))
	a.funcs = append(a.funcs, uleb(a.typeIndex(params, results)))
	declared := uleb(uint32(len(locals)))
	for _, t := range locals {
		declared = append(declared, 1, t)
	}
	a.code = append(a.code, vector(slices.Concat(declared, slices.Concat(body...), []byte{0x0b})))
	if export != "" {
		a.Export(export, kindFunc, index)
	}
	return index
}

func (a *Asm) typeIndex(params, results []byte) uint32 {
	t := slices.Concat([]byte{0x60}, vector(params), vector(results))
	for i, have := range a.types {
		if string(have) == string(t) {
			return uint32(i)
		}
	}
	a.types = append(a.types, t)
	return uint32(len(a.types) - 1)
}

// Export adds an export.
func (a *Asm) Export(name string, kind byte, index uint32) {
	a.exports = append(a.exports, slices.Concat(vector([]byte(name)), []byte{kind}, uleb(index)))
}

// Memory adds the memory, exported as "memory", with a minimum in pages.
func (a *Asm) Memory(min uint32) {
	a.memory = append(a.memory, slices.Concat([]byte{0}, uleb(min)))
	a.Export("memory", kindMemory, 0)
}

// Data puts bytes into memory at an address when an instance starts.
func (a *Asm) Data(addr uint32, content []byte) {
	a.data = append(a.data, slices.Concat([]byte{0}, Const(int32(addr)), []byte{0x0b}, vector(content)))
}

// Global adds a mutable i64 global that starts at 0 and returns its index.
func (a *Asm) Global() uint32 {
	a.globals = append(a.globals, []byte{I64, 1, 0x42, 0, 0x0b})
	return uint32(len(a.globals) - 1)
}

// Table adds a table of functions, filled with those given.
func (a *Asm) Table(functions ...uint32) {
	n := uint32(len(functions))
	a.tables = append(a.tables, slices.Concat([]byte{0x70, 0}, uleb(n)))
	list := uleb(n)
	for _, f := range functions {
		list = append(list, uleb(f)...)
	}
	a.elements = append(a.elements, slices.Concat([]byte{0}, Const(0), []byte{0x0b}, list))
}

// Start names the function that runs when an instance starts.
func (a *Asm) Start(index uint32) { a.start = [][]byte{uleb(index)} }

// Bytes returns the module.
func (a *Asm) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id    byte
		items [][]byte
	}{
		{1, a.types}, {2, a.imports}, {3, a.funcs}, {4, a.tables}, {5, a.memory}, {6, a.globals},
		{7, a.exports}, {8, a.start}, {9, a.elements}, {10, a.code}, {11, a.data},
	} {
		if len(s.items) == 0 {
			continue
		}
		content := slices.Concat(s.items...)
		if s.id != 8 { // start is not a vector
			content = append(uleb(uint32(len(s.items))), content...)
		}
		out = slices.Concat(out, []byte{s.id}, vector(content))
	}
	return out
}

func uleb(v uint32) []byte { return binary.AppendUvarint(nil, uint64(v)) }

func vector(content []byte) []byte { return append(uleb(uint32(len(content))), content...) }

func sleb(v int64) (out []byte) {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && b&0x40 == 0) || (v == -1 && b&0x40 != 0) {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

// Instructions, by their names in the specification.

// Const is i32.const.
func Const(v int32) []byte { return append([]byte{0x41}, sleb(int64(v))...) }

// Const64 is i64.const.
func Const64(v int64) []byte { return append([]byte{0x42}, sleb(v)...) }

// Get is local.get, Set local.set.
func Get(local uint32) []byte { return append([]byte{0x20}, uleb(local)...) }

// Set is local.set.
func Set(local uint32) []byte { return append([]byte{0x21}, uleb(local)...) }

// Call is call.
func Call(function uint32) []byte { return append([]byte{0x10}, uleb(function)...) }

// Load is i32.load, at an offset from the address on the stack.
func Load(offset uint32) []byte { return append([]byte{0x28, 0}, uleb(offset)...) }

// Store is i32.store, Store64 i64.store.
func Store(offset uint32) []byte { return append([]byte{0x36, 0}, uleb(offset)...) }

// Store64 is i64.store.
func Store64(offset uint32) []byte { return append([]byte{0x37, 0}, uleb(offset)...) }

// Op is instructions by their bytes.
func Op(bytes ...byte) []byte { return bytes }

// Opcodes without immediates, for Op, and block starts with their empty type.
const (
	Unreachable byte = 0x00
	End         byte = 0x0b
	Drop        byte = 0x1a
	Add         byte = 0x6a
	LessU       byte = 0x49
	GreaterU    byte = 0x4b
	Eqz         byte = 0x45
	And         byte = 0x71
)

// Loop, Block and If open a construct without parameters and results.
func Loop() []byte { return []byte{0x03, 0x40} }

// Block opens a block.
func Block() []byte { return []byte{0x02, 0x40} }

// If opens an if.
func If() []byte { return []byte{0x04, 0x40} }

// Br and BrIf jump to an enclosing construct, 0 = the innermost.
func Br(depth uint32) []byte { return append([]byte{0x0c}, uleb(depth)...) }

// BrIf jumps if the top of the stack is not 0.
func BrIf(depth uint32) []byte { return append([]byte{0x0d}, uleb(depth)...) }

// MemoryCopy is memory.copy, MemoryFill memory.fill, MemoryGrow memory.grow.
func MemoryCopy() []byte { return []byte{0xfc, 10, 0, 0} }

// MemoryFill is memory.fill.
func MemoryFill() []byte { return []byte{0xfc, 11, 0} }

// MemoryGrow is memory.grow.
func MemoryGrow() []byte { return []byte{0x40, 0} }
