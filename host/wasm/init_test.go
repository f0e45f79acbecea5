package wasm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// Imports of the guests that start.
const (
	importExit = iota
	importLog
	importRandom
)

// starting is a guest that does something when an instance starts: in its start
// section, or in _initialize.
func starting(section bool, body ...[]byte) []byte {
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasi_snapshot_preview1", "proc_exit", []byte{abitest.I32}, nil)
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
		a.Import("wasmill", "random", []byte{abitest.I32, abitest.I32}, nil)
	})
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	if section {
		a.Start(a.Func("", nil, nil, nil, body...))
	} else {
		a.Func(abi.ExportInitialize, nil, nil, nil, body...)
	}
	return a.Bytes()
}

// TestAGuestThatFailsToStartIsRefused has each way of failing in the start
// section and in _initialize, where nobody has configured the guest yet.
func TestAGuestThatFailsToStartIsRefused(t *testing.T) {
	op, c, seq := abitest.Op, abitest.Const, func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	const self = 7                                                                                             // the function that starts: after three imports, three of NewGuest and wasmill_process
	grow := seq(abitest.Loop(), c(16), abitest.MemoryGrow(), c(0), op(0x4e), abitest.BrIf(0), op(abitest.End)) // while memory.grow ≥ 0
	tests := []struct {
		name  string
		body  []byte
		codes []stream.Code // the second may come later, from an instance that was closed
		want  string
	}{
		{"a trap", op(abitest.Unreachable), []stream.Code{stream.PluginStart}, "unreachable"},
		{"an endless loop", seq(abitest.Loop(), abitest.Br(0), op(abitest.End)), []stream.Code{stream.GuestDeadline}, "callDeadline"},
		{"recursion without end", abitest.Call(self), []stream.Code{stream.GuestStack}, "limits.stack"},
		{"an exit with success", seq(c(0), abitest.Call(importExit)), []stream.Code{stream.PluginStart}, "failed while it started: it exited with code 0"},
		{"an exit with failure", seq(c(3), abitest.Call(importExit)), []stream.Code{stream.PluginStart}, "exited with code 3"},
		{"memory up to the limit, and a trap", seq(grow, c(0), c(1), c(64<<20), abitest.MemoryFill(), op(abitest.Unreachable)), []stream.Code{stream.PluginStart}, "unreachable"},
		{"memory one byte past the limit", seq(grow, c(0), c(1), c(64<<20+1), abitest.MemoryFill()), []stream.Code{stream.PluginStart}, "out of bounds memory access"},
		{"a log line outside of memory", seq(c(0), c(-8), c(100), abitest.Call(importLog)), []stream.Code{stream.PluginStart}, "wasmill.log"},
		{"random bytes outside of memory", seq(c(8), c(-1), abitest.Call(importRandom)), []stream.Code{stream.PluginStart}, "wasmill.random"},
	}
	e := newEngine(t)
	for _, tt := range tests {
		for _, section := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, section %v", tt.name, section), func(t *testing.T) {
				limits := DefaultLimits()
				if tt.codes[0] == stream.GuestDeadline {
					limits.CallDeadline = 50 * time.Millisecond
				}
				_, err := e.Load(t.Context(), writeModule(t, starting(section, tt.body)), limits)
				if !slices.Contains(tt.codes, stream.CodeOf(err)) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s with …%s…", err, tt.codes, tt.want)
				}
			})
		}
	}
	mustTransform(t, mustLoad(t, e, abitest.Identity()), Config{Vertex: "v"}) // the engine is as good as before
}

// TestAGuestMayLogWhenItStarts loads one that does, before a vertex has granted
// anything. Without the grant no vertex gets it.
func TestAGuestMayLogWhenItStarts(t *testing.T) {
	for _, section := range []bool{true, false} {
		p := mustLoad(t, newEngine(t), starting(section, abitest.Const(2), abitest.Const(64), abitest.Const(4), abitest.Call(importLog)))
		var said []string
		c := Config{Vertex: "v", Instances: 1, Events: stream.Events{GuestLog: func(_ stream.VertexID, _ stream.GuestLevel, line string) { said = append(said, line) }}}
		if _, err := p.Transform(t.Context(), c); stream.CodeOf(err) != stream.PluginCapability || said != nil {
			t.Errorf("without a grant: %v, it logged %q", err, said)
		}
		c.Grant = p.Wants
		mustTransform(t, p, c)
		if len(said) != 1 {
			t.Errorf("with a grant it logged %q", said)
		}
	}
}

// TestAGoGuestThatPanicsInInitIsRefused shows what its runtime printed.
func TestAGoGuestThatPanicsInInitIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a Go guest")
	}
	_, err := load(t, newEngine(t), buildGuest(t, "hostile", "refuse"))
	if stream.CodeOf(err) != stream.PluginStart || !strings.Contains(err.Error(), "not on this machine") {
		t.Errorf("got %v", err)
	}
}
