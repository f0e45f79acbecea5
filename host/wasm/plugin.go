package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// Plugin is one compiled module. Its exported fields do not change.
type Plugin struct {
	Path        string
	Hash        string // SHA-256 of the file, hex
	Size        int    // of the file, bytes
	Description abi.Description
	Module      *binary.Module   // without Sections
	Wants       []abi.Capability // what its imports and description ask for
	CompileTime time.Duration    // with the cache's help
	Metered     *meter.Result    // without Module; nil = not metered

	engine   *Engine
	limits   Limits
	globals  []string // exports that are its variables outside memory; once there are Partitions
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// Load reads, checks and compiles a plugin, and asks it for its description.
// The error tells everything that is wrong with the file.
func (e *Engine) Load(ctx context.Context, path string, limits Limits) (*Plugin, error) {
	data, err := readFile(path, limits.PluginBytes)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := e.Admits(path, hash); err != nil {
		return nil, err
	}
	m, err := decode(path, data)
	if err != nil {
		return nil, err
	}
	if err := checkContract(path, m, &limits, e.hasWASI); err != nil {
		return nil, err
	}
	metered := (*meter.Result)(nil)
	if !limits.Unmetered {
		if metered, err = rewrite(path, m, limits); err != nil {
			return nil, err
		}
	}
	p := &Plugin{Path: path, Hash: hash, Size: len(data), Module: m, Wants: capabilities(m), Metered: metered, engine: e, limits: limits}
	if err := e.admit(p); err != nil {
		return nil, err
	}
	m.Sections = nil // a plugin does not keep its file
	if metered != nil {
		data, metered.Module = metered.Module, nil
	}
	if err := p.compile(ctx, e, data); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	err = p.describe(ctx)
	if err == nil {
		err = checkKind(path, m, p.Description.Kind)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

// rewrite meters a module.
func rewrite(path string, m *binary.Module, limits Limits) (*meter.Result, error) {
	r, err := meter.Rewrite(m, meter.Limits{MemoryPages: uint64(limits.Memory / PageSize), TableElements: limits.TableElements, Stack: limits.Stack})
	if err == nil {
		return r, nil
	}
	return nil, damaged(path, "does not validate", err)
}

// damaged is the error of a module that does not decode or validate, or uses
// what is not supported.
func damaged(path, why string, err error) error {
	e := &stream.Error{Code: stream.PluginInvalid, Where: path, Why: why, Err: err, Fix: "copy or build it again"}
	if unsupported := binary.Unsupported(""); errors.As(err, &unsupported) {
		e.Why, e.Err = unsupported.Error(), nil
		e.Fix = "build for WebAssembly 2.0: no threads, exceptions, memory64, GC or relaxed SIMD"
	}
	return e
}

// compile builds the module in a runtime of its own, which carries the memory
// limit.
func (p *Plugin) compile(ctx context.Context, e *Engine, data []byte) error {
	pages := uint32(p.limits.Memory / PageSize)
	p.runtime = wazero.NewRuntimeWithConfig(ctx, runtimeConfig(e.cache, pages))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		return fmt.Errorf("instantiate WASI: %w", err)
	}
	if err := errors.Join(instantiateHost(ctx, p.runtime), instantiateMeter(ctx, p.runtime)); err != nil {
		return err
	}
	start := time.Now()
	hash := sha256.Sum256(data)
	err := e.precompile(ctx, p.Path, data, hex.EncodeToString(hash[:]), pages)
	if err != nil {
		return err
	}
	p.compiled, err = p.runtime.CompileModule(ctx, data)
	p.CompileTime = time.Since(start)
	if err != nil {
		return invalid(p.Path, err.Error())
	}
	return nil
}

// harmless is what a plugin may do before a vertex grants it anything: what it
// logs then goes nowhere.
var harmless = []abi.Capability{abi.CapabilityLog, abi.CapabilityClock, abi.CapabilityRandom}

// describe asks a first instance what the plugin is.
func (p *Plugin) describe(ctx context.Context) error {
	i, err := p.instantiate(ctx, &vertex{Config: Config{Grant: harmless}})
	if err != nil {
		return err
	}
	defer i.close(ctx)
	p.Description, err = i.describe()
	if err != nil {
		return err
	}
	for _, w := range p.Description.Wants {
		if !slices.Contains(p.Wants, w) {
			p.Wants = append(p.Wants, w)
		}
	}
	return nil
}

// Close frees the compiled code, after all transforms of the plugin are closed.
func (p *Plugin) Close(ctx context.Context) error {
	if p.runtime == nil {
		return nil
	}
	return p.runtime.Close(ctx)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
