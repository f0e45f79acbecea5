package wasm

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestTheSuiteGivesEachCallItsOwnDeadline drives an instance by hand for longer
// than one call may take.
func TestTheSuiteGivesEachCallItsOwnDeadline(t *testing.T) {
	limits := DefaultLimits()
	limits.CallDeadline = 200 * time.Millisecond
	p := mustLoadLimited(t, newEngine(t), abitest.Identity(), limits)
	i, err := p.instantiate(t.Context(), &vertex{Config: Config{Tags: stream.NewTagTable()}})
	if err != nil {
		t.Fatal(err)
	}
	g := guest{i}
	i.clock.epoch = i.clock.epoch.Add(-time.Hour) // as if it had started long ago
	i.clock.fuel.Set(0)                           // so that it yields at once
	if _, err := g.Process(arena(t, g), abitest.NewState()); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// arena returns the address of a frame with one empty record.
func arena(t *testing.T, g guest) uint32 {
	t.Helper()
	addr, err := g.Input(abi.HeaderSize + abi.InSize)
	if err != nil {
		t.Fatal(err)
	}
	header := abi.Header{Count: 1, Records: addr + abi.HeaderSize}
	header.Put((*[abi.HeaderSize]byte)(g.Memory()[addr:]))
	return addr
}

func TestTheDeadlineOfACallGrowsWithItsRecords(t *testing.T) {
	l := Limits{CallDeadline: time.Second}
	if got := l.deadline(7); got != time.Second {
		t.Errorf("without a deadline per record: %v", got)
	}
	l.RecordDeadline = 10 * time.Millisecond
	if got := l.deadline(7); got != 70*time.Millisecond {
		t.Errorf("7 records: %v", got)
	}
	if got := l.deadline(1000); got != time.Second {
		t.Errorf("1000 records: %v", got)
	}
}

func TestAnEngineWithoutAFolderCompilesAllTheSame(t *testing.T) {
	file := writeModule(t, nil)
	e, err := NewEngine(t.Context(), file, CompileLimits{}) // below a file nothing can be created
	if err != nil || stream.CodeOf(e.Uncached) != stream.Environment {
		t.Fatalf("got %v, uncached because of %v", err, e.Uncached)
	}
	mustLoad(t, e, abitest.Identity())
}

func TestFuelEndsACallAtTheSameInstruction(t *testing.T) {
	limits := DefaultLimits()
	limits.Fuel = 3_000_000
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	count := []byte{0x41, 0, 0x28, 0, 0xc0, 0x00} // i32.load 64
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Loop(), abitest.Const(0), count, abitest.Const(1), abitest.Op(abitest.Add), abitest.Store(64), abitest.Br(0), abitest.Op(abitest.End), abitest.Const(8))
	p := mustLoadLimited(t, newEngine(t), a.Bytes(), limits)
	grant := []abi.Capability{abi.CapabilityLog}
	var counts []uint32
	for range 5 {
		i, err := p.instantiate(t.Context(), &vertex{Config: Config{Grant: grant, Tags: stream.NewTagTable()}})
		if err != nil {
			t.Fatal(err)
		}
		i.clock.slice = int64(10_000 * (1 + len(counts)*37)) // slices fall differently
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := i.call(t.Context(), nil, batchOf([]abitest.Record{{Value: "x"}}), &out); stream.CodeOf(err) != stream.GuestFuel {
			t.Fatalf("got %v", err)
		}
		n, _ := i.memory.ReadUint32Le(64)
		counts = append(counts, n)
		if err := i.close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if slices.Min(counts) != slices.Max(counts) || counts[0] < 100_000 {
		t.Errorf("rounds %d", counts)
	}
}

func TestAFloodOfHostCallsAndLinesIsStopped(t *testing.T) {
	limits := DefaultLimits()
	limits.HostCalls = 1000
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Loop(), abitest.Const(1), abitest.Const(0), abitest.Const(9), abitest.Call(0), abitest.Br(0), abitest.Op(abitest.End), abitest.Const(8))
	p := mustLoadLimited(t, newEngine(t), a.Bytes(), limits)
	var lines []string
	tr, err := p.Transform(t.Context(), Config{
		Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}, Instances: 1, Tags: stream.NewTagTable(),
		Events: stream.Events{GuestLog: func(_ stream.VertexID, _ stream.GuestLevel, text string) { lines = append(lines, text) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	err = tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
	if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), "limits.hostCalls") {
		t.Errorf("got %v", err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if len(lines) != limits.LogLines+1 || !strings.HasPrefix(lines[len(lines)-1], "900 lines more than 100 per second") {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// hostile are bodies of wasmill_process that never return, or not for long.
// Local 0 is the frame; 1 and 2 are free.
func hostile() map[string][]byte {
	op, c := abitest.Op, abitest.Const
	seq := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	process := func(build func(a *abitest.Asm) []byte) []byte {
		a := abitest.NewGuest()
		body := build(a)
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32, abitest.I32}, body, c(8))
		return a.Bytes()
	}
	forever := func(body ...[]byte) []byte {
		return seq(abitest.Loop(), seq(body...), abitest.Br(0), op(abitest.End))
	}
	return map[string][]byte{
		"an empty loop": process(func(*abitest.Asm) []byte { return forever() }),
		"a call tree without loops": process(func(a *abitest.Asm) []byte {
			callee := a.Func("", nil, nil, nil)
			for range 60 { // each function calls the one before twice: 2^60 calls
				callee = a.Func("", nil, nil, nil, abitest.Call(callee), abitest.Call(callee))
			}
			return abitest.Call(callee)
		}),
		"a loop of large fills": process(func(*abitest.Asm) []byte {
			return forever(c(0x10000), c(0), c(0x3f0000), abitest.MemoryFill())
		}),
		"a loop of large copies": process(func(*abitest.Asm) []byte {
			return forever(c(0x10000), c(0x20000), c(0x3e0000), abitest.MemoryCopy())
		}),
		"a storm of br_table": process(func(*abitest.Asm) []byte {
			return forever(abitest.Block(), abitest.Block(), abitest.Get(1), op(0x0e, 2, 0, 1, 1), op(abitest.End, abitest.End),
				abitest.Get(1), c(1), op(abitest.Add), abitest.Set(1))
		}),
		"growth in a loop": process(func(*abitest.Asm) []byte { return forever(c(1), abitest.MemoryGrow(), op(abitest.Drop)) }),
		"a loop of calls through a table": process(func(a *abitest.Asm) []byte {
			leaf := a.Func("", nil, nil, nil)
			a.Table(leaf)
			return forever(c(0), op(0x11, 0, 0)) // call_indirect of type 0, () -> ()
		}),
		"a loop of host calls": func() []byte {
			a := abitest.NewGuest(func(a *abitest.Asm) { a.Import("wasi_snapshot_preview1", "sched_yield", nil, []byte{abitest.I32}) })
			a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, forever(abitest.Call(0), op(abitest.Drop)), c(8))
			return a.Bytes()
		}(),
	}
}

func TestAGuestThatDoesNotReturnIsEndedAtItsDeadline(t *testing.T) {
	e := newEngine(t)
	limits := DefaultLimits()
	limits.CallDeadline = 50 * time.Millisecond
	for name, module := range hostile() {
		t.Run(name, func(t *testing.T) {
			p := mustLoadLimited(t, e, module, limits)
			tr := mustTransform(t, p, Config{Vertex: "v"})
			for range 2 { // the second time with a new instance
				in, out := batchOf([]abitest.Record{{Value: "x"}}), stream.Output{Batch: (&stream.BatchPool{}).New()}
				err := tr.Call(t.Context(), in, &out)
				if stream.CodeOf(err) != stream.GuestDeadline || !strings.Contains(err.Error(), "callDeadline") {
					t.Fatalf("got %v, want the end of the deadline", err)
				}
			}
		})
	}
}

func mustLoadLimited(t testing.TB, e *Engine, module []byte, limits Limits) *Plugin {
	t.Helper()
	p, err := e.Load(t.Context(), writeModule(t, module), limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestACallEndsWhenItsContextDoes(t *testing.T) {
	tr := mustTransform(t, mustLoad(t, newEngine(t), hostile()["an empty loop"]), Config{Vertex: "v"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	err := tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out)
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestAGuestThatStartsForeverIsEnded(t *testing.T) {
	limits := DefaultLimits()
	limits.CallDeadline = 50 * time.Millisecond
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	start := a.Func("", nil, nil, nil, abitest.Loop(), abitest.Br(0), abitest.Op(abitest.End))
	a.Start(start)
	_, err := newEngine(t).Load(t.Context(), writeModule(t, a.Bytes()), limits)
	if stream.CodeOf(err) != stream.GuestDeadline {
		t.Errorf("got %v", err)
	}
}

func TestRecursionWithoutEndIsNamed(t *testing.T) {
	a := abitest.NewGuest()
	f := uint32(3) // its own index
	a.Func("", nil, nil, nil, abitest.Call(f))
	process := a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Call(f), abitest.Const(8))
	names := []byte{1, 13, 2, byte(f), 4, 'd', 'o', 'w', 'n', byte(process), 4, 'm', 'a', 'i', 'n'} // function names
	module := slices.Concat(a.Bytes(), []byte{0, byte(5 + len(names)), 4}, []byte("name"), names)
	e := newEngine(t)
	call := func(change func(*Limits)) (*Transform, error) {
		limits := DefaultLimits()
		change(&limits)
		tr := mustTransform(t, mustLoadLimited(t, e, module, limits), Config{Vertex: "v"})
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		return tr, tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
	}
	tr, err := call(func(*Limits) {})
	if stream.CodeOf(err) != stream.GuestStack || !strings.Contains(err.Error(), "in down ← down") || !strings.Contains(err.Error(), "limits.stack") {
		t.Errorf("got %v", err)
	}
	if s := tr.Stats(); s.Discards[stream.GuestStack] != 1 {
		t.Errorf("counted as %v", s.Discards)
	}
	if _, err := call(func(l *Limits) { l.Unmetered = true }); stream.CodeOf(err) != stream.GuestStack {
		t.Errorf("the runtime's own limit: got %v", err)
	}
}

func TestRecursionWithoutEndIsNamedWhereverItIs(t *testing.T) {
	const down = 3 // calls itself
	for name, build := range map[string]func(a *abitest.Asm){
		"the start function": func(a *abitest.Asm) { a.Start(down) },
		"_initialize":        func(a *abitest.Asm) { a.Func(abi.ExportInitialize, nil, nil, nil, abitest.Call(down)) },
		"wasmill_configure": func(a *abitest.Asm) {
			a.Func(abi.ExportConfigure, []byte{abitest.I32, abitest.I32}, []byte{abitest.I64}, nil, abitest.Call(down), abitest.Const64(0))
		},
	} {
		a := abitest.NewGuest()
		a.Func("", nil, nil, nil, abitest.Call(down))
		build(a)
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
		p, err := newEngine(t).Load(t.Context(), writeModule(t, a.Bytes()), DefaultLimits())
		if err == nil {
			_, err = p.Transform(t.Context(), Config{Vertex: "v", Instances: 1, Tags: stream.NewTagTable()})
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if stream.CodeOf(err) != stream.GuestStack {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOtherGoroutinesRunWhileGuestsSpin(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	tr := mustTransform(t, mustLoad(t, newEngine(t), hostile()["an empty loop"]), Config{Vertex: "v", Instances: 4})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 4)
	for range cap(done) {
		go func() {
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			_ = tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out)
			done <- struct{}{}
		}()
	}
	for range 5 { // without yields the first of these would wait for ever
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	cancel()
	for range cap(done) {
		<-done
	}
}
