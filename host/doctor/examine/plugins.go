package examine

import (
	"context"
	"path/filepath"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// plugins loads all of the plugins folder. Whether compiled ones are kept it tells the cache.
func plugins(ctx context.Context, s *config.Process, o host.Options, cache *doctor.Cache) *doctor.Plugins {
	p := &doctor.Plugins{Folder: folder(s.Plugins.Dir), Lock: s.Plugins.Lock, Keys: len(s.Plugins.Trust)}
	admission, err := host.Admission(s)
	p.Faults = faultsOf(err)
	names, err := wasm.Names(s.Plugins.Dir)
	if err != nil || len(names) == 0 {
		return p // the folder says why
	}
	engine, err := host.NewEngine(ctx, s, o)
	if err != nil {
		cache.Faults = faultsOf(err)
		return p
	}
	defer engine.Close(context.WithoutCancel(ctx))
	cache.Faults = faultsOf(engine.Uncached)
	cache.Folder = folder(s.Cache.Dir) // which it has made
	engine.Require(admission)
	for _, name := range names {
		one := doctor.Plugin{Path: filepath.Join(s.Plugins.Dir, name+wasm.Ext)}
		loaded, err := engine.Load(ctx, one.Path, wasm.DefaultLimits())
		if err == nil {
			d := loaded.Description
			one.Name, one.Version, one.Kind = d.Name, d.Version, string(d.Kind)
			err = loaded.Close(context.WithoutCancel(ctx))
		}
		one.Faults = placed(faultsOf(err), one.Path)
		p.All = append(p.All, one)
	}
	return p
}

// pipelines opens each file by itself, and tries the stores of those that are valid.
func pipelines(ctx context.Context, s *config.Process, o host.Options) (p *doctor.Pipelines, stores []doctor.Store) {
	p = &doctor.Pipelines{}
	files := o.Files
	if len(files) == 0 {
		p.Folder = folder(s.Pipelines.Dir)
		if p.State == doctor.There {
			files, _ = host.PipelineFiles(s.Pipelines.Dir) // the folder was read just now
		}
	}
	for _, file := range files {
		one := doctor.Pipeline{File: file}
		o.Files = []string{file}
		h, err := host.Open(ctx, o)
		if err == nil {
			opened := h.Pipelines()[0]
			one.Name, one.Vertices = opened.Name, len(opened.Config.Vertices)
			if store, ok := tried(ctx, h, opened); ok {
				stores = append(stores, store)
			}
			err = h.Close(context.WithoutCancel(ctx))
		}
		one.Faults = faultsOf(err)
		p.All = append(p.All, one)
	}
	return p, stores
}

func tried(ctx context.Context, h *host.Host, p *host.Pipeline) (doctor.Store, bool) {
	t, ok, err := h.TryStore(ctx, p)
	if !ok {
		return doctor.Store{}, false
	}
	return doctor.Store{Pipeline: p.Name, Storage: p.Config.Checkpoint.Storage.String(), Folder: t.Folder, Kept: t.Kept, Faults: faultsOf(err), Ahead: t.Ahead}, true
}

// placed gives errors a place that have none.
func placed(all []*stream.Error, where string) []*stream.Error {
	for i, e := range all {
		if e.Where == "" {
			at := *e
			at.Where = where
			all[i] = &at
		}
	}
	return all
}
