package meter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// specFolder returns where the WebAssembly specification's test suite is, which
// wazero's Go module carries, compiled from the text format.
func specFolder(t *testing.T) string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	folder := filepath.Join(strings.TrimSpace(string(dir)), "internal", "integration_test", "spectest")
	if _, missing := os.Stat(folder); err != nil || missing != nil {
		t.Skip("the sources of wazero are not in the module cache: ", errors.Join(err, missing))
	}
	return folder
}

// TestTheSpecificationsSuite runs the suite with and without metering, on both
// of wazero's engines: results, traps and refusals are those that the suite
// asks for, and the same. SPEC=all adds what is slow: the first version, the
// interpreter, and what fills the stack.
func TestTheSpecificationsSuite(t *testing.T) {
	folder := specFolder(t)
	compiler, interpreter := wazero.NewRuntimeConfigCompiler(), wazero.NewRuntimeConfigInterpreter()
	all := os.Getenv("SPEC") == "all"
	for _, part := range []struct {
		scripts, engine string
		config          wazero.RuntimeConfig
		features        api.CoreFeatures
		slow            bool
	}{
		{"v1", "compiler", compiler, api.CoreFeaturesV1, true},
		{"v2", "compiler", compiler, api.CoreFeaturesV2, false},
		{"v2", "interpreter", interpreter, api.CoreFeaturesV2, true},
		{"tail-call", "compiler", compiler, api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall, false},
		{"extended-const", "compiler", compiler, api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst, false},
	} {
		if part.slow && !all {
			continue
		}
		t.Run(part.scripts+"/"+part.engine, func(t *testing.T) {
			t.Parallel()
			s := suite{T: t, exhaust: all, folder: filepath.Join(folder, part.scripts, "testdata"), config: part.config.WithCoreFeatures(part.features),
				spectest: read(t, filepath.Join(folder, "testdata", "spectest.wasm")), counts: map[string]int{}}
			for path, commands := range scripts(t, s.folder) {
				s.run(path, commands)
			}
			t.Log(s.counts)
		})
	}
}

// suite is a folder of scripts.
type suite struct {
	*testing.T
	folder   string
	spectest []byte // the module of this name, which others import
	config   wazero.RuntimeConfig
	exhaust  bool
	counts   map[string]int // of commands, by type
}

// command is one line of a script.
type command struct {
	Type       string
	Line       int
	Name       string
	Filename   string
	ModuleType string `json:"module_type"`
	As         string
	Text       string
	Action     struct {
		Type, Module, Field string
		Args                []value
	}
	Expected []value
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// scripts reads the scripts in a folder.
func scripts(t *testing.T, folder string) map[string][]command {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts in ", folder, err)
	}
	out := map[string][]command{}
	for _, path := range paths {
		var script struct{ Commands []command }
		if err := json.Unmarshal(read(t, path), &script); err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = script.Commands
	}
	return out
}

// run plays a script.
func (s *suite) run(name string, commands []command) {
	plain, metered := s.newWorld(false), s.newWorld(true)
	defer plain.runtime.Close(s.Context())
	defer metered.runtime.Close(s.Context())
	for n, c := range commands {
		if c.ModuleType == "text" || c.Type == "register" || c.Type == "assert_exhaustion" && !s.exhaust {
			continue
		}
		as := ""
		if next := n + 1; next < len(commands) && commands[next].Type == "register" {
			as = commands[next].As
		}
		where := fmt.Sprintf("%s:%d %s %s", name, c.Line, c.Type, c.Action.Field)
		s.counts[c.Type]++
		got, err := metered.do(c, as)
		if c.Type == "assert_exhaustion" {
			if err == nil || !strings.Contains(err.Error(), "stack overflow") {
				s.Errorf("%s: %v", where, err)
			}
			continue
		}
		want, errPlain := plain.do(c, as)
		valid := c.Type == "module" || c.Type == "assert_return" || c.Type == "action"
		switch {
		case c.Text == "out of bounds table access": // wazero has it no error
		case valid && errPlain != nil:
			s.Errorf("%s: without metering: %v", where, errPlain)
		case !valid && errPlain == nil:
			s.Errorf("%s: passed without metering", where)
		case (err == nil) != (errPlain == nil):
			s.Errorf("%s: metered %v, plain %v", where, err, errPlain)
		case strings.HasPrefix(c.Type, "assert_trap") && firstLine(err) != firstLine(errPlain):
			s.Errorf("%s: metered traps with %s, plain with %s", where, firstLine(err), firstLine(errPlain))
		case err == nil && !slices.Equal(got, want):
			s.Errorf("%s: metered %x, plain %x", where, got, want)
		case c.Type == "assert_return" && !matches(c.Expected, got):
			s.Errorf("%s: %x, want %+v", where, got, c.Expected)
		}
	}
	s.counts["yields"] += metered.yields
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// world is what the modules of a script live in, metered or not.
type world struct {
	*suite
	metered bool
	runtime wazero.Runtime
	named   map[string]api.Module
	last    api.Module
	yields  int
}

func (s *suite) newWorld(metered bool) *world {
	ctx := s.Context()
	w := &world{suite: s, metered: metered, runtime: wazero.NewRuntimeWithConfig(ctx, s.config), named: map[string]api.Module{}}
	yield := func(_ context.Context, stack []uint64) {
		w.yields++
		stack[0] = uint64(w.yields % 50) // slices of all sizes
	}
	_, err := w.runtime.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(yield), nil, []api.ValueType{api.ValueTypeI64}).Export(meter.ImportYield).Instantiate(ctx)
	if err == nil {
		_, err = w.runtime.InstantiateWithConfig(ctx, s.spectest, wazero.NewModuleConfig().WithName("spectest"))
	}
	if err != nil {
		s.Fatal(err)
	}
	return w
}

// do carries a command out. An error is a refusal or a trap.
func (w *world) do(c command, as string) (results []uint64, err error) {
	if c.Filename != "" {
		m, err := w.instantiate(read(w.T, filepath.Join(w.folder, c.Filename)), as)
		if c.Type == "module" {
			w.last = m
			if c.Name != "" {
				w.named[c.Name] = m
			}
		}
		return nil, err
	}
	m := w.last
	if c.Action.Module != "" {
		m = w.named[c.Action.Module]
	}
	if m == nil {
		return nil, errors.New("there is no module")
	}
	if c.Action.Type == "get" {
		return []uint64{m.ExportedGlobal(c.Action.Field).Get()}, nil
	}
	f := m.ExportedFunction(c.Action.Field)
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.bits()...)
	}
	err = balanced(w.T, m, func() error {
		results, err = f.Call(w.Context(), args...)
		return err
	})
	at := 0
	for _, t := range f.Definition().ResultTypes() {
		switch {
		case err != nil:
		case t == api.ValueTypeI32 || t == api.ValueTypeF32:
			results[at] &= math.MaxUint32
		case t == 0x70 && results[at] != 0: // funcref: an address of the host
			results[at] = 1
		case t == 0x7b:
			at++
		}
		at++
	}
	return results, err
}

func (w *world) instantiate(data []byte, name string) (api.Module, error) {
	if w.metered {
		r, err := rewriteAll(data)
		if err != nil {
			return nil, err
		}
		data = r.Module
	}
	return w.runtime.InstantiateWithConfig(w.Context(), data, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
}

// TestOtherProposalsAreRefused goes through the valid modules of proposals that
// plugins may not use. One that is taken does without the proposal, or is left
// to wazero to refuse.
func TestOtherProposalsAreRefused(t *testing.T) {
	folder := specFolder(t)
	runtime := wazero.NewRuntime(t.Context())
	defer runtime.Close(t.Context())
	for _, proposal := range []string{"threads", "exception-handling", "typed-function-references"} {
		counts := map[string]int{}
		dir := filepath.Join(folder, proposal, "testdata")
		for name, commands := range scripts(t, dir) {
			for _, c := range commands {
				if c.Type != "module" {
					continue
				}
				data := read(t, filepath.Join(dir, c.Filename))
				r, err := rewrite(data)
				var unsupported binary.Unsupported
				if errors.As(err, &unsupported) {
					counts[string(unsupported)]++
					continue
				}
				if err != nil {
					t.Errorf("%s %s:%d: refused without a name: %v", proposal, name, c.Line, err)
					continue
				}
				counts["taken"]++
				_, errPlain := runtime.CompileModule(t.Context(), data)
				if _, err := runtime.CompileModule(t.Context(), r.Module); (err == nil) != (errPlain == nil) {
					t.Errorf("%s:%d: metered %v, plain %v", name, c.Line, err, errPlain)
				}
			}
		}
		t.Log(proposal, counts)
		if counts["threads"]+counts["exceptions"]+counts["typed function references"] == 0 {
			t.Errorf("%s: none was refused by name", proposal)
		}
	}
}
