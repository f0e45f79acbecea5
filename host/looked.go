package host

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// looked is what is found of the plugins of a pipeline that runs, without loading them.
type looked struct {
	hashes  map[string]string // the SHA-256 of those that can be read, by name, hex
	fresh   []string          // whose files have another content than what runs
	steps   []string          // the same, for people
	missing map[string]error  // that cannot be read: what was loaded of them runs on
}

// inspect looks at the plugin files that a pipeline has loaded and another config of it uses.
// The error is of those that would not be let in as they are now.
func (h *Host) inspect(p *Pipeline, c *config.Pipeline) (found looked, err error) {
	found.hashes, found.missing = make(map[string]string), make(map[string]error)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.plugins)) {
		if !usesPlugin(c, name) {
			continue
		}
		path, err := wasm.File(h.Settings.Plugins.Dir, name)
		if err != nil {
			return found, err
		}
		hash, _, err := wasm.HashOf(path)
		switch code := stream.CodeOf(err); {
		case err == nil && hash != p.plugins[name]:
			found.fresh = append(found.fresh, name)
			found.steps = append(found.steps, fmt.Sprintf("plugin %s: %.12s → %.12s", name, p.plugins[name], hash))
		case err == nil:
			errs = append(errs, h.engine.Admits(path, hash)) // it runs on, and would not start again
		case code == stream.PluginNotFound || code == stream.PluginFile:
			found.missing[name] = err
		default:
			errs = append(errs, err)
		}
		if err == nil {
			found.hashes[name] = hash
		}
	}
	return found, errors.Join(errs...)
}

func usesPlugin(c *config.Pipeline, name string) bool {
	return slices.ContainsFunc(c.Vertices, func(v config.Vertex) bool { return v.UDF != nil && v.UDF.Plugin == name })
}

// moved says whether plugins that were loaded are those that inspect has found. If one is
// not, vertices that were not to change would go on with what was before.
func (h *Host) moved(found looked, loaded map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(loaded)) {
		if hash, ok := found.hashes[name]; ok && hash != loaded[name] {
			path, err := wasm.File(h.Settings.Plugins.Dir, name)
			return errors.Join(err, wasm.Changed(path))
		}
	}
	return nil
}

// miss tells once of each plugin file that cannot be read any more.
func (h *Host) miss(s *seat, p *Pipeline, missing map[string]error) {
	e := h.eventsOf(p.Name)
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if _, told := s.missing[name]; !told && e.ConfigNotice != nil {
			e.ConfigNotice(fmt.Sprintf("plugin %s runs on as it was loaded, and would not start again: %s", name, missing[name]))
		}
	}
	s.missing = missing
}
