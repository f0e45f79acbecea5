package wasm

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/binary"
)

// PageSize is the unit of a guest's memory, in bytes.
const PageSize = 64 << 10

var (
	none = binary.FuncType{}
	i32  = binary.I32
	i64  = binary.I64
)

func fn(params []binary.ValueType, results ...binary.ValueType) binary.FuncType {
	return binary.FuncType{Params: params, Results: results}
}

// exported are the types of the functions that a guest exports, ABI.md §1.
var exported = map[string]binary.FuncType{
	abi.ExportMarker:     none,
	abi.ExportInitialize: none,
	abi.ExportDescribe:   fn(nil, i64),
	abi.ExportInput:      fn([]binary.ValueType{i32}, i32),
	abi.ExportProcess:    fn([]binary.ValueType{i32}, i32),
	abi.ExportAdd:        fn([]binary.ValueType{i32}, i32),
	abi.ExportMerge:      fn([]binary.ValueType{i32}, i32),
	abi.ExportResult:     fn([]binary.ValueType{i32}, i32),
	abi.ExportConfigure:  fn([]binary.ValueType{i32, i32}, i64),
}

// required are those that every guest has.
var required = []string{abi.ExportMarker, abi.ExportDescribe, abi.ExportInput}

// ofKind are those that guests of a kind have.
var ofKind = map[abi.Kind][]string{
	abi.KindMap:       {abi.ExportProcess},
	abi.KindProcess:   {abi.ExportProcess},
	abi.KindAggregate: {abi.ExportAdd, abi.ExportResult},
}

// optional are those whose types are checked if they are there.
var optional = []string{abi.ExportConfigure, abi.ExportInitialize, abi.ExportProcess, abi.ExportAdd, abi.ExportMerge, abi.ExportResult}

// imported are the types of the functions that wasmill offers, ABI.md §5.
var imported = map[string]binary.FuncType{
	abi.ImportLog:          fn([]binary.ValueType{i32, i32, i32}),
	abi.ImportNow:          fn(nil, i64),
	abi.ImportRandom:       fn([]binary.ValueType{i32, i32}),
	abi.ImportSleep:        fn([]binary.ValueType{i64}),
	abi.ImportHTTPRequest:  fn([]binary.ValueType{i32}, i64),
	abi.ImportHTTPResponse: fn([]binary.ValueType{i32, i32}),
	abi.ImportStateGet:     fn([]binary.ValueType{i32, i32, i32, i32, i32}, i32),
	abi.ImportStatePut:     fn([]binary.ValueType{i32, i32, i32, i32, i32, i64}),
	abi.ImportStateDelete:  fn([]binary.ValueType{i32, i32, i32}),
	abi.ImportStateList:    fn([]binary.ValueType{i32, i32, i32, i32, i32}, i32),
	abi.ImportTimerSet:     fn([]binary.ValueType{i32, i32, i32, i32, i64}),
	abi.ImportTimerDelete:  fn([]binary.ValueType{i32, i32, i32, i32}),
	abi.ImportSideVersion:  fn([]binary.ValueType{i32, i32}, i64),
	abi.ImportSideRead:     fn([]binary.ValueType{i32, i32, i32, i32}, i32),
}

// decode reads a plugin's sections.
func decode(path string, data []byte) (*binary.Module, error) {
	m, err := binary.Decode(data)
	switch {
	case errors.Is(err, binary.ErrNotWasm):
		why := "is not a WebAssembly file"
		if what := lookalike(data); what != "" {
			why += "; it looks like " + what
		}
		return nil, &stream.Error{Code: stream.PluginNotWasm, Where: path, Why: why, Fix: "compile the plugin to a core WebAssembly module (plugins/README.md shows how, by language)"}
	case errors.Is(err, binary.ErrComponent):
		return nil, &stream.Error{
			Code: stream.PluginComponent, Where: path, Why: "is a component, not a core module",
			Fix: "build a core module: Rust target wasm32-unknown-unknown, TinyGo -target=wasip1, or take the core module out with wasm-tools component unbundle",
		}
	case err != nil:
		return nil, damaged(path, "is damaged or incomplete", err)
	}
	return m, nil
}

// checkContract compares what a module exports and imports with the ABI, and
// returns everything that is wrong with it.
// wasi says what WASI offers.
func checkContract(path string, m *binary.Module, limits *Limits, wasi func(name string) bool) error {
	c := contract{path: path, m: m, wasi: wasi}
	if !c.marker() {
		return errors.Join(c.errs...) // the rest would only be noise
	}
	for _, name := range required {
		c.function(name, true)
	}
	for _, name := range optional {
		c.function(name, false)
	}
	if _, adds := m.Export(abi.ExportAdd); !adds { // it is of no kind that could do without
		if _, ok := m.Export(abi.ExportProcess); !ok {
			c.function(abi.ExportProcess, true)
		}
	}
	c.memory(limits.Memory)
	c.tables(limits.TableElements)
	for _, im := range m.Imports {
		c.imports(im)
	}
	if _, command := m.Export("_start"); command {
		if _, reactor := m.Export(abi.ExportInitialize); !reactor {
			c.add(stream.PluginExport, "exports _start and not _initialize: it is a command, which ends after main",
				"build a reactor: Go -buildmode=c-shared, clang -mexec-model=reactor, Rust --crate-type cdylib")
		}
	}
	return errors.Join(c.errs...)
}

type contract struct {
	path string
	m    *binary.Module
	wasi func(name string) bool
	errs []error
}

func (c *contract) add(code stream.Code, why, fix string) {
	c.errs = append(c.errs, &stream.Error{Code: code, Where: c.path, Why: why, Fix: fix})
}

// marker checks that the module speaks this ABI.
func (c *contract) marker() bool {
	if _, ok := c.m.Export(abi.ExportMarker); ok {
		return true
	}
	for _, e := range c.m.Exports {
		if strings.HasPrefix(e.Name, abi.MarkerPrefix) {
			c.add(stream.PluginABI, fmt.Sprintf("speaks ABI %s, this wasmill speaks %s", e.Name, abi.ExportMarker),
				"build it with the SDK of this release, or run a wasmill that speaks its ABI")
			return false
		}
	}
	c.add(stream.PluginABI, "does not export "+abi.ExportMarker+", so it is WebAssembly but no wasmill plugin",
		"build it with a file from abi/sdk, or export what abi/ABI.md §1 lists; if it was, the linker dropped the exports")
	return false
}

// function checks an export that has to be a function of a certain type.
func (c *contract) function(name string, must bool) {
	e, ok := c.m.Export(name)
	if !ok {
		if must {
			c.add(stream.PluginExport, "does not export "+name+" "+exported[name].String(), "export it as abi/ABI.md §1 says")
		}
		return
	}
	if e.Kind != binary.ExternFunc {
		c.add(stream.PluginExport, fmt.Sprintf("exports %s as a %s instead of a function", name, e.Kind), "")
		return
	}
	if t, ok := c.m.FuncTypeOf(e.Index); !ok || !t.Equal(exported[name]) {
		c.add(stream.PluginExport, fmt.Sprintf("exports %s as %s instead of %s", name, t, exported[name]), "change its parameters and results")
	}
}

// memory checks that there is one memory, exported, with a minimum that fits.
func (c *contract) memory(limit int64) {
	e, ok := c.m.Export(abi.ExportMemory)
	if !ok || e.Kind != binary.ExternMemory || len(c.m.Memories) != 1 {
		c.add(stream.PluginExport, "does not define one memory and export it as "+abi.ExportMemory,
			"export it; an imported memory will not do (for wasm-ld: leave --import-memory out)")
		return
	}
	if least := c.m.Memories[0].Min * PageSize; least > uint64(limit) {
		c.add(stream.PluginMemory, fmt.Sprintf("needs %d KiB of memory to start, the limit is %d KiB", least>>10, limit>>10),
			fmt.Sprintf("set limits.memory of the vertex to %dKiB or more", least>>10))
	}
}

// tables checks that what all tables begin with fits.
func (c *contract) tables(limit uint64) {
	least := uint64(0)
	for _, t := range c.m.Tables {
		least += t.Min
	}
	if least > limit {
		c.add(stream.PluginMemory, fmt.Sprintf("needs %d elements in its tables to start, the limit is %d", least, limit),
			fmt.Sprintf("set limits.tableElements of the vertex to %d or more", least))
	}
}

// imports checks that wasmill has what an import asks for.
func (c *contract) imports(im binary.Import) {
	name := im.Module + "." + im.Name
	switch {
	case im.Kind != binary.ExternFunc:
		c.add(stream.PluginImport, fmt.Sprintf("imports a %s, %s: wasmill offers functions only", im.Kind, name), "define it in the module")
	case im.Module == abi.ModuleWASI:
		if !c.wasi(im.Name) {
			c.add(stream.PluginImport, "imports "+name+", which is not in WASI preview 1", "")
		}
	case im.Module != abi.ModuleWasmill:
		c.add(stream.PluginImport, "imports "+name+": wasmill has no module "+im.Module, importHint(im.Module))
	default:
		want, ok := imported[im.Name]
		switch {
		case !ok:
			c.add(stream.PluginImport, "imports "+name+", which this wasmill does not have",
				"it offers "+strings.Join(slices.Sorted(maps.Keys(imported)), ", ")+"; for others run a newer wasmill")
		case !im.Type.Equal(want):
			c.add(stream.PluginImport, fmt.Sprintf("imports %s as %s instead of %s", name, im.Type, want), "declare it as abi/ABI.md §5 says")
		}
	}
}

// importHint says where imports from well-known modules come from.
func importHint(module string) string {
	switch {
	case module == "env":
		return "a function is declared and not defined, or is meant for another host: link it in (clang without --allow-undefined shows which)"
	case module == "wasi_unstable" || strings.HasPrefix(module, "wasi:"):
		return "build for WASI preview 1 (wasip1)"
	case strings.Contains(module, "wbindgen"):
		return "build without wasm-bindgen: a plugin runs without a browser"
	case module == "go" || module == "gojs":
		return "build with GOOS=wasip1 instead of GOOS=js"
	}
	return "remove the import; abi/ABI.md §5 lists what there is"
}

// checkKind checks what a guest of some kind has to export, and what it alone may
// import. Which kind it is shows when it has described itself.
func checkKind(path string, m *binary.Module, kind abi.Kind) error {
	c := contract{path: path, m: m}
	for _, name := range ofKind[kind] {
		c.function(name, true)
	}
	for _, im := range m.Imports {
		if im.Module == abi.ModuleWasmill && abi.IsProcess(im.Name) && kind != abi.KindProcess {
			c.add(stream.PluginImport, fmt.Sprintf("imports %s.%s, but is of kind %s: only a %s has state and timers", im.Module, im.Name, kind, abi.KindProcess),
				fmt.Sprintf(`describe it with "kind": %q, or remove what calls the function`, abi.KindProcess))
		}
	}
	return errors.Join(c.errs...)
}

// capabilities returns what a module's imports ask for.
func capabilities(m *binary.Module) (wants []abi.Capability) {
	for _, im := range m.Imports {
		if im.Module != abi.ModuleWasmill {
			continue
		}
		if c, ok := abi.CapabilityOf(im.Name); ok && !slices.Contains(wants, c) {
			wants = append(wants, c)
		}
	}
	return wants
}
