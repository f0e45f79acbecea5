package suite

import (
	"encoding/json"
	"slices"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
)

// Calling describes a pipeline that is there to call one plugin.
type Calling struct {
	Plugin string // its name, as in a pipeline file
	Kind   abi.Kind
	Tags   []string        // that it may give
	Params json.RawMessage // nil = none
	Grant  []string
	Allow  []string // hosts; nil = nothing is said of them
}

// The vertices of such a pipeline: the one that calls the plugin, whose name people use in
// settings, and where its records come from.
const (
	called = "plugin"
	caller = "in"
)

// File is the text of its pipeline file. A plugin with state has the records' own key, and
// one that aggregates one window besides.
func (c Calling) File() ([]byte, error) {
	type object = map[string]any
	udf := object{"plugin": c.Plugin, "grant": c.Grant}
	if c.Params != nil {
		udf["params"] = c.Params
	}
	if c.Allow != nil {
		udf["http"] = object{"allow": c.Allow}
	}
	vertex, tags := object{"name": called, "udf": udf}, c.Tags
	switch c.Kind {
	case abi.KindProcess:
		vertex["key"] = object{"key": true}
	case abi.KindAggregate:
		vertex["key"], vertex["window"] = object{"key": true}, object{"global": true}
		if !slices.Contains(tags, config.TagLate) {
			tags = append(slices.Clone(tags), config.TagLate)
		}
	}
	edges := []object{{"from": caller, "to": called}, {"from": called, "to": "out"}}
	if len(tags) > 0 {
		edges = append(edges, object{"from": called, "to": "out", "when": object{"tags": tags}})
	}
	return json.Marshal(object{
		"name": "call", "edges": edges,
		"vertices": []object{{"name": caller, "source": "stdin"}, vertex, {"name": "out", "sink": "drop"}},
	})
}
