package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/tetratelabs/wazero"
)

// CompileTimes returns how long it takes to compile the plugin as it is and
// metered, without the cache; the second is 0 if it is not metered. Where
// compiling is fast they are medians of a few tries.
func (p *Plugin) CompileTimes(ctx context.Context) (plain, metered time.Duration, err error) {
	data, err := readFile(p.Path, p.limits.PluginBytes)
	if err != nil {
		return 0, 0, err
	}
	if hash := sha256.Sum256(data); hex.EncodeToString(hash[:]) != p.Hash {
		return 0, 0, Changed(p.Path)
	}
	modules := [][]byte{data}
	if p.Metered != nil {
		m, err := decode(p.Path, data)
		if err != nil {
			return 0, 0, err
		}
		r, err := rewrite(p.Path, m, p.limits)
		if err != nil {
			return 0, 0, err
		}
		modules = append(modules, r.Module)
	}
	var times [2][]float64
	for range sampleRounds {
		for k, module := range modules {
			took, err := p.compileOnce(ctx, module)
			if err != nil {
				return 0, 0, err
			}
			times[k] = append(times[k], float64(took))
		}
		if times[0][0] > float64(sampleTime)/sampleRounds {
			break
		}
	}
	return time.Duration(median(times[0])), time.Duration(median(times[1])), nil
}

// compileOnce compiles in this process: that the module takes no more than it
// may is known since it was loaded.
func (p *Plugin) compileOnce(ctx context.Context, module []byte) (took time.Duration, err error) {
	cache := wazero.NewCompilationCache()
	r := wazero.NewRuntimeWithConfig(ctx, runtimeConfig(cache, uint32(p.limits.Memory/PageSize)))
	defer func() { err = errors.Join(err, r.Close(ctx), cache.Close(ctx)) }()
	start := time.Now()
	_, err = r.CompileModule(ctx, module)
	return time.Since(start), err
}
