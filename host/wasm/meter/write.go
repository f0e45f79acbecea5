package meter

import (
	"encoding/binary"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// writer is the second walk over a body: it makes the new one.
type writer struct {
	*module
	*function
	functions []function
	code      []byte // the instructions, without the declarations of locals
	out       []byte
	open      []label
	pending   *dispatch // its blocks are being opened
	spent     uint64    // by what was walked, each instruction once
}

// label is an open construct.
type label struct {
	loop     bool
	plain    bool      // it takes nothing from the stack
	back     bool      // a branch leads back to it
	start    uint64    // writer.spent where it starts
	dispatch *dispatch // that the loop starts with, or that the block belongs to
	block    int       // index of the block in dispatch
}

// write appends the new body to dst, with its size in front.
func (m *module) write(dst []byte, f *function, functions []function, typ uint32) ([]byte, error) {
	w := &writer{module: m, function: f, functions: functions, code: f.body[f.code:], out: make([]byte, 0, len(f.body)+len(f.body)/4+32)}
	w.locals()
	switch {
	case f.depth > 0:
		w.down()
		w.around(typ)
	case !f.free:
		w.check(f.cost)
	}
	r := wasm.NewReader(w.code)
	var before, first instruction
	for r.More() {
		in := next(r)
		w.spent += uint64(weigh(&in))
		w.instruction(&in, &before, &first)
		first, before = before, in
	}
	if r.Err() != nil {
		return dst, r.Err()
	}
	return append(appendU32(dst, uint32(len(w.out))), w.out...), nil
}

// instruction writes one, after the two before it.
func (w *writer) instruction(in, before, first *instruction) {
	switch {
	case in.op == opLoop:
		w.loop(in)
		return
	case in.op == opBlock || in.op == opIf:
		w.open = append(w.open, w.block(in.op))
	case in.op == opEnd && len(w.open) == 0 && w.depth > 0: // of the block around the body
		w.copy(in)
		w.up()
	case in.op == opEnd:
		w.end()
	case in.op == opReturn && w.depth > 0:
		w.out = appendU32(append(w.out, opBr), uint32(len(w.open)))
		return
	case in.op == opBr || in.op == opBrIf || in.op == opBrTable:
		w.branch(in, before, first)
		return
	case in.op == opCall || in.op == opReturnCall || in.op == opRefFunc:
		if callee := in.index - w.yield; in.op != opRefFunc && in.index >= w.yield && w.functions[callee].free {
			w.spent += uint64(w.functions[callee].cost)
		}
		if in.op == opReturnCall && w.depth > 0 {
			w.up()
		}
		w.out = append(w.out, w.code[in.start])
		w.out = appendU32(w.out, w.module.function(in.index))
		return
	case in.op == opCallIndirect || in.op == opReturnCallI:
		w.check(w.indirect)
		if in.op == opReturnCallI && w.depth > 0 {
			w.up()
		}
	case in.bulk() && metered(in, before):
		w.bulkCheck()
	}
	w.copy(in)
}

func (w *writer) copy(in *instruction) { w.out = append(w.out, w.code[in.start:in.end]...) }

// local is the one that the rewriter adds for the length of a bulk instruction.
func (w *writer) local() uint32 { return w.function.locals }

// locals copies the declarations and adds the local where it is needed.
func (w *writer) locals() {
	if !w.bulk {
		w.out = append(w.out, w.body[:w.function.code]...)
		return
	}
	r := wasm.NewReader(w.body)
	w.out = appendU32(w.out, r.Count()+1)
	w.out = append(w.out, w.body[r.Pos():w.function.code]...)
	w.out = append(w.out, 1, byte(wasm.I32))
}

// check appends the sequence of the package comment.
func (w *writer) check(weight uint32) {
	w.global(opGlobalGet)
	w.out = appendS64(append(w.out, opI64Const), int64(max(weight, 1)))
	w.spend()
}

// bulkCheck is check for the length on top of the stack, which stays there.
func (w *writer) bulkCheck() {
	w.out = appendU32(append(w.out, opLocalTee), w.local())
	w.global(opGlobalGet)
	w.out = appendU32(append(w.out, opLocalGet), w.local())
	w.out = append(w.out, opExtendU, opI64Const, bulkShift, opI64ShrU)
	w.spend()
}

// spend subtracts the top of the stack from what is below, stores that as fuel,
// and yields if it is negative.
func (w *writer) spend() {
	w.out = append(w.out, opI64Sub)
	w.global(opGlobalSet)
	w.global(opGlobalGet)
	w.yieldBelow0()
}

// yieldBelow0 yields if the top of the stack is negative.
func (w *writer) yieldBelow0() {
	w.out = append(w.out, opI64Const, 0, opI64GeS, opIf, noType, opElse)
	w.out = appendU32(append(w.out, opCall), w.yield)
	w.global(opGlobalSet)
	w.out = append(w.out, opEnd)
}

func (w *writer) global(op byte) { w.out = appendU32(append(w.out, op), w.globals) }

func appendU32(dst []byte, v uint32) []byte { return binary.AppendUvarint(dst, uint64(v)) }

// appendS64 appends a signed LEB128 number.
func appendS64(dst []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && b&0x40 == 0) || (v == -1 && b&0x40 != 0) {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}
