package wasm

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestGuestsThatFailToStartLeaveNothingBehind starts guests again and again
// that do not get as far as being started, each in its own way.
func TestGuestsThatFailToStartLeaveNothingBehind(t *testing.T) {
	fill := slices.Concat(abitest.Const(0), abitest.Const(1), abitest.Const(4<<20), abitest.MemoryFill(), abitest.Op(abitest.Unreachable))
	outside := abitest.NewGuest()
	outside.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	outside.Data(64<<20-1, []byte("past the end"))
	for name, module := range map[string][]byte{"start section": starting(true, fill), "_initialize": starting(false, fill), "data segment": outside.Bytes()} {
		t.Run(name, func(t *testing.T) {
			e, path := newEngine(t), writeModule(t, module)
			fail := func() {
				if _, err := e.Load(t.Context(), path, DefaultLimits()); stream.CodeOf(err) != stream.PluginStart {
					t.Fatalf("got %v", err)
				}
			}
			fail()
			before := addressSpace(t)
			for range 50 {
				fail()
			}
			if grown := addressSpace(t) - before; grown > 50*64<<20/10 {
				t.Errorf("the address space grew by %d MiB", grown>>20)
			}
		})
	}
}

// addressSpace returns what the process has mapped, in bytes; 0 where there is
// no /proc.
func addressSpace(t *testing.T) int {
	t.Helper()
	pages := 0
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(text), &pages); err != nil {
			t.Fatal(err)
		}
	}
	return pages * os.Getpagesize()
}
