package meter_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

func TestFunctionsOnCyclesCountTheStack(t *testing.T) {
	call, op, c := abitest.Call, abitest.Op, abitest.Const
	i32 := []byte{abitest.I32}
	indirect := op(0x11, 0, 0) // by type 0
	for name, tt := range map[string]struct {
		nested int
		build  func(a *abitest.Asm, f func(body ...[]byte) uint32) // f is of type 0, () -> ()
	}{
		"calls down only": {0, func(_ *abitest.Asm, f func(...[]byte) uint32) { f(call(1)); f(call(2), call(2)); f() }},
		"itself":          {1, func(_ *abitest.Asm, f func(...[]byte) uint32) { f(call(0)); f(call(0)) }},
		"each other":      {3, func(_ *abitest.Asm, f func(...[]byte) uint32) { f(call(1)); f(call(2)); f(call(0), call(3)); f() }},
		"two cycles": {4, func(_ *abitest.Asm, f func(...[]byte) uint32) {
			f(call(1), call(2))
			f(call(0))
			f(call(3))
			f(call(2))
		}},
		"itself through a table": {1, func(a *abitest.Asm, f func(...[]byte) uint32) {
			a.Table(f(c(0), indirect))
			f(call(0))
		}},
		"each other through a table": {2, func(a *abitest.Asm, f func(...[]byte) uint32) {
			a.Table(f(call(1)))
			f(c(0), indirect)
		}},
		"a table with functions of another type": {0, func(a *abitest.Asm, f func(...[]byte) uint32) {
			f(c(0), indirect)
			a.Table(a.Func("", i32, i32, nil, call(0), abitest.Get(0)))
		}},
		"a function that an instruction puts into the table": {1, func(a *abitest.Asm, f func(...[]byte) uint32) {
			a.Table()
			a.Export("f", 0, f(c(0), op(0xd2, 0, 0x26, 0), c(0), indirect)) // table.set 0 (ref.func 0)
		}},
		"a panic that calls what panicked": {1, func(_ *abitest.Asm, f func(...[]byte) uint32) {
			f(c(1), abitest.If(), call(1), op(abitest.Unreachable, abitest.End))
			f(call(0))
		}},
		"a long way down": {3, func(_ *abitest.Asm, f func(...[]byte) uint32) { // 2000 frames of 128 bytes are 3.9 × 64 KiB
			for k := range uint32(1999) {
				f(call(k + 1))
			}
			f()
		}},
	} {
		a := &abitest.Asm{}
		tt.build(a, func(body ...[]byte) uint32 { return a.Func("", nil, nil, nil, body...) })
		r, err := rewrite(a.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.Nested != tt.nested {
			t.Errorf("%s: %d functions count the stack, want %d", name, r.Nested, tt.nested)
		}
	}
}

// TestTheStackIsUsedUpAtTheSameCall recurses with a yield that traps when there is
// no stack left, and counts the calls in memory.
func TestTheStackIsUsedUpAtTheSameCall(t *testing.T) {
	const frames = 1000
	a := &abitest.Asm{}
	a.Memory(1)
	count := []byte{0x41, 0, 0x41, 0, 0x28, 0, 0, 0x41, 1, abitest.Add, 0x36, 0, 0}
	self := a.Func("", nil, nil, nil, count, abitest.Call(0))
	a.Func("run", nil, nil, nil, abitest.Call(self))
	in, err := binary.Decode(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	r, err := meter.Rewrite(in, meter.Limits{MemoryPages: 1, Stack: frames * 128})
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range engines() {
		m := start(t, config, r.Module, 1<<40)
		if _, err := m.call(t, "run"); err == nil {
			t.Fatalf("%s: it came back", name)
		}
		if n, _ := m.module.Memory().ReadUint32Le(0); n != frames {
			t.Errorf("%s: %d calls, want %d", name, n, frames)
		}
	}
}

func TestWithoutALimitTheStackIsNotCounted(t *testing.T) {
	in, err := binary.Decode(program())
	if err != nil {
		t.Fatal(err)
	}
	r, err := meter.Rewrite(in, meter.Limits{MemoryPages: 1024, TableElements: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	if r.Nested != 0 {
		t.Errorf("%d functions count the stack", r.Nested)
	}
	if n, err := start(t, wazero.NewRuntimeConfigInterpreter(), r.Module, 1<<40).call(t, "fib", 15); n != 610 || err != nil {
		t.Errorf("fib(15) is %d, %v", n, err)
	}
}
