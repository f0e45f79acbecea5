package meter

import (
	"fmt"

	"github.com/wasmill/wasmill/host/wasm/binary"
)

// instruction is one instruction of a function body.
type instruction struct {
	op         uint16 // opcode; with a prefix, the prefix in the high byte
	start, end int    // in the body
	index      uint32 // of a function, global, local, type or table
	value      uint32 // of i32.const, if it is not negative
	typed      bool   // a block whose type is index; otherwise that is what it leaves, or noType
}

// Opcodes that matter here.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opReturnCall   = 0x12
	opReturnCallI  = 0x13
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32GeS       = 0x4e
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Or        = 0x84
	opI64ShrU      = 0x88
	opExtendU      = 0xad // i64.extend_i32_u
	opRefNull      = 0xd0
	opRefFunc      = 0xd2

	noType = 0x40 // of a block

	prefixMisc = 0xfc
	prefixSIMD = 0xfd

	opMemoryInit = prefixMisc<<8 | 8
	opDataDrop   = prefixMisc<<8 | 9
	opMemoryCopy = prefixMisc<<8 | 10
	opMemoryFill = prefixMisc<<8 | 11
	opTableInit  = prefixMisc<<8 | 12
	opElemDrop   = prefixMisc<<8 | 13
	opTableCopy  = prefixMisc<<8 | 14
	opTableGrow  = prefixMisc<<8 | 15
	opTableSize  = prefixMisc<<8 | 16
	opTableFill  = prefixMisc<<8 | 17
)

// bulk says whether an instruction's work grows with the i32 on top of the
// stack: bytes, elements, or pages.
func (in *instruction) bulk() bool {
	switch in.op {
	case opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableGrow, opTableFill:
		return true
	}
	return false
}

// next reads one instruction. A failure stays in r.
func next(r *binary.Reader) (in instruction) {
	in.start = r.Pos()
	op := r.Byte()
	in.op = uint16(op)
	switch {
	case op == opBlock || op == opLoop || op == opIf:
		blockType(r, &in)
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		r.Fail(binary.Unsupported("exceptions"))
	case op == 0x14 || op == 0x15 || op >= 0xd3 && op <= 0xd6:
		r.Fail(binary.Unsupported("typed function references"))
	case op == 0xfb:
		r.Fail(binary.Unsupported("garbage collection"))
	case op == 0xfe:
		r.Fail(binary.Unsupported("threads"))
	case op == opBr || op == opBrIf:
		r.U32()
	case op == opBrTable:
		for n := r.Count(); n > 0 && r.Err() == nil; n-- {
			r.U32()
		}
		r.U32()
	case op == opCall || op == opReturnCall || op == opRefFunc || op >= opLocalGet && op <= opTableSet:
		in.index = r.U32()
	case op == opCallIndirect || op == opReturnCallI:
		in.index = r.U32() // type
		r.U32()            // table
	case op == opSelectTyped:
		for n := r.Count(); n > 0 && r.Err() == nil; n-- {
			r.ValueType()
		}
	case op >= 0x28 && op <= 0x3e:
		memarg(r)
	case op == 0x3f || op == opMemoryGrow:
		zero(r)
	case op == opI32Const:
		in.value = constant(r)
	case op == opI64Const:
		r.Skip(64)
	case op == 0x43: // f32.const
		r.Bytes(4)
	case op == 0x44: // f64.const
		r.Bytes(8)
	case op == opRefNull:
		r.HeapType()
	case op == prefixMisc:
		misc(r, &in)
	case op == prefixSIMD:
		simd(r, &in)
	case op <= 0x01, op == opElse, op == opEnd, op == opReturn, op == opDrop, op == opSelect, op >= 0x45 && op <= 0xc4, op == 0xd1:
	default:
		r.Fail(fmt.Errorf("opcode %#x is not known", op))
	}
	in.end = r.Pos()
	return in
}

// blockType reads the type of a block: a negative number for none or a single
// result, otherwise the index of a function type.
func blockType(r *binary.Reader, in *instruction) {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.Byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			in.typed, in.index = b&0x40 == 0, uint32(v)
			if !in.typed && v != 0x40 && v != 0x70 && v != 0x6f && (v < 0x7b || v > 0x7f) {
				r.Fail(binary.Unsupported("typed function references"))
			}
			return
		}
	}
	r.Fail(fmt.Errorf("block type at byte %d does not fit 33 bits", r.Pos()))
}

// constant reads a signed number of 32 bits, and returns 0 for a negative one.
func constant(r *binary.Reader) uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.Byte()
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 || v >= 1<<31 {
				return 0 // negative
			}
			return v
		}
	}
	r.Fail(fmt.Errorf("constant at byte %d does not fit 32 bits", r.Pos()))
	return 0
}

// memarg reads alignment and offset of a memory instruction.
func memarg(r *binary.Reader) {
	if align := r.U32(); align >= 64 && r.Err() == nil {
		r.Fail(binary.Unsupported("several memories"))
	}
	r.U32()
}

// zero reads the index of the only memory.
func zero(r *binary.Reader) {
	if r.Byte() != 0 && r.Err() == nil {
		r.Fail(binary.Unsupported("several memories"))
	}
}

// misc reads what follows the prefix of saturating conversions and bulk
// instructions.
func misc(r *binary.Reader, in *instruction) {
	sub := r.U32()
	if r.Err() == nil && sub > 17 {
		r.Fail(fmt.Errorf("opcode 0xfc %d is not known", sub))
		return
	}
	in.op = prefixMisc<<8 | uint16(sub)
	switch in.op {
	case opMemoryInit:
		in.index = r.U32()
		zero(r)
	case opDataDrop, opElemDrop, opTableGrow, opTableSize, opTableFill:
		in.index = r.U32()
	case opMemoryCopy:
		zero(r)
		zero(r)
	case opMemoryFill:
		zero(r)
	case opTableInit, opTableCopy:
		in.index = r.U32()
		r.U32()
	}
}

// simd reads what follows the prefix of vector instructions.
func simd(r *binary.Reader, in *instruction) {
	sub := r.U32()
	switch {
	case r.Err() != nil:
	case sub <= 11 || sub == 92 || sub == 93: // loads and the store
		memarg(r)
	case sub == 12 || sub == 13: // v128.const, i8x16.shuffle
		r.Bytes(16)
	case sub >= 21 && sub <= 34: // lanes
		r.Byte()
	case sub >= 84 && sub <= 91: // loads and stores of a lane
		memarg(r)
		r.Byte()
	case sub >= 0x100:
		r.Fail(binary.Unsupported("relaxed SIMD"))
	}
	in.op = prefixSIMD<<8 | uint16(sub&0xff)
}
