package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Vertex is one vertex of a pipeline; exactly one of Source, UDF and Sink is set.
type Vertex struct {
	Name   stream.VertexID `koanf:"name"`
	Source *Component      `koanf:"source"`
	UDF    *UDF            `koanf:"udf"`
	Sink   *Component      `koanf:"sink"`

	Concurrency int   `koanf:"concurrency"` // calls of the UDF at once
	Order       Order `koanf:"order"`       // of the UDF's results
	Batch       Batch `koanf:"batch"`       // most of one call of the UDF
	Queue       Batch `koanf:"queue"`       // most of what waits in each inbound edge

	Sandbox Sandbox `koanf:"sandbox"` // of the UDF
}

// Batch bounds something in records and in bytes, whichever is met first.
type Batch struct {
	MaxRecords int   `koanf:"maxRecords"`
	MaxBytes   Bytes `koanf:"maxBytes"`
}

// Order says in which order the results of a vertex leave it.
type Order string

// The orders: as calls finish, or as their inputs came.
const (
	OrderNone  Order = "none"
	OrderInput Order = "input"
)

// Choices implements Choice.
func (Order) Choices() []string { return []string{string(OrderNone), string(OrderInput)} }

// UDF is a guest and what it may do.
type UDF struct {
	Plugin string           `koanf:"plugin"` // file name without .wasm
	Params map[string]any   `koanf:"params"` // JSON values
	Grant  []abi.Capability `koanf:"grant"`
	Limits Limits           `koanf:"limits"`
}

// Limits protect the process from a guest.
type Limits struct {
	Memory          Bytes `koanf:"memory"`          // linear memory of one instance
	RecordBytes     Bytes `koanf:"recordBytes"`     // one record in or out
	OutputPerRecord int   `koanf:"outputPerRecord"` // records out for one in
	OutputBytes     Bytes `koanf:"outputBytes"`     // all records out of one call
	PluginBytes     Bytes `koanf:"pluginBytes"`     // the plugin file
	TableElements   int   `koanf:"tableElements"`   // each table of one instance

	HostCalls int `koanf:"hostCalls"` // functions of the host that one call calls
	LogLines  int `koanf:"logLines"`  // per second, of all instances

	CallDeadline   time.Duration `koanf:"callDeadline"`   // one call, and starting an instance
	RecordDeadline time.Duration `koanf:"recordDeadline"` // times the records of a call; 0 = none
}

// Sandbox says how a guest is kept in check.
type Sandbox struct {
	Metering Switch `koanf:"metering"` // off = it cannot be interrupted: for trusted plugins
	Fuel     int64  `koanf:"fuel"`     // of one call, about one unit per instruction; 0 = no limit
}

// Switch is on or off.
type Switch string

// The positions of a switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// Choices implements Choice.
func (Switch) Choices() []string { return []string{string(On), string(Off)} }

// ParamsJSON returns the params as a JSON object, the same bytes for the same
// params.
func (u *UDF) ParamsJSON() json.RawMessage {
	if u.Params == nil {
		return json.RawMessage("{}")
	}
	data, err := json.Marshal(u.Params)
	if err != nil {
		panic("BUG: config: params have a value that JSON lacks: " + err.Error())
	}
	return data
}

const (
	roleSource = "source"
	roleUDF    = "udf"
	roleSink   = "sink"
)

// roles lists what the vertex is, once for a valid one.
func (v *Vertex) roles() []string {
	var r []string
	if v.Source != nil {
		r = append(r, roleSource)
	}
	if v.UDF != nil {
		r = append(r, roleUDF)
	}
	if v.Sink != nil {
		r = append(r, roleSink)
	}
	return r
}

const (
	maxConcurrency = 4096
	maxRecords     = 1 << 16
	maxBytes       = GiB
	wasmPage       = 64 * KiB
	wasmMemory     = 4*GiB - MiB // wazero's size of a memory has 32 bits
)

// vertex fills a vertex and checks it on its own.
func (b *binder) vertex(p path, in any, out reflect.Value) {
	v := out.Addr().Interface().(*Vertex)
	*v = Vertex{
		Concurrency: min(runtime.GOMAXPROCS(0), maxConcurrency),
		Order:       OrderNone,
		Batch:       Batch{MaxRecords: 1024, MaxBytes: MiB},
		Queue:       Batch{MaxRecords: 8192, MaxBytes: 4 * MiB},
		Sandbox:     Sandbox{Metering: On},
	}
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	b.name(p, string(v.Name), keys)
	switch roles := v.roles(); len(roles) {
	case 0:
		b.fault(p, stream.GraphShape, "the vertex is neither a source nor a udf nor a sink", "add one of source, udf and sink")
	case 1:
		b.apt(p, keys, roles[0])
	default:
		b.fault(p, stream.GraphShape, "the vertex is a "+strings.Join(roles, " and a "), "make a vertex of each, and join them by edges")
	}
	within(b, p.key("concurrency"), v.Concurrency, 1, maxConcurrency)
	within(b, p.key("sandbox").key("fuel"), v.Sandbox.Fuel, 0, 1<<60)
	b.batch(p.key("batch"), v.Batch)
	b.batch(p.key("queue"), v.Queue)
}

func (b *binder) batch(p path, v Batch) {
	within(b, p.key("maxRecords"), v.MaxRecords, 1, maxRecords)
	within(b, p.key("maxBytes"), v.MaxBytes, 1, maxBytes)
}

// apt reports keys that mean nothing to a vertex of a role.
func (b *binder) apt(p path, keys map[string]any, role string) {
	for _, k := range []string{"batch", "concurrency", "order", "queue", "sandbox"} {
		if keys[k] == nil || role == roleUDF || role == roleSink && k == "queue" {
			continue
		}
		b.add(b.key(p.key(k)), p.key(k), stream.ConfigUnknownKey, fmt.Sprintf("a %s has no %s", role, k), "remove it, or move it to a udf")
	}
}

// udf fills a UDF and checks it.
func (b *binder) udf(p path, in any, out reflect.Value) {
	u := out.Addr().Interface().(*UDF)
	u.Limits = Limits{Memory: 64 * MiB, RecordBytes: MiB, OutputPerRecord: 1000, OutputBytes: 16 * MiB, PluginBytes: 64 * MiB, TableElements: 100_000, HostCalls: 1_000_000, LogLines: 100, CallDeadline: 10 * time.Second}
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	if u.Plugin == "" && keys["plugin"] == nil {
		b.missing(p, "plugin", "write plugin: and the name of a .wasm file in the plugins folder")
	} else if !b.about(p.key("plugin")) {
		b.plugin(p.key("plugin"), u.Plugin)
	}
	u.Plugin = strings.TrimSuffix(u.Plugin, ".wasm")
	at, l := p.key("limits"), u.Limits
	within(b, at.key("memory"), l.Memory, wasmPage, wasmMemory)
	within(b, at.key("recordBytes"), l.RecordBytes, 1, maxBytes)
	within(b, at.key("outputPerRecord"), l.OutputPerRecord, 1, 1<<20)
	within(b, at.key("outputBytes"), l.OutputBytes, 1, maxBytes)
	within(b, at.key("pluginBytes"), l.PluginBytes, 1, maxBytes)
	within(b, at.key("tableElements"), l.TableElements, 1, 10_000_000)
	within(b, at.key("hostCalls"), l.HostCalls, 1, 1<<40)
	within(b, at.key("logLines"), l.LogLines, 1, 1_000_000)
	if l.RecordDeadline < 0 || l.RecordDeadline > time.Hour {
		b.fault(at.key("recordDeadline"), stream.ConfigValue, fmt.Sprintf("%v is out of range", l.RecordDeadline), "use 0 to 1h")
	}
	if l.CallDeadline < time.Millisecond || l.CallDeadline > time.Hour {
		b.fault(at.key("callDeadline"), stream.ConfigValue, fmt.Sprintf("%v is out of range", l.CallDeadline), "use 1ms to 1h")
	}
}

// plugin checks that a name stays inside of the plugins folder.
func (b *binder) plugin(p path, name string) {
	const fix = "put the file into the plugins folder, and write only its name"
	stem := strings.TrimSuffix(name, ".wasm")
	base := strings.TrimSuffix(name[strings.LastIndexAny(name, `/\:`)+1:], ".wasm")
	switch {
	case stem == "":
		b.fault(p, stream.PluginName, "the name of the plugin is empty", "write the name of a .wasm file in the plugins folder")
	case base != stem && strings.Trim(base, ".") != "":
		b.fault(p, stream.PluginName, fmt.Sprintf("%q is a path, not the name of a plugin", shorten(name)), fix+": "+base)
	case base != stem || strings.HasPrefix(stem, ".") || strings.ContainsFunc(stem, func(r rune) bool { return r < ' ' || r == 0x7f }):
		b.fault(p, stream.PluginName, fmt.Sprintf("%q is not the name of a plugin", shorten(name)), fix)
	case len(name) > 255:
		b.fault(p, stream.PluginName, "the name of the plugin is longer than that of any file", fix)
	}
}

// capability fills one granted capability.
func (b *binder) capability(p path, in any, out reflect.Value) {
	known := []string{string(abi.CapabilityLog), string(abi.CapabilityClock), string(abi.CapabilityRandom)}
	name, ok := in.(string)
	if !ok {
		b.mismatch(p, in, "the name of a capability", suggest("", known))
		return
	}
	for _, k := range known {
		if name == k {
			out.SetString(name)
			return
		}
	}
	b.fault(p, stream.PluginCapability, fmt.Sprintf("there is no capability %q", shorten(name)), suggest(name, known))
}
