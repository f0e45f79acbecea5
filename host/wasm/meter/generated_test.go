package meter_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/host/wasm/meter"
)

// TestGeneratedModulesGiveTheSameAnswers runs modules that binaryen makes of
// random bytes, metered and not, and compares results, traps, calls of imports
// and memory. SEED repeats a run, MODULES sets how many there are.
func TestGeneratedModulesGiveTheSameAnswers(t *testing.T) {
	if _, err := exec.LookPath("wasm-opt"); err != nil {
		if os.Getenv("REQUIRE_GUESTS") != "" {
			t.Fatal("binaryen is not installed")
		}
		t.Skip("binaryen is not installed")
	}
	seed, modules := rand.Uint64(), 40
	if s := os.Getenv("SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("MODULES"); s != "" {
		var err error
		if modules, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	compared, yields := 0, 0
	for n := range modules {
		plain := generate(t, random)
		metered, err := rewriteAll(plain)
		if err != nil {
			t.Fatalf("module %d: %v", n, err)
		}
		for name, config := range engines() {
			want, ok := observe(t, config, plain)
			if !ok {
				continue // it does not start as it is
			}
			got, ok := observe(t, config, metered.Module)
			if !ok || !slices.Equal(got.lines, want.lines) {
				t.Errorf("module %d, %s: metered\n%s\nplain\n%s", n, name, strings.Join(difference(got.lines, want.lines), "\n"), strings.Join(difference(want.lines, got.lines), "\n"))
			}
			compared += len(want.lines)
			yields += got.yields
		}
	}
	t.Logf("compared %d observations, %d yields", compared, yields)
	if compared < modules || yields == 0 {
		t.Errorf("compared only %d observations, with %d yields", compared, yields)
	}
}

// generate makes a valid module of random bytes.
func generate(t *testing.T, random *rand.Rand) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "bytes"), filepath.Join(dir, "out.wasm")
	data := make([]byte, 500+random.IntN(8000))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "wasm-opt", in, "-ttf", "--mvp-features", "--enable-simd", "--enable-bulk-memory", "--enable-sign-ext",
		"--enable-nontrapping-float-to-int", "--enable-multivalue", "--enable-mutable-globals", "--denan", "-o", out)
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// observation is what can be seen of a module from outside.
type observation struct {
	lines  []string
	yields int
}

// observe calls every function that a module exports. False if it does not start.
func observe(t *testing.T, config wazero.RuntimeConfig, data []byte) (o *observation, ok bool) {
	t.Helper()
	o = &observation{}
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	defer r.Close(ctx)
	compiled, err := r.CompileModule(ctx, data)
	if err != nil {
		t.Fatal(err)
	}
	o.imports(t, r, compiled)
	m, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig())
	if err != nil {
		return o, false
	}
	exports := compiled.ExportedFunctions()
	for _, name := range sortedKeys(exports) {
		f := exports[name]
		for _, value := range []uint64{0, 1, 0x7fc00000ffffffff} {
			stack := make([]uint64, max(len(f.ParamTypes()), len(f.ResultTypes()), 2*len(f.ParamTypes())+2))
			for i := range f.ParamTypes() {
				stack[i] = value
			}
			if slices.ContainsFunc(append(slices.Clone(f.ParamTypes()), f.ResultTypes()...), func(t api.ValueType) bool { return t < api.ValueTypeF64 }) {
				continue // vectors and references
			}
			err := balanced(t, m, func() error { return m.ExportedFunction(name).CallWithStack(ctx, stack) })
			line := fmt.Sprintf("%s(%d) = %x", name, value, values(stack[:len(f.ResultTypes())], f.ResultTypes()))
			if err != nil {
				first, _, _ := strings.Cut(err.Error(), "\n")
				line = fmt.Sprintf("%s(%d): %s", name, value, first)
			}
			o.lines = append(o.lines, line)
		}
	}
	if memory := m.Memory(); memory != nil {
		bytes, _ := memory.Read(0, memory.Size())
		sum := uint64(14695981039346656037)
		for _, b := range bytes {
			sum = (sum ^ uint64(b)) * 1099511628211
		}
		o.lines = append(o.lines, fmt.Sprintf("memory %d bytes %x", len(bytes), sum))
	}
	return o, true
}

// imports defines what a module imports: functions that note their arguments.
func (o *observation) imports(t *testing.T, r wazero.Runtime, compiled wazero.CompiledModule) {
	t.Helper()
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		if builders[module] == nil {
			builders[module] = r.NewHostModuleBuilder(module)
		}
		params, results := len(f.ParamTypes()), len(f.ResultTypes())
		call := func(_ context.Context, stack []uint64) {
			if module == meter.ImportModule {
				o.yields++
				stack[0] = uint64(o.yields % 50) // slices of all sizes
				return
			}
			o.lines = append(o.lines, fmt.Sprintf("%s.%s%x", module, name, values(stack[:params], f.ParamTypes())))
			for i := range results {
				stack[i] = uint64(math.Float32bits(1))
			}
		}
		builders[module].NewFunctionBuilder().WithGoFunction(api.GoFunc(call), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	for _, b := range builders {
		if _, err := b.Instantiate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// values cuts what the stack holds down to its types: the upper half of 32 bits
// is undefined.
func values(stack []uint64, types []api.ValueType) []uint64 {
	out := slices.Clone(stack)
	for i, t := range types {
		if t == api.ValueTypeI32 || t == api.ValueTypeF32 {
			out[i] &= math.MaxUint32
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// difference returns some lines of a that b has not in the same place.
func difference(a, b []string) (out []string) {
	for i, line := range a {
		if (i >= len(b) || b[i] != line) && len(out) < 5 {
			out = append(out, line)
		}
	}
	return out
}
