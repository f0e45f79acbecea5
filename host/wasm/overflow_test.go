package wasm

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// recursions are guests that call themselves for ever, with frames of all shapes,
// and count at address 0 how deep they come.
func recursions() map[string][]byte {
	op, c, get, set, call := abitest.Op, abitest.Const, abitest.Get, abitest.Set, abitest.Call
	const i32 = abitest.I32
	one := []byte{i32}
	seq := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	times := func(n int, part func(k uint32) []byte) (out []byte) {
		for k := range n {
			out = append(out, part(uint32(k))...)
		}
		return out
	}
	load := func(k uint32) []byte { return seq(c(int32(k*4)), abitest.Load(0)) }
	add := op(abitest.Add)
	count := seq(c(0), load(0), c(1), add, abitest.Store(0))
	guest := func(build func(a *abitest.Asm) (start []byte)) []byte {
		a := abitest.NewGuest()
		a.Func("", nil, nil, nil, c(64), load(16), c(1), add, abitest.Store(0)) // 3: a leaf that is worth a call
		start := build(a)
		a.Func(abi.ExportProcess, one, one, nil, start, c(8))
		return a.Bytes()
	}
	// one function, 4, that takes and leaves a number
	function := func(locals []byte, body ...[]byte) []byte {
		return guest(func(a *abitest.Asm) []byte {
			a.Func("", one, one, locals, count, seq(body...))
			return seq(c(1), call(4), op(abitest.Drop))
		})
	}
	locals := func(n int) []byte { return slices.Repeat(one, n) }
	setAll := func(n int) []byte { return times(n, func(k uint32) []byte { return seq(load(k), set(1+k)) }) }
	addAll := func(n int) []byte { return times(n, func(k uint32) []byte { return seq(get(1+k), add) }) }
	again := seq(get(0), call(4))
	return map[string][]byte{
		"nothing but the call": guest(func(a *abitest.Asm) []byte {
			a.Func("", nil, nil, nil, count, call(4))
			return call(4)
		}),
		"two functions": guest(func(a *abitest.Asm) []byte {
			a.Func("", one, one, nil, count, get(0), c(1), add, call(5), get(0), add)
			a.Func("", one, one, nil, count, get(0), c(3), add, call(4), get(0), op(0x6c))
			return seq(c(1), call(4), op(abitest.Drop))
		}),
		"a table": guest(func(a *abitest.Asm) []byte {
			a.Table(a.Func("", one, one, nil, count, get(0), c(0), op(0x11, 2, 0), get(0), add))
			return seq(c(1), call(4), op(abitest.Drop))
		}),
		"1000 locals":          function(locals(1000), setAll(1000), again, addAll(1000)),
		"1000 operands":        function(nil, times(1000, load), again, times(1000, func(uint32) []byte { return add })),
		"500 calls":            function(nil, times(500, func(k uint32) []byte { return seq(load(k), again, add, set(0)) }), again),
		"a local again":        function(one, times(500, func(k uint32) []byte { return seq(load(k), set(1), call(3), get(1), get(0), add, set(0)) }), again),
		"no room in registers": function(locals(200), setAll(200), get(0), addAll(200), call(4)),
		"no room, ten times":   function(locals(200), times(10, func(uint32) []byte { return seq(setAll(200), get(0), addAll(200), set(0)) }), again),
		"100 parameters": guest(func(a *abitest.Asm) []byte {
			a.Func("", locals(100), one, nil, count, times(100, func(k uint32) []byte { return get((k + 1) % 100) }), call(4), get(7), add)
			return seq(times(100, func(k uint32) []byte { return c(int32(k)) }), call(4), op(abitest.Drop))
		}),
		"100 results": guest(func(a *abitest.Asm) []byte {
			a.Func("", one, locals(100), nil, count, again)
			return seq(c(1), call(4), slices.Repeat(op(abitest.Drop), 100))
		}),
		"100 floats": guest(func(a *abitest.Asm) []byte {
			a.Func("", one, []byte{0x7c}, nil, count, times(100, func(k uint32) []byte { return seq(c(int32(k*8)), op(0x2b, 0, 0)) }), again, slices.Repeat(op(0xa0), 100))
			return seq(c(1), call(4), op(abitest.Drop))
		}),
		"100 vectors": guest(func(a *abitest.Asm) []byte {
			a.Func("", one, []byte{0x7b}, nil, count, times(100, func(k uint32) []byte { return seq(c(int32(k*16)), op(0xfd, 0, 0, 0)) }), again, slices.Repeat(op(0xfd, 0xae, 1), 100))
			return seq(c(1), call(4), op(abitest.Drop))
		}),
		"30 arms": function(one, times(30, func(k uint32) []byte {
			arm := func(k uint32) []byte { return seq(load(k), set(1), call(3)) }
			return seq(get(0), c(int32(k)), op(0x46), abitest.If(), arm(k), op(0x05), arm(1000+k), op(abitest.End))
		}), again, get(1), add),
		"a loop around the call": function(locals(50), setAll(50), abitest.Loop(),
			times(50, func(k uint32) []byte { return seq(get(0), get(1+k), add, set(0)) }), again, abitest.BrIf(0), op(abitest.End), get(0)),
		"20 locals that meet 20 times": function(locals(20), meet(20, setAll(20), call(3)), again, addAll(20)),
		underestimated:                 function(locals(100), meet(100, setAll(100), call(3)), again, addAll(100)),
	}
}

// underestimated is a recursion whose frames are far larger than they are taken for.
const underestimated = "100 locals that meet 100 times"

// meet has n places to which one way leads on which the locals have one value, and
// one on which they have another.
func meet(n int, set, after []byte) []byte {
	ways := slices.Concat(set, abitest.Get(0), abitest.If(), abitest.Get(0), table(n, 1), abitest.Op(abitest.End), set, abitest.Get(0), table(n, 0))
	return slices.Concat(slices.Repeat(abitest.Block(), n), ways, slices.Repeat(slices.Concat(abitest.Op(abitest.End), after), n))
}

// table is br_table to n constructs, from the first on.
func table(n, first int) []byte {
	out := []byte{0x0e, byte(n - 1)}
	for k := range n {
		out = append(out, byte(first+k))
	}
	return out
}

// TestTheLimitOfTheStackEndsACall has every recursion end at the limit, which is
// to come long before the stack of the runtime is full.
func TestTheLimitOfTheStackEndsACall(t *testing.T) {
	e := newEngine(t)
	for name, module := range recursions() {
		t.Run(name, func(t *testing.T) {
			depth := func(stack int64) (n uint32, err error) {
				limits := DefaultLimits()
				limits.Stack = stack
				i, err := mustLoadLimited(t, e, module, limits).instantiate(t.Context(), &vertex{Config: Config{Tags: stream.NewTagTable()}})
				if err != nil {
					t.Fatal(err)
				}
				_, err = guest{i}.call(abi.ExportProcess, uint64(arena(t, guest{i})))
				n, _ = i.memory.ReadUint32Le(0)
				if err := i.close(t.Context()); err != nil {
					t.Error(err)
				}
				return n, err
			}
			ours, err := depth(DefaultLimits().Stack)
			if err == nil || !strings.Contains(err.Error(), "[guest-stack]") {
				t.Errorf("got %v", err)
			}
			full, err := depth(1 << 40)
			if err == nil || !strings.Contains(err.Error(), "[guest-stack]") {
				t.Errorf("without a limit: got %v", err)
			}
			native := float64(runtimeStack) / float64(full)
			estimate := float64(DefaultLimits().Stack) / float64(ours)
			t.Logf("%6d deep with frames of %.0f bytes, estimated as %.0f: %.2f", ours, native, estimate, estimate/native)
			if name != underestimated && ours > full/2 {
				t.Errorf("the limit is reached after %d calls, the runtime's stack is full after %d", ours, full)
			}
		})
	}
}

// TestAGoGuestRecursesToTheLimitOfTheStack has goroutines switch below the calls
// of a guest, which they do by unwinding it.
func TestAGoGuestRecursesToTheLimitOfTheStack(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a guest")
	}
	tr := mustTransform(t, mustLoad(t, newEngine(t), buildGuest(t, "hostile", "dive")), Config{Vertex: "v"})
	dive := func(depth string) (string, error) {
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: depth}}), &out); err != nil {
			return "", err
		}
		return string(out.Value(0)), nil
	}
	for range 3 { // each call leaves as much stack as it found
		if got, err := dive("20000"); got != "20000" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	_, err := dive("100000000")
	if stream.CodeOf(err) != stream.GuestStack || !strings.Contains(err.Error(), ".down") {
		t.Errorf("got %v", err)
	}
	if got, err := dive("20000"); got != "20000" || err != nil {
		t.Errorf("the next call: got %q, %v", got, err)
	}
}

// runtimeStack is what wazero's stack has when it does not grow any more: it
// doubles from 10 KiB until it has more than 50 MB.
const runtimeStack = 10240 << 13
