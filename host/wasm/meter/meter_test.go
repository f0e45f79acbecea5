package meter_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

var limits = meter.Limits{MemoryPages: 1024, TableElements: 10_000, Stack: 1 << 40}

// rewrite decodes and meters a module.
func rewrite(data []byte) (*meter.Result, error) {
	m, err := binary.Decode(data)
	if err != nil {
		return nil, err
	}
	return meter.Rewrite(m, limits)
}

// rewriteAll is rewrite with the stack counted by every function.
func rewriteAll(data []byte) (*meter.Result, error) {
	m, err := binary.Decode(data)
	if err != nil {
		return nil, err
	}
	return meter.Rewrite(m, limits.CountAll())
}

// engines are wazero's two ways of running code.
func engines() map[string]wazero.RuntimeConfig {
	return map[string]wazero.RuntimeConfig{
		"compiler":    wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(1024),
		"interpreter": wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(1024),
	}
}

// machine runs a module with yield defined, and counts its calls.
type machine struct {
	module api.Module
	yields int
	slice  int64
}

func start(t testing.TB, config wazero.RuntimeConfig, data []byte, slice int64) *machine {
	t.Helper()
	m := &machine{slice: slice}
	r := wazero.NewRuntimeWithConfig(t.Context(), config)
	t.Cleanup(func() {
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	yield := api.GoFunc(func(_ context.Context, stack []uint64) {
		m.yields++
		if m.module != nil && int64(m.module.ExportedGlobal(meter.ExportStack).Get()) < 0 {
			panic(errors.New("stack used up"))
		}
		stack[0] = uint64(m.slice)
	})
	_, err := r.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
		WithGoFunction(yield, nil, []api.ValueType{api.ValueTypeI64}).Export(meter.ImportYield).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.module, err = r.Instantiate(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) call(t testing.TB, name string, params ...uint64) (uint64, error) {
	t.Helper()
	var results []uint64
	err := balanced(t, m.module, func() (err error) {
		results, err = m.module.ExportedFunction(name).Call(t.Context(), params...)
		return err
	})
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// balanced makes a call, and sees to it that the stack is back to what it was,
// unless the call fails or the module is not metered.
func balanced(t testing.TB, m api.Module, call func() error) error {
	t.Helper()
	left := m.ExportedGlobal(meter.ExportStack)
	if left == nil {
		return call()
	}
	before := left.Get()
	err := call()
	if after := left.Get(); err == nil && after != before {
		t.Errorf("%d bytes of stack are left, before the call there were %d", after, before)
	}
	return err
}

// program computes with everything that rewriting touches: loops in loops,
// recursion, a table, references to functions, bulk instructions, globals.
func program() []byte {
	a := &abitest.Asm{}
	a.Memory(2)
	global := a.Global()
	get, c, op := abitest.Get, abitest.Const, abitest.Op
	i32 := []byte{abitest.I32}
	leaf := a.Func("", i32, i32, nil, get(0), c(3), op(abitest.Add))
	fib := leaf + 1
	a.Func("fib", i32, i32, nil,
		get(0), c(2), op(abitest.LessU), []byte{0x04, abitest.I32}, get(0), []byte{0x05},
		get(0), c(1), op(0x6b), abitest.Call(fib), get(0), c(2), op(0x6b), abitest.Call(fib), op(abitest.Add),
		op(abitest.End))
	a.Table(leaf, fib)
	a.Func("sum", i32, i32, []byte{abitest.I32, abitest.I32}, // Σ over i<n of Σ over j<i of leaf(j), through the table
		abitest.Block(), abitest.Loop(),
		get(1), get(0), op(abitest.LessU, abitest.Eqz), abitest.BrIf(1),
		get(2), get(1), c(0), op(0x11, 0, 0), op(abitest.Add), abitest.Set(2), // call_indirect of type 0
		get(1), c(1), op(abitest.Add), abitest.Set(1),
		[]byte{0x23, byte(global)}, abitest.Const64(1), op(0x7c), []byte{0x24, byte(global)},
		abitest.Br(0), op(abitest.End), op(abitest.End), get(2))
	a.Func("bulk", i32, i32, nil, // fill n bytes, copy them, read the last
		c(0), c(7), get(0), abitest.MemoryFill(),
		c(65536), c(0), get(0), abitest.MemoryCopy(),
		c(65535), get(0), op(abitest.Add), op(0x2d, 0, 0)) // i32.load8_u
	return a.Bytes()
}

func TestAMeteredProgramGivesTheSameAnswers(t *testing.T) {
	plain := program()
	metered, err := rewrite(plain)
	if err != nil {
		t.Fatal(err)
	}
	calls := []struct {
		name  string
		param uint64
	}{{"fib", 20}, {"sum", 1}, {"sum", 5000}, {"bulk", 1}, {"bulk", 65536}, {"fib", 5}}
	for name, config := range engines() {
		want := start(t, config, plain, 0)
		for _, slice := range []int64{1, 1000, math.MaxInt64} {
			got := start(t, config, metered.Module, slice)
			for _, c := range calls {
				w, errW := want.call(t, c.name, c.param)
				g, errG := got.call(t, c.name, c.param)
				if w != g || (errW == nil) != (errG == nil) {
					t.Errorf("%s, slices of %d: %s(%d) is %d (%v), want %d (%v)", name, slice, c.name, c.param, g, errG, w, errW)
				}
			}
			if slice == 1 && got.yields < 1000 || slice == math.MaxInt64 && got.yields > 1 {
				t.Errorf("%s, slices of %d: %d yields", name, slice, got.yields)
			}
		}
	}
}

func TestFuelGrowsWithTheWork(t *testing.T) {
	metered, err := rewrite(program())
	if err != nil {
		t.Fatal(err)
	}
	used := func(name string, param uint64) int64 {
		m := start(t, wazero.NewRuntimeConfigInterpreter(), metered.Module, math.MaxInt64/2)
		fuel := m.module.ExportedGlobal(meter.ExportFuel).(api.MutableGlobal)
		fuel.Set(1 << 40)
		if _, err := m.call(t, name, param); err != nil {
			t.Fatal(err)
		}
		return 1<<40 - int64(fuel.Get())
	}
	if short, long := used("sum", 100), used("sum", 1000); long < 9*short || long > 11*short {
		t.Errorf("100 rounds cost %d, 1000 cost %d", short, long)
	}
	if short, long := used("bulk", 64), used("bulk", 65536); long-short < 2*(65536-64)>>6-10 {
		t.Errorf("a bulk of 64 bytes costs %d, of 65,536 %d", short, long)
	}
	if a, b := used("fib", 15), used("fib", 15); a != b {
		t.Errorf("the same call costs %d and %d", a, b)
	}
}

// TestEveryCycleYields runs what comes back without a loop that looks like one:
// each must get to the host, again and again.
func TestEveryCycleYields(t *testing.T) {
	get, c, op := abitest.Get, abitest.Const, abitest.Op
	i32 := []byte{abitest.I32}
	jump := func(to int) []byte { return slices.Concat(c(int32(to)), abitest.Set(1)) }
	countdown := slices.Concat(get(0), c(1), op(0x6b), []byte{0x22, 0}, op(abitest.Eqz), op(0x04, 0x40), op(0x0f), op(abitest.End)) // return at 0
	for name, build := range map[string]func(a *abitest.Asm){
		"a function that calls itself through a table": func(a *abitest.Asm) {
			a.Table(a.Func("run", i32, nil, nil, countdown, get(0), c(0), op(0x11, 0, 0)))
		},
		"jumps of Go's compiler that lead back": func(a *abitest.Asm) {
			a.Func("run", i32, nil, i32,
				abitest.Loop(), abitest.Block(), abitest.Block(), get(1), op(0x0e, 1, 0, 1), op(abitest.End), // br_table
				countdown, jump(1), abitest.Br(1), op(abitest.End), // 0: forward to 1
				jump(0), abitest.Br(0), op(abitest.End))
		},
		"jumps of Go's compiler to where they stand": func(a *abitest.Asm) {
			a.Func("run", i32, nil, i32,
				abitest.Loop(), abitest.Block(), abitest.Block(), get(1), op(0x0e, 2, 0, 1, 1), op(abitest.End), op(abitest.End),
				countdown, jump(1), abitest.Br(0), op(abitest.End))
		},
	} {
		a := &abitest.Asm{}
		build(a)
		metered, err := rewrite(a.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := start(t, wazero.NewRuntimeConfigInterpreter(), metered.Module, 100)
		if _, err := m.call(t, "run", 1000); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m.yields < 50 {
			t.Errorf("%s: %d yields", name, m.yields)
		}
	}
}

// TestJumpsForwardAreNotChecked counts the checks of a function as Go's compiler
// makes it: one of its two jumps leads back.
func TestJumpsForwardAreNotChecked(t *testing.T) {
	body := func(first, second int) []byte {
		a := &abitest.Asm{}
		jump := func(to int) []byte { return slices.Concat(abitest.Const(int32(to)), abitest.Set(0)) }
		a.Func("run", []byte{abitest.I32}, nil, nil,
			abitest.Loop(), abitest.Block(), abitest.Block(), abitest.Block(),
			abitest.Get(0), abitest.Op(0x0e, 2, 0, 1, 2), abitest.Op(abitest.End),
			jump(first), abitest.Br(2), abitest.Op(abitest.End),
			jump(second), abitest.Br(1), abitest.Op(abitest.End), abitest.Op(abitest.End))
		metered, err := rewrite(a.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return metered.Module
	}
	none, one := body(1, 2), body(1, 1)
	if len(one) <= len(none) {
		t.Errorf("with a jump back the module has %d bytes, without %d", len(one), len(none))
	}
	if two := body(0, 1); len(two)-len(one) > len(one)-len(none) || len(two) < len(one) {
		t.Errorf("with jumps to 0, of which nothing is known, it has %d bytes, with one back %d, with none %d", len(two), len(one), len(none))
	}
}

func TestNamesStayRightInStackTraces(t *testing.T) {
	a := &abitest.Asm{}
	f := a.Func("", nil, nil, nil, abitest.Op(abitest.Unreachable))
	g := a.Func("run", nil, nil, nil, abitest.Call(f))
	names := []byte{1, 15, 2, byte(f), 5, 'b', 'r', 'e', 'a', 'k', byte(g), 5, 'o', 'u', 't', 'e', 'r'} // function names
	section := slices.Concat([]byte{0, byte(5 + len(names)), 4}, []byte("name"), names)
	metered, err := rewrite(append(a.Bytes(), section...))
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t, wazero.NewRuntimeConfigInterpreter(), metered.Module, 1<<40).call(t, "run")
	if err == nil || !strings.Contains(err.Error(), ".break()") || !strings.Contains(err.Error(), ".outer()") {
		t.Errorf("got %v", err)
	}
}

func TestMaximaAreCapped(t *testing.T) {
	a := &abitest.Asm{}
	a.Memory(1)
	a.Table(a.Func("", nil, nil, nil))
	a.Func("grow", []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Get(0), abitest.MemoryGrow())
	a.Func("growTable", []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Op(0xd0, 0x70), abitest.Get(0), abitest.Op(0xfc, 15, 0))
	metered, err := rewrite(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m := start(t, wazero.NewRuntimeConfigInterpreter(), metered.Module, 1<<40)
	for _, c := range []struct {
		name  string
		by    uint64
		grown bool
	}{{"grow", 1024, false}, {"grow", 1023, true}, {"growTable", 10_000, false}, {"growTable", 9_999, true}} {
		result, err := m.call(t, c.name, c.by)
		if err != nil || (int32(result) != -1) != c.grown {
			t.Errorf("%s(%d) is %d, %v", c.name, c.by, int32(result), err)
		}
	}
}

func TestTheLimitOfTablesHoldsForAllTogether(t *testing.T) {
	a := &abitest.Asm{}
	a.Table()
	a.Table()
	grow := func(table byte) []byte { return abitest.Op(0xd0, 0x70, 0x20, 0, 0xfc, 15, table) } // ref.null, local.get 0, table.grow
	a.Func("first", []byte{abitest.I32}, []byte{abitest.I32}, nil, grow(0))
	a.Func("second", []byte{abitest.I32}, []byte{abitest.I32}, nil, grow(1))
	metered, err := rewrite(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m := start(t, wazero.NewRuntimeConfigInterpreter(), metered.Module, 1<<40)
	grown := 0
	for _, name := range []string{"first", "second"} {
		for {
			if old, err := m.call(t, name, 500); err != nil {
				t.Fatal(err)
			} else if int32(old) == -1 {
				break
			}
			grown += 500
		}
	}
	if grown > int(limits.TableElements) || grown == 0 {
		t.Errorf("grew by %d elements in all, the limit is %d", grown, limits.TableElements)
	}
}

func TestIndicesThatWereOutOfRangeStayRefused(t *testing.T) {
	i32 := []byte{abitest.I32}
	for name, build := range map[string]func(a *abitest.Asm){
		"the global behind the last":   func(a *abitest.Asm) { a.Func("f", nil, nil, nil, abitest.Op(0x23, 0, abitest.Drop)) },
		"setting it":                   func(a *abitest.Asm) { a.Func("f", nil, nil, nil, abitest.Const64(1<<50), abitest.Op(0x24, 0)) },
		"exporting it":                 func(a *abitest.Asm) { a.Export("g", 3, 0) },
		"the function behind the last": func(a *abitest.Asm) { a.Func("f", nil, nil, nil, abitest.Call(1)) },
		"the type behind the last":     func(a *abitest.Asm) { a.Func("f", nil, nil, nil, abitest.Op(0x02, 1, abitest.End, abitest.Drop)) },
		"calling by it": func(a *abitest.Asm) {
			a.Table(a.Func("f", nil, nil, nil, abitest.Const(0), abitest.Op(0x11, 1, 0, abitest.Drop)))
		},
		"the local behind the last": func(a *abitest.Asm) {
			a.Memory(1)
			a.Func("f", i32, nil, nil, abitest.Get(0), abitest.Get(0), abitest.Get(1), abitest.MemoryFill())
		},
		"a reserved name":   func(a *abitest.Asm) { a.Export(meter.ExportFuel, 0, a.Func("", nil, nil, nil)) },
		"a reserved module": func(a *abitest.Asm) { a.Import(meter.ImportModule, "x", nil, nil) },
	} {
		a := &abitest.Asm{}
		build(a)
		if _, err := rewrite(a.Bytes()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWhatIsNotSupportedIsNamed(t *testing.T) {
	for feature, code := range map[string][]byte{
		"threads":                   {0xfe, 0x03, 0x00},
		"exceptions":                {0x06, 0x40, 0x0b},
		"garbage collection":        {0xfb, 0x00, 0x00},
		"typed function references": {0x14, 0x00},
		"relaxed SIMD":              {0xfd, 0x80, 0x02},
		"several memories":          {0x41, 0x00, 0x28, 0x40, 0x00, 0x00, 0x1a},
	} {
		a := &abitest.Asm{}
		a.Func("f", nil, nil, nil, code)
		_, err := rewrite(a.Bytes())
		var unsupported binary.Unsupported
		if !errors.As(err, &unsupported) || string(unsupported) != feature {
			t.Errorf("%s: got %v", feature, err)
		}
	}
}

// TestPluginsOfTheRepositoryCompile rewrites real modules of three compilers,
// and says how much they grow.
func TestPluginsOfTheRepositoryCompile(t *testing.T) {
	files, err := filepath.Glob("../../../plugins/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rewrite(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		t.Logf("%s: %d bytes, metered %d (%.2f); %d functions, %d loops, %d with bulk checks", filepath.Base(file),
			len(data), len(r.Module), float64(len(r.Module))/float64(len(data)), r.Functions, r.Loops, r.Bulk)
		runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		if _, err := runtime.CompileModule(t.Context(), r.Module); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if err := runtime.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// FuzzRewrite holds the rewriter to its invariants: it does not panic, and what
// wazero refuses it refuses, or wazero refuses the result.
func FuzzRewrite(f *testing.F) {
	f.Add(program())
	f.Add(abitest.Identity())
	for _, c := range abitest.Cases() {
		f.Add(c.Module)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := rewrite(data)
		if err != nil {
			return // before wazero sees it, which allocates whatever a count says
		}
		config := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(65536)
		runtime := wazero.NewRuntimeWithConfig(t.Context(), config)
		defer runtime.Close(t.Context())
		_, plain := runtime.CompileModule(t.Context(), data)
		if _, metered := runtime.CompileModule(t.Context(), r.Module); metered == nil && plain != nil {
			t.Fatalf("rewriting made a module valid: %v", plain)
		} else if metered != nil && plain == nil {
			t.Fatalf("rewriting made a module invalid: %v", metered)
		}
	})
}
