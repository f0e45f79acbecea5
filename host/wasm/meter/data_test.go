package meter_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// section returns the content of a section of a module, nil if it is not there.
func section(t *testing.T, module []byte, id byte) []byte {
	t.Helper()
	m, err := binary.Decode(module)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Sections {
		if s.ID == id {
			return s.Content
		}
	}
	return nil
}

// segments counts the data segments of a module.
func segments(t *testing.T, module []byte) int {
	t.Helper()
	return int(binary.NewReader(section(t, module, 11)).Count())
}

// withData is a module of two pages with a data section.
func withData(count byte, entries ...[]byte) []byte {
	a := &abitest.Asm{}
	a.Memory(2)
	return withSection(a.Bytes(), 11, append([]byte{count}, slices.Concat(entries...)...))
}

func withSection(module []byte, id byte, content []byte) []byte {
	return append(append(module, id, byte(len(content))), content...) // of less than 128 bytes
}

func data(at int32, content string) []byte {
	return slices.Concat([]byte{0}, abitest.Const(at), []byte{0x0b, byte(len(content))}, []byte(content))
}

// initial is the memory of a new instance before anything runs.
func initial(t *testing.T, module []byte) ([]byte, error) {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	wasi_snapshot_preview1.MustInstantiate(t.Context(), r)
	yield := func() int64 { return 0 }
	if _, err := r.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().WithFunc(yield).Export(meter.ImportYield).Instantiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	compiled, err := r.CompileModule(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.InstantiateModule(t.Context(), compiled, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return nil, err
	}
	content, _ := m.Memory().Read(0, m.Memory().Size())
	return bytes.Clone(content), nil
}

// sameStart fails if two modules begin with different memory.
func sameStart(t *testing.T, a, b []byte) {
	t.Helper()
	one, err := initial(t, a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := initial(t, b)
	if err != nil || len(one) == 0 || !bytes.Equal(one, other) {
		t.Errorf("memory begins with something else, %d and %d bytes: %v", len(one), len(other), err)
	}
}

func TestDataSegmentsThatLieCloseAreJoined(t *testing.T) {
	const long = "twenty bytes of data"
	for _, c := range []struct {
		name   string
		module []byte
		want   int
	}{
		{"next to each other", withData(3, data(8, "ab"), data(10, "cd"), data(12, "e")), 1},
		{"with 32 zeros between", withData(2, data(0, long), data(52, "cd")), 1},
		{"with 33 zeros between", withData(2, data(0, long), data(53, "cd")), 2},
		{"in another order", withData(4, data(90, "z"), data(20, "b"), data(10, "a"), data(92, "y")), 2},
		{"an empty one", withData(3, data(10, "a"), data(12, ""), data(14, "b")), 1},
		{"one", withData(1, data(10, "a")), 1},
		{"none", withData(0), 0},
		{"those that would make it more than twice as long", withData(3, data(0, long), data(52, "b"), data(85, "c")), 2},
	} {
		r, err := rewrite(c.module)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := segments(t, r.Module); got != c.want {
			t.Errorf("%s: %d segments, want %d", c.name, got, c.want)
		}
		sameStart(t, c.module, r.Module)
	}
}

// TestDataSegmentsThatAreNotAlikeStay has sections in which joining would change what
// memory holds, or which segment an instruction means, or let through what is refused.
func TestDataSegmentsThatAreNotAlikeStay(t *testing.T) {
	a := &abitest.Asm{}
	a.Memory(2)
	counted := withSection(withSection(a.Bytes(), 12, []byte{2}), 11, slices.Concat([]byte{2}, data(0, "a"), data(2, "b")))
	imported := slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), []byte{2, 8, 1, 1, 'm', 1, 'm', 2, 0, 1})
	imported = withSection(imported, 11, slices.Concat([]byte{2}, data(0, "a"), data(2, "b")))
	for name, module := range map[string][]byte{
		"two in one place":            withData(2, data(10, "abc"), data(12, "xyz")),
		"the later one comes first":   withData(2, data(12, "xyz"), data(10, "abc")),
		"counted for instructions":    counted,
		"of another's memory":         imported,
		"passive":                     withData(2, data(0, "a"), []byte{1, 1, 'b'}),
		"of a memory by its number":   withData(2, data(0, "a"), slices.Concat([]byte{2, 0}, data(2, "b")[1:])),
		"of a place in a variable":    withData(2, data(0, "a"), []byte{0, 0x23, 0, 0x0b, 1, 'b'}),
		"at the end of 4 GiB":         withData(2, data(0, "a"), data(-2, "b")),
		"of a number too long":        withData(2, data(0, "a"), []byte{0, 0x41, 0x82, 0, 0x0b, 1, 'b'}),
		"of a place of another type":  withData(2, data(2, "a"), []byte{0, 0x42, 0, 0x0b, 1, 'b'}),
		"of a form that is not known": withData(2, data(0, "a"), []byte{3, 0x41, 2, 0x0b, 1, 'b'}),
		"of an expression":            withData(2, data(0, "a"), []byte{0, 0x41, 2, 0x41, 2, 0x6a, 0x0b, 1, 'b'}),
		"cut":                         withData(2, data(0, "a"), []byte{0, 0x41, 2, 0x0b, 5, 'b'}),
		"with bytes left over":        withData(2, data(0, "a"), data(2, "b"), []byte{0}),
	} {
		r, err := rewrite(module)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if before, after := section(t, module, 11), section(t, r.Module, 11); !bytes.Equal(before, after) {
			t.Errorf("%s: %x became %x", name, before, after)
		}
	}
}

// TestADataSegmentOutsideOfMemoryIsRefused has one that is joined with one that is not.
func TestADataSegmentOutsideOfMemoryIsRefused(t *testing.T) {
	module := withData(2, data(2<<16-2, "a"), data(2<<16, "b"))
	r, err := rewrite(module)
	if err != nil || segments(t, r.Module) != 1 {
		t.Fatalf("not joined: %v", err)
	}
	for _, m := range [][]byte{module, r.Module} {
		if _, err := initial(t, m); err == nil || !strings.Contains(err.Error(), "out of bounds") {
			t.Errorf("it starts: %v", err)
		}
	}
}

// TestAGuestInGoHasFewDataSegments compares all of the memory that it begins with.
func TestAGuestInGoHasFewDataSegments(t *testing.T) {
	plain, err := os.ReadFile("../../../plugins/identity-go.wasm")
	if os.IsNotExist(err) && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("plugin identity-go is not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	metered, err := rewrite(plain)
	if err != nil {
		t.Fatal(err)
	}
	before, after := segments(t, plain), segments(t, metered.Module)
	t.Logf("%d segments instead of %d", after, before)
	if after*20 > before {
		t.Errorf("%d segments are left of %d", after, before)
	}
	if len(section(t, metered.Module, 11)) > 2*len(section(t, plain, 11)) {
		t.Error("more than twice as long")
	}
	sameStart(t, plain, metered.Module)
}
