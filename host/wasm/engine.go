package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"golang.org/x/sync/singleflight"

	"github.com/wasmill/wasmill/host/stream"
)

// Engine compiles plugins, through a cache on disk that processes share.
type Engine struct {
	Uncached error // why there is no cache on disk; nil = there is one
	compile  CompileLimits
	dir      string
	flights  singleflight.Group // compilations in children, by hash
	cache    wazero.CompilationCache
	wasi     map[string]api.FunctionDefinition // what WASI offers

	admission Admission // set before the first Load

	metered, unmetered turns   // of guests
	breath             *breath // nil = not watched
}

// NewEngine opens the cache in a folder, which it creates. The folder holds
// native code: only its owner may write there. Where it cannot be created, or
// nobody can write to it, the cache is in memory. What processes left that were
// watched (see Watch) and died puts plugins into quarantine.
func NewEngine(ctx context.Context, cacheDir string, compile CompileLimits) (*Engine, error) {
	dir := filepath.Join(cacheDir, "wasm")
	fail := func(why string, err error) error {
		return &stream.Error{
			Code: stream.Environment, Where: dir, Why: why, Err: err,
			Fix: "set cache.dir (WASMILL_CACHE_DIR) to a folder that only you can write",
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return newUncached(ctx, fail("the cache of compiled plugins cannot be created", err))
	}
	if readOnly(dir) {
		return newUncached(ctx, fail("the cache of compiled plugins is on a file system that is mounted read-only", nil))
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fail("the cache of compiled plugins cannot be examined", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fail(fmt.Sprintf("the cache of compiled plugins can be written by others (%v)", info.Mode().Perm()), nil)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fail("the cache of compiled plugins cannot be opened", err)
	}
	e := &Engine{cache: cache, dir: dir, compile: compile}
	e.Bound(0)
	if err := e.inquire(); err != nil {
		return nil, fail("what earlier processes left cannot be examined", err)
	}
	return e, e.listWASI(ctx)
}

// newUncached opens a cache in memory, for the reason that there is none on disk.
func newUncached(ctx context.Context, why error) (*Engine, error) {
	e := &Engine{cache: wazero.NewCompilationCache(), Uncached: why}
	e.Bound(0)
	return e, e.listWASI(ctx)
}

func (e *Engine) listWASI(ctx context.Context) error {
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	m, err := wasi_snapshot_preview1.NewBuilder(r).Compile(ctx)
	if err != nil {
		return fmt.Errorf("compile WASI: %w", err)
	}
	e.wasi = m.ExportedFunctions()
	return nil
}

func (e *Engine) hasWASI(name string) bool {
	_, ok := e.wasi[name]
	return ok
}

// Close frees the cache in memory, after the last plugin is closed.
func (e *Engine) Close(ctx context.Context) error {
	return errors.Join(e.cache.Close(ctx), e.unwatch())
}
