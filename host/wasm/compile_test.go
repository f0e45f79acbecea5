package wasm

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestMain makes the test binary compile plugins when it is run as such.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "compile" {
		os.Exit(CompileMain(context.Background(), os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// childEngine compiles in children.
func childEngine(t *testing.T, cache string, timeout time.Duration, memory int64) *Engine {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(t.Context(), cache, CompileLimits{Command: []string{exe, "compile"}, Timeout: timeout, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// bomb is a small plugin that takes wazero minutes to compile.
func bomb() []byte {
	a := abitest.NewGuest()
	ifs := bytes.Repeat([]byte{0x20, 0, 0x04, 0x40, 0x41, 1, 0x21, 0, abitest.End}, 50_000) // if x { x = 1 }
	a.Func("", []byte{abitest.I32}, nil, nil, ifs)
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	return a.Bytes()
}

func TestACompileBombCostsAChild(t *testing.T) {
	e := childEngine(t, t.TempDir(), 700*time.Millisecond, 1<<30)
	_, err := e.Load(t.Context(), writeModule(t, bomb()), DefaultLimits())
	if stream.CodeOf(err) != stream.PluginCompile || !strings.Contains(err.Error(), "compile.timeout") {
		t.Errorf("got %v", err)
	}
	e = childEngine(t, t.TempDir(), time.Minute, 16<<20)
	_, err = e.Load(t.Context(), writeModule(t, bomb()), DefaultLimits())
	if stream.CodeOf(err) != stream.PluginCompile || !strings.Contains(err.Error(), "compile.memory") {
		t.Errorf("got %v", err)
	}
}

func TestAChildCompilesIntoTheCacheOnce(t *testing.T) {
	cache := t.TempDir()
	e := childEngine(t, cache, time.Minute, 1<<30)
	p, err := e.Load(t.Context(), writeModule(t, abitest.Identity()), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if marks, err := filepath.Glob(filepath.Join(cache, "wasm", "*.ok")); err != nil || len(marks) != 1 {
		t.Errorf("marks %v, %v", marks, err)
	}
	again := childEngine(t, cache, time.Minute, 1<<30)
	again.compile.Command = []string{filepath.Join(cache, "no-such-program")}
	if p, err = again.Load(t.Context(), writeModule(t, abitest.Identity()), DefaultLimits()); err != nil {
		t.Fatalf("from the cache: %v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = again.Load(t.Context(), writeModule(t, startTraps()), DefaultLimits())
	if stream.CodeOf(err) != stream.PluginCompile || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("got %v", err)
	}
}

func TestAChildSaysWhyAModuleIsInvalid(t *testing.T) {
	e := childEngine(t, t.TempDir(), time.Minute, 1<<30)
	_, err := e.Load(t.Context(), writeModule(t, invalidBody()), DefaultLimits())
	if stream.CodeOf(err) != stream.PluginInvalid || !strings.Contains(err.Error(), "cannot use i64 as result") {
		t.Errorf("got %v", err)
	}
}
