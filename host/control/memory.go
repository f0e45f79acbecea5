package control

import (
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// checkMemory refuses a pipeline whose guests, all running and each with as
// much memory as it may have, would need more than the budget.
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
		need := v.UDF.Limits.Memory * config.Bytes(v.Concurrency)
		if total += need; need > most {
			most, largest = need, i
		}
	}
	if total <= b.Budget {
		return
	}
	v := &b.config.Vertices[largest]
	b.errs = append(b.errs, &stream.Error{
		Code: stream.ConfigValue, Where: b.config.Where(fmt.Sprintf("vertices[%d].concurrency", largest)),
		Why: fmt.Sprintf("guests may need %d MiB in all, the budget is %d MiB; most is for %s: %d × %d MiB",
			total>>20, b.Budget>>20, v.Name, v.Concurrency, v.UDF.Limits.Memory>>20),
		Fix: "lower limits.memory to what its plugin needs (wasmill plugin inspect), lower concurrency, or raise memory.budget of the process",
	})
}

// Budget returns the memory that guests may have by the settings of the
// process; 0 = no limit is known.
func Budget(m config.Memory) config.Bytes {
	if m.Budget > 0 {
		return m.Budget
	}
	return config.Bytes(machineMemory() / 2)
}
