package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// inspect runs plugin inspect with --json.
func (w *workshop) inspect(args ...string) (i inspection) {
	w.Helper()
	exit, out, text := w.wasmill(append([]string{"plugin", "inspect", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &i); err != nil || exit != 0 {
		w.Fatalf("%v: exit %d, %v: %s%s", args, exit, err, out, text)
	}
	return i
}

func TestInspectMeasuresASample(t *testing.T) {
	w := newWorkshop(t)
	i := w.inspect("identity")
	if c := i.Sample; c == nil || c.Records != 1000 || c.RecordsOut != 1000 || c.BytesOut < 50_000 || c.NSPerRecord <= 0 || c.FuelPerRecord < 10 || c.Rounds < 5 || c.Errors != 0 {
		t.Errorf("built-in sample: %+v", c)
	}
	if i.CompileMS <= 0 || i.Metered.CompileMS <= 0 || i.Memory.Limit != 64<<20 || !slices.Contains(i.Exports, "wasmill_process (i32) -> (i32)") {
		t.Errorf("got %+v", i)
	}
	w.write("own.txt", "a\nbc\n"+strings.Repeat("def\n", 2998))
	if c := w.inspect("identity", "--sample", "own.txt").Sample; c == nil || c.Records != 3000 || c.RecordsOut != 3000 || c.BytesOut != 3+3*2998 {
		t.Errorf("own sample: %+v", c)
	}
	again := w.inspect("identity")
	if again.Sample.FuelPerRecord != i.Sample.FuelPerRecord {
		t.Errorf("fuel per record %v, then %v", i.Sample.FuelPerRecord, again.Sample.FuelPerRecord)
	}
	if exit, out, _ := w.wasmill("plugin", "inspect", "identity"); exit != 0 || !strings.Contains(out, "a record costs") || !strings.Contains(out, "limited to 64 MiB") {
		t.Errorf("exit %d: %s", exit, out)
	}
	w.write("empty.txt", "")
	for _, args := range [][]string{{"--sample", "none.txt"}, {"--sample", "empty.txt"}, {"--params", "7"}} {
		if exit, _, _ := w.wasmill(append([]string{"plugin", "inspect", "identity"}, args...)...); exit == 0 {
			t.Errorf("%v: exit %d", args, exit)
		}
	}
}

func TestInspectShowsWhatIsGranted(t *testing.T) {
	w := newWorkshop(t)
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
		a.Import("wasmill", "now", nil, []byte{abitest.I64})
		a.Import("wasi_snapshot_preview1", "sched_yield", nil, []byte{abitest.I32})
	})
	a.Data(8, make([]byte, 16))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(2), abitest.Const(8), abitest.Const(1), abitest.Call(0), abitest.Const(8))
	w.write("plugins/wants.wasm", string(a.Bytes()))
	i := w.inspect("wants")
	if len(i.Wants) != 2 || i.Denied != nil || i.Sample == nil || i.SampleError != "" {
		t.Errorf("granted all: %+v", i)
	}
	i = w.inspect("wants", "--grant", "log")
	want := []imported{{"wasi_snapshot_preview1.sched_yield", "", true}, {"wasmill.log", abi.CapabilityLog, true}, {"wasmill.now", abi.CapabilityClock, false}}
	if !slices.Equal(i.Imports, want) || !slices.Equal(i.Denied, []abi.Capability{abi.CapabilityClock}) || i.Sample != nil || !strings.Contains(i.SampleError, "plugin-capability") {
		t.Errorf("granted log: %+v", i)
	}
	exit, out, _ := w.wasmill("plugin", "inspect", "wants", "--grant", "log")
	if exit != 0 || !strings.Contains(out, "clock (grant it in the vertex by udf: {grant: [log, clock]})") || !strings.Contains(out, "wasmill.now (clock: denied)") {
		t.Errorf("exit %d: %s", exit, out)
	}
}

func TestInspectToldOfATrapShowsTheRest(t *testing.T) {
	w := newWorkshop(t)
	a := abitest.NewGuest()
	process := a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Op(abitest.Unreachable))
	a.Export("\x1b[31mred", 0, process)
	w.write("plugins/traps.wasm", string(a.Bytes()))
	if i := w.inspect("traps"); i.Sample != nil || !strings.Contains(i.SampleError, "unreachable") || i.Metered.Bytes <= i.Bytes {
		t.Errorf("got %+v", i)
	}
	exit, out, _ := w.wasmill("plugin", "inspect", "traps")
	if exit != 0 || !strings.Contains(out, "The sample did not get through: call 1 of 1: sample, plugin abitest: the plugin trapped") || strings.ContainsRune(out, '\x1b') {
		t.Errorf("exit %d: %q", exit, out)
	}
}
