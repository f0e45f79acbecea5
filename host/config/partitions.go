package config

import (
	"fmt"
	"reflect"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// stateMemory is how state is written that is the memory of guests.
const stateMemory = "memory"

// maxPartitions bounds the guests of a vertex whose memory is its state.
const maxPartitions = 1024

// state fills a State: the word memory, or its bounds.
func (b *binder) state(p path, in any, out reflect.Value) {
	s := out.Addr().Interface().(*State)
	if text, ok := in.(string); ok {
		if s.Memory = text == stateMemory; !s.Memory {
			b.fault(p, stream.ConfigValue, fmt.Sprintf("there is no state %q", shorten(text)), "write state: memory, or state: {maxBytes: …, groups: …} for state by key")
		}
		return
	}
	b.fields(p, in, out)
}

// partitioned checks a vertex whose state is the memory of its guests, and gives it
// a call at a time for each of them.
func (b *binder) partitioned(p path, v *Vertex, keys map[string]any) {
	within(b, p.key("partitions"), v.Partitions, 1, maxPartitions)
	if v.Partitions > 1 && keys["key"] == nil {
		b.missing(p, "key", "write key: {json: path}, {header: name} or {key: true}: by it records are dealt out to the partitions")
	}
	for _, k := range []struct{ key, why, fix string }{
		{"concurrency", "with state: memory each partition makes one call at a time, and as many are made at once as there are partitions", "remove it, and write partitions: 4, say"},
		{"order", "with state: memory the records of a partition come and leave in order anyway", "remove it"},
		{"window", "with state: memory the plugin is told of records, not of windows", "remove it, or give the windows to a vertex with aggregate"},
	} {
		if at := p.key(k.key); keys[k.key] != nil {
			b.add(b.key(at), at, stream.ConfigUnknownKey, k.why, k.fix)
		}
	}
	for i, c := range v.UDF.Grant {
		if c != abi.CapabilityLog && c != "" {
			b.fault(p.key("udf").key("grant").index(i), stream.PluginCapability,
				fmt.Sprintf("with state: memory calls are made again after one that failed, and %s would not give the same", c),
				"leave that to a udf in a vertex of its own, before this one; the time of the call stands in the frame")
		}
	}
	if v.Sandbox.Metering == Off {
		b.fault(p.key("sandbox").key("metering"), stream.ConfigValue, "with state: memory a plugin has to be metered: that is how its variables outside of memory are found", "remove it")
	}
	if v.Retry.Attempts > 1 {
		b.fault(p.key("retry").key("attempts"), stream.ConfigValue, "with state: memory a record is not tried again: when it fails, others after it are in the memory already", "remove it, and take care of such records by onError")
	}
	v.Concurrency = Concurrency{Max: max(1, min(v.Partitions, maxPartitions))}
}

// unpartitioned reports what means nothing without state: memory.
func (b *binder) unpartitioned(p path, v *Vertex, keys map[string]any) {
	if at := p.key("partitions"); keys["partitions"] != nil && v.UDF != nil && !b.about(p.key("state")) {
		b.add(b.key(at), at, stream.ConfigUnknownKey, "partitions are those of a udf whose state is its memory", "add state: memory, or remove it; concurrency says how many calls are made at once")
	}
	if v.State.Memory && (v.Aggregate != nil || v.Join != nil) {
		b.fault(p.key("state"), stream.ConfigValue, fmt.Sprintf("%s has no plugin whose memory could be the state", article(v.Role())), "write state: {maxBytes: …, groups: …}, or remove it")
	}
}
