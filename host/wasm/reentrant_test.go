package wasm

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestAGuestMayCallItsOwnExports has guests that enter themselves: to them their
// exports are functions like others, and the host notices nothing.
func TestAGuestMayCallItsOwnExports(t *testing.T) {
	const input, process = 2, 3 // indices after the marker and the description
	own := func(body ...[]byte) []byte {
		a := abitest.NewGuest()
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, body...)
		return a.Bytes()
	}
	in := []abitest.Record{{Value: "x"}, {Value: "y"}}
	one := func(module []byte) (stream.Output, error) {
		tr := mustTransform(t, mustLoad(t, newEngine(t), module), Config{Vertex: "v"})
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		return out, tr.Call(t.Context(), batchOf(in), &out)
	}
	// It asks itself for another arena, and calls process with each smaller
	// count until there is none.
	_, err := one(own(
		abitest.Const(100), abitest.Call(input), abitest.Op(abitest.Drop),
		abitest.Get(0), abitest.Load(0), abitest.If(),
		abitest.Get(0), abitest.Get(0), abitest.Load(0), abitest.Const(-1), abitest.Op(abitest.Add), abitest.Store(0),
		abitest.Get(0), abitest.Call(process), abitest.Op(abitest.Drop),
		abitest.Op(abitest.End), abitest.Const(8)))
	if err != nil {
		t.Errorf("with an end: %v", err)
	}
	if _, err = one(own(abitest.Get(0), abitest.Call(process))); stream.CodeOf(err) != stream.GuestStack {
		t.Errorf("without an end: %v", err)
	}
}

// TestAGuestMayNotPassAHostFunctionOffAsItsOwn exports imports under the names
// that the host calls: the host then calls itself, and takes what comes back as
// the answer of a guest.
func TestAGuestMayNotPassAHostFunctionOffAsItsOwn(t *testing.T) {
	i32 := []byte{abitest.I32}
	tests := []struct {
		name             string
		params, results  []byte
		module, function string
		code             stream.Code
	}{
		{abi.ExportDescribe, nil, []byte{abitest.I64}, abi.ModuleWasmill, abi.ImportNow, stream.PluginDescribe},
		{abi.ExportInput, i32, i32, abi.ModuleWASI, "fd_close", stream.GuestOutput}, // EBADF, as an address
		{abi.ExportProcess, i32, i32, abi.ModuleWASI, "fd_close", ""},               // EBADF, where no output is
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &abitest.Asm{}
			a.Export(tt.name, 0, a.Import(tt.module, tt.function, tt.params, tt.results))
			a.Memory(4)
			a.Data(64, []byte(`{"name":"x","kind":"map"}`))
			own := func(name string, params, results, body []byte) {
				if name != tt.name {
					a.Func(name, params, results, nil, body)
				}
			}
			own(abi.ExportMarker, nil, nil, nil)
			own(abi.ExportDescribe, nil, []byte{abitest.I64}, abitest.Const64(64<<32|25))
			own(abi.ExportInput, i32, i32, abitest.Const(1024))
			own(abi.ExportProcess, i32, i32, abitest.Const(8))
			p, err := load(t, newEngine(t), a.Bytes())
			if err == nil {
				tr := mustTransform(t, p, Config{Vertex: "v"})
				out := stream.Output{Batch: (&stream.BatchPool{}).New()}
				err = tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
			}
			if err == nil != (tt.code == "") || err != nil && stream.CodeOf(err) != tt.code {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAGuestCannotReachItsMeter tries the module and the names that metering
// adds.
func TestAGuestCannotReachItsMeter(t *testing.T) {
	imports := abitest.NewGuest(func(a *abitest.Asm) { a.Import("wasmill_meter", "yield", nil, []byte{abitest.I64}) })
	exports := abitest.NewGuest()
	for name, a := range map[string]*abitest.Asm{"wasmill_meter.yield": imports, "wasmill:fuel": exports} {
		process := a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
		if a == exports {
			a.Export(name, 0, process)
		}
		if _, err := load(t, newEngine(t), a.Bytes()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
