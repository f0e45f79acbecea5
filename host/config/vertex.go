package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Vertex is one vertex of a pipeline; exactly one of Source, UDF, Aggregate, Join
// and Sink is set.
type Vertex struct {
	Name      stream.VertexID `koanf:"name"`
	Source    *Component      `koanf:"source"`
	UDF       *UDF            `koanf:"udf"`
	Aggregate *Aggregate      `koanf:"aggregate"`
	Join      *Join           `koanf:"join"`
	Sink      *Component      `koanf:"sink"`

	Key    Key     `koanf:"key"`    // of the records of an aggregate or join, or of a UDF whose plugin has state
	Window *Window `koanf:"window"` // of an aggregate or join, or of a UDF whose plugin aggregates: they have one
	State  State   `koanf:"state"`  // of an aggregate or join, or of a UDF whose plugin has state

	Partitions int `koanf:"partitions"` // of a UDF with state: memory: its guests, for the life of the pipeline

	Concurrency Concurrency `koanf:"concurrency"` // of the UDF, aggregate or join, as all up to Output
	Scale       *Scale      `koanf:"scale"`       // of the same; nil = Concurrency stays as it is
	Order       Order       `koanf:"order"`       // of the UDF's results
	Batch       Call        `koanf:"batch"`       // most of one call
	Queue       Stage       `koanf:"queue"`       // most of what waits in each inbound edge, also of a sink
	Processing  Batch       `koanf:"processing"`  // most in calls, or waiting to be tried again
	Output      Stage       `koanf:"output"`      // most of the results that downstream has not taken

	Retry   Retry   `koanf:"retry"`   // of all but a source
	OnError OnError `koanf:"onError"` // after the last try

	EventTime   *EventTime    `koanf:"eventTime"`   // of a source; nil = as the source says
	IdleTimeout time.Duration `koanf:"idleTimeout"` // of a source: after this without a record others do not wait; 0 = never

	Sandbox Sandbox `koanf:"sandbox"` // of the UDF

	SideInputs map[string]SideInput `koanf:"sideInputs"` // of the UDF, by name
}

// Order says in which order the results of a vertex leave it.
type Order string

// The orders: as calls finish, or as their inputs came.
const (
	OrderNone  Order = "none"
	OrderKey   Order = "key" // of those with the same key, as their inputs came
	OrderInput Order = "input"
)

// Choices implements Choice.
func (Order) Choices() []string {
	return []string{string(OrderNone), string(OrderKey), string(OrderInput)}
}

// UDF is a guest and what it may do.
type UDF struct {
	Plugin string           `koanf:"plugin"` // file name without .wasm
	Params map[string]any   `koanf:"params"` // JSON values
	Grant  []abi.Capability `koanf:"grant"`
	HTTP   HTTP             `koanf:"http"` // if it is granted
	Limits Limits           `koanf:"limits"`
}

// HTTP is what a guest may ask for.
type HTTP struct {
	Allow            []string      `koanf:"allow"`            // hosts, see fetch.ParseRule
	MaxResponseBytes Bytes         `koanf:"maxResponseBytes"` // one answer, headers and body
	Timeout          time.Duration `koanf:"timeout"`          // one request
}

// Limits protect the process from a guest.
type Limits struct {
	Memory          Bytes `koanf:"memory"`          // linear memory of one instance
	RecordBytes     Bytes `koanf:"recordBytes"`     // one record in or out
	OutputPerRecord int   `koanf:"outputPerRecord"` // records out for one in
	OutputBytes     Bytes `koanf:"outputBytes"`     // all records out of one call
	PluginBytes     Bytes `koanf:"pluginBytes"`     // the plugin file
	TableElements   int   `koanf:"tableElements"`   // all tables of one instance
	Stack           Bytes `koanf:"stack"`           // calls in calls, as estimated; the runtime's own ends at about 50 MB

	HostCalls int   `koanf:"hostCalls"` // functions of the host that one call calls
	LogLines  int   `koanf:"logLines"`  // per second, of all instances
	LogBytes  Bytes `koanf:"logBytes"`  // one line; the rest is cut off

	StateBytes Bytes `koanf:"stateBytes"` // state that one call writes, with its names and keys

	CallDeadline   time.Duration `koanf:"callDeadline"`   // one call, and starting an instance
	RecordDeadline time.Duration `koanf:"recordDeadline"` // times the records of a call; 0 = none
	WaitDeadline   time.Duration `koanf:"waitDeadline"`   // what one call waits in functions of the host, on top

	Discards int `koanf:"discards"` // of instances in 10 s after failed calls, from which on calls wait; 0 = never
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
	roleSource    = "source"
	roleUDF       = "udf"
	roleAggregate = "aggregate"
	roleJoin      = "join"
	roleSink      = "sink"
)

// article puts one before a role.
func article(role string) string {
	if role == roleAggregate {
		return "an " + role
	}
	return "a " + role
}

// Role is source, udf, aggregate, join or sink.
func (v *Vertex) Role() string { return v.roles()[0] }

// roles lists what the vertex is, once for a valid one.
func (v *Vertex) roles() []string {
	var r []string
	if v.Source != nil {
		r = append(r, roleSource)
	}
	if v.UDF != nil {
		r = append(r, roleUDF)
	}
	if v.Aggregate != nil {
		r = append(r, roleAggregate)
	}
	if v.Join != nil {
		r = append(r, roleJoin)
	}
	if v.Sink != nil {
		r = append(r, roleSink)
	}
	return r
}

const (
	wasmPage   = 64 * KiB
	wasmMemory = 4*GiB - MiB // wazero's size of a memory has 32 bits
)

// vertex fills a vertex and checks it on its own.
func (b *binder) vertex(p path, in any, out reflect.Value) {
	v := out.Addr().Interface().(*Vertex)
	*v = Vertex{
		Concurrency: Concurrency{Max: min(runtime.GOMAXPROCS(0), maxConcurrency)},
		Order:       OrderNone,
		Batch:       Call{MaxRecords: 1024, MaxBytes: MiB, MaxTime: time.Millisecond},
		Queue:       Stage{MaxRecords: 8192, MaxBytes: 4 * MiB, WhenFull: FullBlock},
		Processing:  Batch{MaxRecords: maxRecords, MaxBytes: 64 * MiB},
		Output:      Stage{MaxRecords: 8192, MaxBytes: 4 * MiB, WhenFull: FullBlock},
		Retry:       Retry{Attempts: 1, Backoff: 100 * time.Millisecond, MaxBackoff: 10 * time.Second},
		OnError:     OnErrorFail,
		Sandbox:     Sandbox{Metering: On},
		Key:         Key{Key: true},
		State:       State{MaxBytes: GiB, Groups: 128},
		Partitions:  1,
	}
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	b.name(p, string(v.Name), keys)
	switch roles := v.roles(); len(roles) {
	case 0:
		b.fault(p, stream.GraphShape, "the vertex is neither a source nor a udf nor an aggregate nor a join nor a sink", "add one of source, udf, aggregate, join and sink")
	case 1:
		b.apt(p, keys, roles[0])
		if v.Aggregate != nil {
			b.aggregation(p, v, keys)
		}
		if v.Join != nil {
			b.joining(p, v, keys)
		}
		if v.UDF != nil && v.State.Memory {
			b.partitioned(p, v, keys)
		} else {
			b.unpartitioned(p, v, keys)
		}
		if v.UDF != nil && !v.State.Memory {
			b.keyed(p, v, keys)
		}
	default:
		for i, r := range roles {
			roles[i] = article(r)
		}
		b.fault(p, stream.GraphShape, "the vertex is "+strings.Join(roles, " and "), "make a vertex of each, and join them by edges")
	}
	b.sideInputs(p, v)
	within(b, p.key("sandbox").key("fuel"), v.Sandbox.Fuel, 0, 1<<60)
	within(b, p.key("idleTimeout"), v.IdleTimeout, 0, maxIdleTimeout)
	b.stages(p, v)
	b.scaled(p, v, keys)
	b.failures(p, v, keys)
}

// roleKey is a key of a vertex that means something for some roles alone.
type roleKey struct {
	key   string
	roles []string // that have it, the usual one first
}

func roleKeys() []roleKey {
	transform := []string{roleUDF, roleAggregate, roleJoin}
	inner := []string{roleUDF, roleAggregate, roleJoin, roleSink}
	remembering := []string{roleAggregate, roleJoin, roleUDF} // a UDF may, as its plugin is
	return []roleKey{
		{"batch", transform}, {"concurrency", transform}, {"scale", transform}, {"processing", transform}, {"output", transform}, {"queue", inner}, {"retry", inner},
		{"order", []string{roleUDF}}, {"sandbox", []string{roleUDF}}, {"eventTime", []string{roleSource}}, {"idleTimeout", []string{roleSource}},
		{"key", remembering}, {"window", remembering}, {"state", remembering}, {"partitions", []string{roleUDF}}, {"sideInputs", []string{roleUDF}},
	}
}

// apt reports keys that mean nothing to a vertex of a role.
func (b *binder) apt(p path, keys map[string]any, role string) {
	for _, k := range roleKeys() {
		if keys[k.key] == nil || slices.Contains(k.roles, role) {
			continue
		}
		at, fix := p.key(k.key), "remove it, or move it to "+article(k.roles[0])
		if k.key == "order" && (role == roleAggregate || role == roleJoin) {
			fix = "remove it: results of a key come in their order anyway"
		}
		b.add(b.key(at), at, stream.ConfigUnknownKey, fmt.Sprintf("%s has no %s", article(role), k.key), fix)
	}
}

// udf fills a UDF and checks it.
func (b *binder) udf(p path, in any, out reflect.Value) {
	u := out.Addr().Interface().(*UDF)
	u.Limits = Limits{Memory: 64 * MiB, RecordBytes: MiB, OutputPerRecord: 1000, OutputBytes: 16 * MiB, PluginBytes: 64 * MiB, TableElements: 100_000, Stack: 8 * MiB, HostCalls: 1_000_000, LogLines: 100, LogBytes: 4 * KiB, StateBytes: 16 * MiB, CallDeadline: 10 * time.Second, WaitDeadline: time.Minute, Discards: 100}
	u.HTTP = HTTP{MaxResponseBytes: MiB, Timeout: 10 * time.Second}
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
	within(b, at.key("stack"), l.Stack, 64*KiB, 32*MiB)
	within(b, at.key("hostCalls"), l.HostCalls, 1, 1<<40)
	within(b, at.key("logLines"), l.LogLines, 1, 1_000_000)
	within(b, at.key("discards"), l.Discards, 0, 1_000_000)
	within(b, at.key("logBytes"), l.LogBytes, 1, 64*KiB)
	within(b, at.key("stateBytes"), l.StateBytes, 1, GiB)
	if l.RecordDeadline < 0 || l.RecordDeadline > time.Hour {
		b.fault(at.key("recordDeadline"), stream.ConfigValue, fmt.Sprintf("%v is out of range", l.RecordDeadline), "use 0 to 1h")
	}
	b.deadline(at.key("callDeadline"), l.CallDeadline)
	b.deadline(at.key("waitDeadline"), l.WaitDeadline)
	b.http(p, u, keys)
}

func (b *binder) deadline(p path, d time.Duration) {
	if d < time.Millisecond || d > time.Hour {
		b.fault(p, stream.ConfigValue, fmt.Sprintf("%v is out of range", d), "use 1ms to 1h")
	}
}

// http checks that requests are granted and listed, or neither.
func (b *binder) http(p path, u *UDF, keys map[string]any) {
	at, granted := p.key("http"), slices.Contains(u.Grant, abi.CapabilityHTTP)
	within(b, at.key("maxResponseBytes"), u.HTTP.MaxResponseBytes, 1, maxBytes)
	b.deadline(at.key("timeout"), u.HTTP.Timeout)
	switch {
	case granted && len(u.HTTP.Allow) == 0 && !b.about(at) && !b.about(at.key("allow")):
		b.fault(p.key("grant"), stream.ConfigMissing, "http is granted, but no host is listed that the plugin may ask", "list them: http: {allow: [api.example.org, \"10.0.0.7:8080\"]}")
	case !granted && keys["http"] != nil && !b.about(p.key("grant")):
		b.add(b.key(at), at, stream.ConfigUnknownKey, "http is not granted, so this means nothing", "add grant: [http], or remove it")
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
	var known []string
	for _, c := range abi.Capabilities() {
		known = append(known, string(c))
	}
	name, ok := in.(string)
	if !ok {
		b.mismatch(p, in, "the name of a capability", Suggest("", known))
		return
	}
	for _, k := range known {
		if name == k {
			out.SetString(name)
			return
		}
	}
	b.fault(p, stream.PluginCapability, fmt.Sprintf("there is no capability %q", shorten(name)), Suggest(name, known))
}
