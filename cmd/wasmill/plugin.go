package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

func newPlugin(f *flags, s stdio) *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "List, inspect and check plugins", Args: args(1, 1, "one of list, inspect and check"),
		RunE: func(c *cobra.Command, a []string) error {
			return usageError(c, fmt.Sprintf("there is no command %q: use list, inspect or check", a[0]))
		}}
	c.AddCommand(newPluginList(f, s), newPluginInspect(f, s), newPluginCheck(f, s))
	return c
}

// withPlugin loads a plugin, given by file or by name, for the time of use.
func withPlugin(ctx context.Context, f *flags, s stdio, name string, use func(*wasm.Plugin) error) (err error) {
	settings, err := host.Settings(f.options(nil, s))
	if err != nil {
		return err
	}
	path := name
	if !strings.ContainsRune(name, '/') && !strings.HasSuffix(name, wasm.Ext) {
		if path, err = wasm.File(settings.Plugins.Dir, name); err != nil {
			return err
		}
	}
	e, err := host.NewEngine(ctx, settings, f.options(nil, s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()
	p, err := e.Load(ctx, path, wasm.DefaultLimits())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(context.WithoutCancel(ctx))) }()
	return use(p)
}

func newPluginList(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the plugins folder",
		Args:  args(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := host.Settings(f.options(nil, s))
			if err != nil {
				return err
			}
			names, err := wasm.Names(settings.Plugins.Dir)
			if err != nil {
				return err
			}
			if _, err := os.Stat(settings.Plugins.Dir); err != nil {
				return &stream.Error{
					Code: stream.PluginNotFound, Where: settings.Plugins.Dir, Why: "the plugins folder does not exist",
					Fix: "name another with --plugins or plugins.dir; a relative one starts in the working directory",
				}
			}
			type row struct {
				Name    string   `json:"name"`
				Version string   `json:"version,omitempty"`
				Kind    abi.Kind `json:"kind,omitempty"`
				Bytes   int      `json:"bytes,omitempty"`
				Error   string   `json:"error,omitempty"`
			}
			rows := []row{}
			for _, name := range names {
				r := row{Name: name}
				err := withPlugin(c.Context(), f, s, name, func(p *wasm.Plugin) error {
					r.Version, r.Kind, r.Bytes = p.Description.Version, p.Description.Kind, p.Size
					return nil
				})
				if err != nil {
					r.Error, _, _ = strings.Cut(err.Error(), "\n")
				}
				rows = append(rows, r)
			}
			if f.json {
				printJSON(s.out, rows)
				return nil
			}
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tVERSION\tKIND\tSIZE\tERROR")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Version, r.Kind, humanBytes(float64(r.Bytes)), r.Error)
			}
			return w.Flush()
		},
	}
}

// inspection is what plugin inspect shows.
type inspection struct {
	File        string           `json:"file"`
	SHA256      string           `json:"sha256"`
	Bytes       int              `json:"bytes"`
	CompileMS   float64          `json:"compile_ms"` // with the cache's help
	Description abi.Description  `json:"description"`
	Wants       []abi.Capability `json:"wants"`
	MemoryMin   uint64           `json:"memory_min_bytes"`
	Metered     metered          `json:"metered"`
	Imports     []string         `json:"imports"`
	Exports     []string         `json:"exports"`
}

// metered is what a plugin is after it has been made interruptible.
type metered struct {
	Bytes     int `json:"bytes"`
	Loops     int `json:"loops"`
	Functions int `json:"functions"` // with a check at their entry
}

func newPluginInspect(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect PLUGIN",
		Short: "Show what a plugin is, takes, wants and costs",
		Args:  args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			return withPlugin(c.Context(), f, s, a[0], func(p *wasm.Plugin) error {
				i := inspect(p)
				if f.json {
					printJSON(s.out, i)
					return nil
				}
				w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
				line := func(name string, value any) { fmt.Fprintf(w, "%s\t%v\n", name, value) }
				line("file", i.File)
				line("sha256", i.SHA256)
				line("size", humanBytes(float64(i.Bytes)))
				line("metered", fmt.Sprintf("%s (× %.2f), %d loops, %d functions with a check of their own",
					humanBytes(float64(i.Metered.Bytes)), float64(i.Metered.Bytes)/float64(i.Bytes), i.Metered.Loops, i.Metered.Functions))
				line("compiled in", (time.Duration(i.CompileMS*1e6) * time.Nanosecond).Round(10*time.Microsecond))
				line("name", i.Description.Name)
				line("version", i.Description.Version)
				line("kind", i.Description.Kind)
				line("params", orNone(string(i.Description.Params)))
				line("tags", orNone(strings.Join(i.Description.Tags, ", ")))
				line("wants", orNone(join(i.Wants)))
				line("memory at start", humanBytes(float64(i.MemoryMin)))
				line("imports", orNone(strings.Join(i.Imports, ", ")))
				line("exports", strings.Join(i.Exports, ", "))
				return w.Flush()
			})
		},
	}
}

func inspect(p *wasm.Plugin) inspection {
	i := inspection{
		File: p.Path, SHA256: p.Hash, Bytes: p.Size, CompileMS: float64(p.CompileTime.Microseconds()) / 1e3,
		Description: p.Description, Wants: p.Wants, MemoryMin: p.Module.Memories[0].Min * wasm.PageSize,
		Metered: metered{len(p.Metered.Module), p.Metered.Loops, p.Metered.Functions},
	}
	for _, im := range p.Module.Imports {
		i.Imports = append(i.Imports, im.Module+"."+im.Name)
	}
	for _, e := range p.Module.Exports {
		i.Exports = append(i.Exports, e.Name)
	}
	slices.Sort(i.Imports)
	slices.Sort(i.Exports)
	return i
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func join(list []abi.Capability) string {
	var names []string
	for _, c := range list {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

func newPluginCheck(f *flags, s stdio) *cobra.Command {
	var params string
	c := &cobra.Command{
		Use:     "check PLUGIN",
		Short:   "Put a plugin through the conformance suite of the ABI",
		Example: `  wasmill plugin check plugins/grep.wasm --params '{"pattern":"error"}'`,
		Args:    args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			if object := (map[string]any{}); params != "" && json.Unmarshal([]byte(params), &object) != nil {
				return usageError(c, "--params is not a JSON object")
			}
			return withPlugin(c.Context(), f, s, a[0], func(p *wasm.Plugin) error { return check(c.Context(), f, s, p, params) })
		},
	}
	c.Flags().StringVar(&params, "params", "", "JSON object for the plugin's params")
	return c
}

// check prints the findings and returns an error if there are bad ones.
func check(ctx context.Context, f *flags, s stdio, p *wasm.Plugin, params string) error {
	type result struct {
		Check string `json:"check"`
		OK    bool   `json:"ok"`
		Why   string `json:"why,omitempty"`
	}
	var results []result
	failed := 0
	for _, finding := range p.Check(ctx, []byte(params)) {
		r := result{Check: finding.Check, OK: finding.Err == nil}
		if finding.Err != nil {
			failed++
			r.Why = finding.Err.Error()
		}
		results = append(results, r)
		if !f.json {
			mark := "ok    "
			if !r.OK {
				mark = "FAILED"
			}
			fmt.Fprintln(s.out, mark, r.Check)
			if !r.OK {
				fmt.Fprintln(s.out, "       "+strings.ReplaceAll(r.Why, "\n", "\n       "))
			}
		}
	}
	if f.json {
		printJSON(s.out, map[string]any{"ok": failed == 0, "checks": results})
	}
	if failed == 0 {
		return nil
	}
	if f.json {
		return exitError(stream.ExitInput)
	}
	return &stream.Error{
		Code: stream.PluginABI, Where: p.Path, Why: fmt.Sprintf("%d of %d checks failed", failed, len(results)),
		Fix: "abi/ABI.md says what a guest has to do; abi/sdk has it done in one file per language",
	}
}
