package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
	"github.com/wasmill/wasmill/host/wasm/binary"
)

type inspectFlags struct {
	grant          []string
	params, sample string
}

func newPluginInspect(f *flags, s stdio) *cobra.Command {
	var i inspectFlags
	c := &cobra.Command{
		Use:   "inspect PLUGIN",
		Short: "Show what a plugin is, takes, wants and costs",
		Long: `inspect shows what is in a plugin, which capabilities it wants, what metering
adds to its size and compile time, and what a record costs: it runs lines of an
access log through the plugin, or those of --sample. That a plugin cannot handle
them is shown, and is no error.`,
		Example: `  wasmill plugin inspect grep --params '{"pattern":"error"}' --sample access.log
  wasmill plugin inspect plugins/own.wasm --grant log,clock`,
		Args: args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := checkParams(c, i.params); err != nil {
				return err
			}
			values, err := sampleValues(i.sample)
			if err != nil {
				return err
			}
			return withPlugin(c.Context(), f, s, a[0], func(p *wasm.Plugin) error {
				var grant []abi.Capability
				for _, name := range i.grant {
					grant = append(grant, abi.Capability(name))
				}
				if !c.Flags().Changed("grant") {
					grant = p.Wants
				}
				in, err := inspect(c.Context(), p, grant, i, values)
				if err != nil {
					return err
				}
				if f.json {
					printJSON(s.out, in)
					return nil
				}
				return in.print(s.out)
			})
		},
	}
	c.Flags().StringSliceVar(&i.grant, "grant", nil, "capabilities granted, as in log,clock (default: all that it wants)")
	c.Flags().StringVar(&i.params, "params", "", "JSON object for the plugin's params")
	c.Flags().StringVar(&i.sample, "sample", "", "file with a record per line, instead of a built-in sample")
	return c
}

// inspection is what plugin inspect shows.
type inspection struct {
	File          string           `json:"file"`
	SHA256        string           `json:"sha256"`
	Bytes         int              `json:"bytes"`
	CompileMS     float64          `json:"compile_ms"` // without the cache, not metered
	Metered       metered          `json:"metered"`
	Description   abi.Description  `json:"description"`
	Wants         []abi.Capability `json:"wants"`
	Denied        []abi.Capability `json:"denied"` // of those
	Memory        memory           `json:"memory"`
	NoStateMemory string           `json:"no_state_memory,omitempty"` // why its memory cannot be the state of a vertex
	Imports       []imported       `json:"imports"`
	Exports       []string         `json:"exports"`
	Sample        *wasm.Cost       `json:"sample,omitempty"`
	SampleError   string           `json:"sample_error,omitempty"` // why the sample did not get through
}

// metered is what a plugin is after it has been made interruptible.
type metered struct {
	Bytes     int     `json:"bytes"`
	CompileMS float64 `json:"compile_ms"`
	Loops     int     `json:"loops"`
	Functions int     `json:"functions"` // with a check at their entry
	Nested    int     `json:"nested"`    // that count the stack
}

// memory is the linear memory of an instance.
type memory struct {
	Min   uint64 `json:"min_bytes"`
	Max   uint64 `json:"max_bytes,omitempty"` // that the plugin declares
	Limit uint64 `json:"limit_bytes"`         // what it gets at most by default
}

type imported struct {
	Name       string         `json:"name"`
	Capability abi.Capability `json:"capability,omitempty"` // that it needs
	Granted    bool           `json:"granted"`
}

func inspect(ctx context.Context, p *wasm.Plugin, grant []abi.Capability, f inspectFlags, values [][]byte) (*inspection, error) {
	plain, compiled, err := p.CompileTimes(ctx)
	if err != nil {
		return nil, err
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	m := p.Module.Memories[0]
	i := &inspection{
		File: p.Path, SHA256: p.Hash, Bytes: p.Size, CompileMS: ms(plain), Description: p.Description, Wants: p.Wants,
		Memory:  memory{Min: m.Min * wasm.PageSize, Max: m.Max * wasm.PageSize, Limit: uint64(wasm.DefaultLimits().Memory)},
		Metered: metered{p.Metered.Size, ms(compiled), p.Metered.Loops, p.Metered.Functions, p.Metered.Nested},
	}
	if e := (*stream.Error)(nil); errors.As(p.Rememberable(), &e) {
		i.NoStateMemory = e.Reason()
	}
	if m.HasMax {
		i.Memory.Limit = min(i.Memory.Limit, i.Memory.Max)
	}
	for _, w := range p.Wants {
		if !slices.Contains(grant, w) {
			i.Denied = append(i.Denied, w)
		}
	}
	for _, im := range p.Module.Imports {
		one := imported{Name: im.Module + "." + im.Name, Granted: true}
		if c, ok := abi.CapabilityOf(im.Name); ok && im.Module == abi.ModuleWasmill {
			one.Capability, one.Granted = c, !slices.Contains(i.Denied, c)
		}
		i.Imports = append(i.Imports, one)
	}
	for _, e := range p.Module.Exports {
		name := e.Name
		if t, ok := p.Module.FuncTypeOf(e.Index); ok && e.Kind == binary.ExternFunc {
			name += " " + t.String()
		}
		i.Exports = append(i.Exports, name)
	}
	slices.SortFunc(i.Imports, func(a, b imported) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(i.Exports)
	c := wasm.Config{Vertex: "sample", Grant: grant}
	if f.params != "" {
		c.Params = []byte(f.params)
	}
	cost, err := p.Sample(ctx, c, values)
	if err != nil {
		i.SampleError = err.Error()
		return i, nil
	}
	i.Sample = &cost
	return i, nil
}

// means says what a vertex with a plugin of a kind needs.
var means = map[abi.Kind]string{
	abi.KindProcess:   ": its vertex names a key, by which it has state and timers",
	abi.KindAggregate: ": its vertex has a window, and may name a key",
}

// print shows an inspection as a table.
func (i *inspection) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, safe(fmt.Sprintf(format, values...)))
	}
	size := func(n uint64) string { return humanBytes(float64(n)) }
	line("file", "%s", i.File)
	line("sha256", "%s", i.SHA256)
	line("name", "%s", i.Description.Name)
	line("version", "%s", orNone(i.Description.Version))
	line("kind", "%s%s", i.Description.Kind, means[i.Description.Kind])
	var params bytes.Buffer
	_ = json.Compact(&params, i.Description.Params) // it was valid in a description
	line("params", "%s", orNone(params.String()))
	line("tags", "%s", orNone(strings.Join(i.Description.Tags, ", ")))
	line("wants", "%s", orNone(join(i.Wants)))
	switch {
	case len(i.Denied) > 0:
		line("denied", "%s (grant it in the vertex by udf: {grant: [%s]})", join(i.Denied), join(i.Wants))
	case len(i.Wants) > 0:
		line("grant by", "udf: {grant: [%s]}", join(i.Wants))
	}
	declared := "no maximum of its own"
	if i.Memory.Max > 0 {
		declared = "at most " + size(i.Memory.Max) + " by itself"
	}
	line("memory", "%s at start, %s; limited to %s", size(i.Memory.Min), declared, size(i.Memory.Limit))
	if i.NoStateMemory == "" {
		line("state: memory", "possible; the plugin, its params and the number of partitions are fixed then")
	} else {
		line("state: memory", "not possible: %s", i.NoStateMemory)
	}
	line("size", "%s, metered %s (× %.2f): %d loops, %d functions with a check of their own, %d that count the stack", size(uint64(i.Bytes)),
		size(uint64(i.Metered.Bytes)), float64(i.Metered.Bytes)/float64(i.Bytes), i.Metered.Loops, i.Metered.Functions, i.Metered.Nested)
	line("compiles in", "%.1f ms, metered %.1f ms (× %.2f), without the cache", i.CompileMS, i.Metered.CompileMS, i.Metered.CompileMS/i.CompileMS)
	for n, im := range i.Imports {
		name := ""
		if n == 0 {
			name = "imports"
		}
		line(name, "%s", im)
	}
	for n, e := range i.Exports {
		name := ""
		if n == 0 {
			name = "exports"
		}
		line(name, "%s", e)
	}
	if c := i.Sample; c != nil {
		line("a record costs", "%.0f ns and %.0f fuel, metered (%d of a sample, median of %d rounds)", c.NSPerRecord, c.FuelPerRecord, c.Records, c.Rounds)
		line("the sample gave", "%d records, %s, %d errors%s", c.RecordsOut, size(uint64(c.BytesOut)), c.Errors, prefixed(", as in: ", c.FirstError))
	}
	if err := w.Flush(); err != nil || i.SampleError == "" {
		return err
	}
	_, err := fmt.Fprintf(out, "\nThe sample did not get through: %s\n", i.SampleError)
	return err
}

// String says what an import needs.
func (i imported) String() string {
	_, function, _ := strings.Cut(i.Name, abi.ModuleWasmill+".")
	switch {
	case abi.IsProcess(function):
		return fmt.Sprintf("%s (for kind %s)", i.Name, abi.KindProcess)
	case i.Capability == "":
		return i.Name
	case i.Granted:
		return fmt.Sprintf("%s (%s: granted)", i.Name, i.Capability)
	}
	return fmt.Sprintf("%s (%s: denied)", i.Name, i.Capability)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func join(list []abi.Capability) string {
	var names []string
	for _, c := range list {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}
