package control

import (
	"fmt"
	"os"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// smallPlugin is the size of a file that is not counted.
const smallPlugin = 8 * config.MiB

// checkMemory refuses a pipeline whose guests, all running and each with as
// much memory as it may have, would need more than the budget. What a plugin's
// file has beyond smallPlugin counts too, once for each vertex: compiled
// plugins keep their data segments, whatever they are.
func (b *build) checkMemory() {
	if b.Budget <= 0 {
		return
	}
	var total, most config.Bytes
	largest := 0
	for i, v := range b.config.Vertices {
		if v.UDF == nil {
			continue
		}
		need := perInstance(&v)*config.Bytes(guestsOf(&v)) + max(0, b.fileSize(v.UDF.Plugin)-smallPlugin)
		if total += need; need > most {
			most, largest = need, i
		}
	}
	if total <= b.Budget {
		return
	}
	v := &b.config.Vertices[largest]
	setting, also := "concurrency", ""
	switch {
	case v.State.Memory:
		setting, also = "partitions", " with a copy and a journal of each"
	case v.Scale != nil && b.config.Says(fmt.Sprintf("vertices[%d].scale.max", largest)):
		setting = "scale.max"
	}
	b.errs = append(b.errs, &stream.Error{
		Code: stream.ConfigValue, Where: b.config.Where(fmt.Sprintf("vertices[%d].%s", largest, setting)),
		Why: fmt.Sprintf("guests may need %d MiB in all, the budget is %d MiB; most is for %s: %d × %d MiB%s, and a plugin of %d MiB",
			total>>20, b.Budget>>20, v.Name, guestsOf(v), perInstance(v)>>20, also, b.fileSize(v.UDF.Plugin)>>20),
		Fix: fmt.Sprintf("lower limits.memory to what its plugin needs (wasmill plugin inspect), lower %s, or raise memory.budget of the process", setting),
	})
}

// guestsOf returns how many guests a vertex may have at once.
func guestsOf(v *config.Vertex) int {
	if v.Scale != nil {
		return v.Scale.Max
	}
	return max(1, v.Concurrency.Max)
}

// perInstance returns the memory that a guest of a vertex may need. One whose memory
// is the state has a copy of it, and a journal of what came since.
func perInstance(v *config.Vertex) config.Bytes {
	if v.State.Memory {
		return 2*v.UDF.Limits.Memory + wasm.JournalBytes
	}
	return v.UDF.Limits.Memory
}

// fileSize returns the size of a plugin, 0 if there is none.
func (b *build) fileSize(name string) config.Bytes {
	path, err := wasm.File(b.PluginsDir, name)
	if err != nil || b.Native[name] != nil {
		return 0
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return config.Bytes(info.Size())
}

// Budget returns the memory that guests may have by the settings of the
// process; 0 = no limit is known.
func Budget(m config.Memory) config.Bytes {
	if m.Budget > 0 {
		return m.Budget
	}
	return config.Bytes(machineMemory() / 2)
}
