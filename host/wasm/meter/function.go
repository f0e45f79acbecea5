package meter

import (
	"encoding/binary"
	"errors"
	"fmt"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Costs that are not 1 per instruction, in instructions.
const (
	indirect   = 32        // a call through a table, whatever it reaches
	freeSize   = 1024      // the most that a function without a check of its own may cost
	bulkShift  = 6         // bulk instructions count their length >> bulkShift
	bulkConst  = 512       // lengths below this, if constant, are not worth a check
	growWeight = 1 << 16   // memory.grow may copy all of a memory
	maxLocals  = 50_000    // of a function, as wazero has it
	maxWeight  = 1<<31 - 1 // of a check
)

// function is what the first walk finds out about a body.
type function struct {
	body    []byte   // with the declarations of locals
	code    int      // where instructions start in body
	locals  uint32   // parameters included
	weights []uint32 // of the function and of each loop, in the order of their start
	outside []int    // of each: the index of the region it is in
	calls   []call   // of functions that are not imported, by name
	free    bool     // has no check of its own: its callers pay
	scratch bool     // needs a local for the length of bulk instructions
}

// call is a place where a function calls another one.
type call struct {
	callee uint32 // among those that are not imported
	region int    // index in weights
}

// scan walks a body for the first time: it checks all indices and weighs.
func (m *module) scan(body []byte, typ wasm.FuncType) (f function, err error) {
	r := wasm.NewReader(body)
	f = function{body: body, locals: uint32(len(typ.Params)), weights: []uint32{0}, outside: []int{0}}
	if err := f.readLocals(r); err != nil {
		return f, err
	}
	f.code = r.Pos()
	var open []int // for each open construct: the region outside
	region := 0
	var before instruction
	for {
		in := next(r)
		if r.Err() != nil {
			return f, r.Err()
		}
		if err := m.check(&in, f.locals); err != nil {
			return f, err
		}
		f.weights[region] = add(f.weights[region], weigh(&in))
		switch {
		case in.op == opLoop:
			open = append(open, region)
			f.weights, f.outside = append(f.weights, 0), append(f.outside, region)
			region = len(f.weights) - 1
		case in.op == opBlock || in.op == opIf:
			open = append(open, region)
		case in.op == opEnd && len(open) == 0:
			if r.More() {
				return f, errors.New("there are instructions after the end of the function")
			}
			return f, nil
		case in.op == opEnd:
			region = open[len(open)-1]
			open = open[:len(open)-1]
		case in.bulk():
			f.scratch = f.scratch || metered(&in, &before)
		case (in.op == opCall || in.op == opReturnCall) && in.index >= m.yield:
			f.calls = append(f.calls, call{in.index - m.yield, region})
		case in.op == opRefFunc:
			m.take(in.index)
		}
		before = in
	}
}

// readLocals reads the declarations of locals.
func (f *function) readLocals(r *wasm.Reader) error {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		group := r.U32()
		r.Byte()
		if uint64(f.locals)+uint64(group) > maxLocals {
			return fmt.Errorf("more than %d locals", maxLocals)
		}
		f.locals += group
	}
	return r.Err()
}

func add(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), maxWeight)) }

// weigh returns what an instruction costs where it stands.
func weigh(in *instruction) uint32 {
	switch in.op {
	case opMemoryGrow:
		return growWeight
	case opCallIndirect, opReturnCallI:
		return indirect
	}
	return 1
}

// metered says whether a bulk instruction needs a check before it: not if its
// length is a small constant.
func metered(in, before *instruction) bool {
	return !(before.op == opI32Const && before.value > 0 && before.value < bulkConst)
}

// check refuses indices that are out of range now and would not be later.
func (m *module) check(in *instruction, locals uint32) error {
	switch in.op {
	case opLocalGet, opLocalSet, opLocalTee:
		if in.index >= locals {
			return fmt.Errorf("local %d of %d", in.index, locals)
		}
	case opGlobalGet, opGlobalSet:
		if in.index >= m.globals {
			return fmt.Errorf("global %d of %d", in.index, m.globals)
		}
	case opCall, opReturnCall, opRefFunc:
		if in.index >= m.functions {
			return fmt.Errorf("function %d of %d", in.index, m.functions)
		}
	case opCallIndirect, opReturnCallI:
		in.typed = true
	}
	if in.typed && int(in.index) >= len(m.in.Types) {
		return fmt.Errorf("type %d of %d", in.index, len(m.in.Types))
	}
	return nil
}

// write walks a body for the second time and appends the new one to dst, with
// its size in front.
func (m *module) write(dst []byte, f *function) ([]byte, error) {
	body := make([]byte, 0, len(f.body)+len(f.body)/4+32*len(f.weights))
	body = f.writeLocals(body)
	r := wasm.NewReader(f.body[f.code:])
	code := f.body[f.code:]
	if !f.free {
		body = m.appendCheck(body, f.weights[0])
	}
	var open labels
	var before instruction
	for r.More() {
		in := next(r)
		switch {
		case in.op == opBr || in.op == opBrIf || in.op == opBrTable:
			if weight, back := open.back(f, code, &in); back {
				body = m.appendCheck(body, weight)
			}
			body = append(body, code[in.start:in.end]...)
		case in.op == opCall || in.op == opReturnCall || in.op == opRefFunc:
			body = append(body, code[in.start])
			body = appendU32(body, m.function(in.index))
		case in.bulk() && metered(&in, &before):
			body = m.appendBulkCheck(body, f.locals)
			body = append(body, code[in.start:in.end]...)
		default:
			body = append(body, code[in.start:in.end]...)
		}
		open.enter(in.op)
		before = in
	}
	if r.Err() != nil {
		return dst, r.Err()
	}
	return append(appendU32(dst, uint32(len(body))), body...), nil
}

// labels are the constructs that are open where the second walk stands.
type labels struct {
	loops []int // of each: its index in function.weights, 0 = no loop
	seen  int   // loops so far
}

// enter follows an instruction that opens or ends a construct.
func (l *labels) enter(op uint16) {
	switch op {
	case opLoop:
		l.seen++
		l.loops = append(l.loops, l.seen)
	case opBlock, opIf:
		l.loops = append(l.loops, 0)
	case opEnd:
		l.loops = l.loops[:max(len(l.loops)-1, 0)]
	}
}

// back says whether a branch may lead back to the start of a loop, and what the
// heaviest such loop weighs.
func (l *labels) back(f *function, code []byte, in *instruction) (weight uint32, back bool) {
	r := wasm.NewReader(code[in.start+1 : in.end])
	n := uint32(1)
	if in.op == opBrTable {
		n = r.Count() + 1
	}
	for ; n > 0; n-- {
		depth := int(r.U32())
		if depth >= len(l.loops) || l.loops[len(l.loops)-1-depth] == 0 {
			continue
		}
		weight, back = max(weight, f.weights[l.loops[len(l.loops)-1-depth]]), true
	}
	return weight, back
}

// writeLocals copies the declarations and adds the scratch local.
func (f *function) writeLocals(dst []byte) []byte {
	if !f.scratch {
		return append(dst, f.body[:f.code]...)
	}
	r := wasm.NewReader(f.body)
	groups := r.Count()
	dst = appendU32(dst, groups+1)
	dst = append(dst, f.body[r.Pos():f.code]...)
	return append(dst, 1, byte(wasm.I32))
}

// appendCheck appends the sequence of the package comment.
func (m *module) appendCheck(dst []byte, weight uint32) []byte {
	dst = m.appendGlobal(dst, opGlobalGet)
	dst = append(dst, opI64Const)
	dst = appendS64(dst, int64(max(weight, 1)))
	return m.appendSpend(dst)
}

// appendBulkCheck is appendCheck for the length on top of the stack, which
// stays there.
func (m *module) appendBulkCheck(dst []byte, scratch uint32) []byte {
	dst = appendU32(append(dst, opLocalTee), scratch)
	dst = m.appendGlobal(dst, opGlobalGet)
	dst = appendU32(append(dst, opLocalGet), scratch)
	dst = append(dst, 0xad, opI64Const, bulkShift, 0x88) // i64.extend_i32_u, i64.shr_u
	return m.appendSpend(dst)
}

// appendSpend subtracts the top of the stack from what is below, stores that as
// fuel, and yields if it is negative.
func (m *module) appendSpend(dst []byte) []byte {
	dst = append(dst, 0x7d) // i64.sub
	dst = m.appendGlobal(dst, opGlobalSet)
	dst = m.appendGlobal(dst, opGlobalGet)
	dst = append(dst, opI64Const, 0, 0x59, opIf, 0x40, opElse) // i64.ge_s, if without a type
	dst = appendU32(append(dst, opCall), m.yield)
	dst = m.appendGlobal(dst, opGlobalSet)
	return append(dst, opEnd)
}

func (m *module) appendGlobal(dst []byte, op byte) []byte {
	return appendU32(append(dst, op), m.globals)
}

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
