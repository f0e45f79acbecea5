package binary_test

import (
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
