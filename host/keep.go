package host

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/wasm"
)

// Archive holds the versions of plugins that a process with these settings keeps.
func Archive(s *config.Process) wasm.Archive {
	return wasm.Archive{Dir: filepath.Join(s.Data.Dir, pluginsFolder), Keep: s.Plugins.Keep}
}

// keep keeps the versions of plugins that begin to serve in a pipeline, which serve now and
// did not before: hashes by name. What goes wrong with that is told, and costs nothing else.
func (h *Host) keep(pipeline string, before, now map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if before[name] == now[name] {
			continue
		}
		file, err := wasm.File(h.Settings.Plugins.Dir, name)
		if err == nil {
			err = Archive(h.Settings).Serves(strings.TrimSuffix(name, wasm.Ext), now[name], file)
		}
		if e := h.eventsOf(pipeline); err != nil && e.ConfigNotice != nil {
			e.ConfigNotice(err.Error())
		}
	}
}
