package meter

import (
	"errors"
	"fmt"
	"slices"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// Costs that are not 1 per instruction, in instructions.
const (
	indirect   = 32        // a call through a table, beyond what it reaches
	freeSize   = 1024      // the most that a function without a check of its own may cost
	bulkShift  = 6         // bulk instructions count their length >> bulkShift
	bulkConst  = 512       // lengths below this, if constant, are not worth a check
	growWeight = 1 << 16   // memory.grow may copy all of a memory
	maxLocals  = 50_000    // of a function, as wazero has it
	maxWeight  = 1<<31 - 1 // of a check
)

// function is what the first walk finds out about a body.
type function struct {
	body   []byte // with the declarations of locals
	code   int    // where instructions start in body
	locals uint32 // parameters included
	wide   bool   // there are vectors among its locals
	cost   uint32 // of each instruction once
	calls  []uint32
	final  []uint32 // calls that do not return: an unreachable instruction follows
	tables []uint32 // types of functions that it calls through tables
	free   bool     // has no check of its own: its callers pay
	bulk   bool     // has bulk instructions with checks
	frame  uint32   // bytes of stack, estimated
	depth  uint32   // bytes that it counts while it runs; 0 = none
}

// scan walks a body for the first time: it checks all indices and weighs.
func (m *module) scan(body []byte, typ wasm.FuncType) (f function, err error) {
	r := wasm.NewReader(body)
	f = function{body: body, locals: uint32(len(typ.Params))}
	if err := f.readLocals(r); err != nil {
		return f, err
	}
	f.code = r.Pos()
	stack := newFrame(m, typ, &f)
	open := 0 // constructs
	var before instruction
	for {
		in := next(r)
		if r.Err() != nil {
			return f, r.Err()
		}
		if err := m.check(&in, f.locals); err != nil {
			return f, err
		}
		f.cost = add(f.cost, weigh(&in))
		stack.step(&in)
		switch {
		case in.op == opLoop || in.op == opBlock || in.op == opIf:
			open++
		case in.op == opEnd && open == 0:
			if r.More() {
				return f, errors.New("there are instructions after the end of the function")
			}
			f.frame = stack.size()
			return f, nil
		case in.op == opEnd:
			open--
		case in.op == opBr || in.op == opBrIf || in.op == opBrTable:
			if most := slices.Max(branches(&in, body)); int64(most) > int64(open) {
				return f, fmt.Errorf("branch to %d of %d", most, open+1)
			}
		case in.bulk():
			f.bulk = f.bulk || metered(&in, &before)
		case in.op == opCall && in.index >= m.yield && in.end < len(body) && body[in.end] == opUnreachable:
			f.final = append(f.final, in.index-m.yield)
		case (in.op == opCall || in.op == opReturnCall) && in.index >= m.yield:
			f.calls = append(f.calls, in.index-m.yield)
		case in.op == opCallIndirect || in.op == opReturnCallI:
			f.tables = append(f.tables, in.index)
		}
		before = in
	}
}

// branches returns the depths that br, br_if and br_table name.
func branches(in *instruction, body []byte) []uint32 {
	r := wasm.NewReader(body[in.start+1 : in.end])
	n := uint32(1)
	if in.op == opBrTable {
		n += r.Count()
	}
	depths := make([]uint32, n)
	for i := range depths {
		depths[i] = r.U32()
	}
	return depths
}

// readLocals reads the declarations of locals.
func (f *function) readLocals(r *wasm.Reader) error {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		group := r.U32()
		f.wide = r.ValueType() == wasm.V128 || f.wide
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
	if in.op == opMemoryGrow {
		return growWeight
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
		if in.op == opRefFunc {
			m.take(in.index)
		}
	case opCallIndirect, opReturnCallI:
		in.typed = true
	}
	if in.typed && int(in.index) >= len(m.in.Types) {
		return fmt.Errorf("type %d of %d", in.index, len(m.in.Types))
	}
	return nil
}
