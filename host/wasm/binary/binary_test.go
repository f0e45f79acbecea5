package binary_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/wasm/binary"
)

func TestDecodeFindsWhatAModuleHas(t *testing.T) {
	m, err := binary.Decode(abitest.Identity())
	if err != nil {
		t.Fatal(err)
	}
	process, ok := m.Export("wasmill_process")
	if !ok || process.Kind != binary.ExternFunc {
		t.Fatalf("wasmill_process: %+v, %v", process, ok)
	}
	if f, ok := m.FuncTypeOf(process.Index); !ok || f.String() != "(i32) -> (i32)" {
		t.Errorf("it has type %s", f)
	}
	if len(m.Memories) != 1 || m.Memories[0].Min != 64 || m.Bodies != 4 {
		t.Errorf("memories %+v, %d bodies", m.Memories, m.Bodies)
	}
	if _, ok := m.FuncTypeOf(4); ok {
		t.Error("a function that is not there has a type")
	}
}

func TestAModuleCutAnywhereIsRefused(t *testing.T) {
	whole := abitest.Identity()
	boundaries := 0
	for n := range whole {
		if _, err := binary.Decode(whole[:n]); err == nil {
			boundaries++ // between sections a prefix may be a module of its own
		}
	}
	if boundaries > 4 {
		t.Errorf("%d prefixes of a module are accepted", boundaries)
	}
}

// TestWhatADecoderRefusesIsNamed has sections of proposals beyond WebAssembly
// 2.0, and numbers that no runtime takes. A section is its id and its content.
func TestWhatADecoderRefusesIsNamed(t *testing.T) {
	for _, tt := range []struct{ section, want string }{
		{"\x05\x01\x03\x01\x02", "uses threads,"}, // shared memory
		{"\x05\x01\x04\x01", "uses memory64,"},
		{"\x04\x01\x70\x04\x01", "uses memory64,"},
		{"\x0d\x01\x00\x00", "uses exceptions,"},
		{"\x01\x01\x60\x01\x69\x00", "uses exceptions,"},                            // exnref
		{"\x02\x01\x01m\x01t\x04\x00\x00", "uses exceptions,"},                      // an imported tag
		{"\x01\x01\x5f\x00", "uses garbage collection,"},                            // a struct
		{"\x01\x01\x60\x01\x6e\x00", "uses garbage collection,"},                    // anyref
		{"\x01\x01\x60\x01\x64\x00\x00", "uses typed function references,"},         // (ref 0)
		{"\x04\x01\x40\x00\x64\x00\x00\x01\x0b", "uses typed function references,"}, // a table with initial values
		{"\x05\x01\x00\x81\x80\x04", "memory of 65537 pages, the most is 65536"},
		{"\x05\x01\x01\x01\x81\x80\x04", "memory of 65537 pages, the most is 65536"},
		{"\x05\x01\x01\x02\x01", "minimum of 2 is more than the maximum of 1"},
		{"\x01\x01\x60\x01\x01\x00", "type 0x1 at byte 3 is not known"},
	} {
		data := "\x00asm\x01\x00\x00\x00" + tt.section[:1] + string(rune(len(tt.section)-1)) + tt.section[1:]
		if _, err := binary.Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("section %x: got %v, want …%s…", tt.section, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(abitest.Identity())
	for _, c := range abitest.Cases() {
		f.Add(c.Module)
	}
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := binary.Decode(data)
		if err != nil {
			return
		}
		for _, e := range m.Exports {
			m.FuncTypeOf(e.Index)
		}
		if len(m.Funcs) != m.Bodies {
			t.Errorf("%d functions, %d bodies", len(m.Funcs), m.Bodies)
		}
	})
}
