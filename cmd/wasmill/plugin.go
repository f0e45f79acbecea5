package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

func newPlugin(f *flags, s stdio) *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "List, inspect, check, lock, sign, release and roll back plugins", Args: args(1, 1, "one of list, inspect, check, release, versions, rollback, lock, keygen, sign and verify"),
		RunE: func(c *cobra.Command, a []string) error {
			return usageError(c, fmt.Sprintf("there is no command %q: use list, inspect, check, release, versions, rollback, lock, keygen, sign or verify", a[0]))
		}}
	c.AddCommand(newPluginList(f, s), newPluginInspect(f, s), newPluginCheck(f, s), newPluginRelease(f, s), newPluginVersions(f, s), newPluginRollback(f, s),
		newPluginLock(f, s), newPluginKeygen(f, s), newPluginSign(f, s), newPluginVerify(f, s))
	return c
}

// withPlugin loads a plugin, given by file or by name, for the time of use.
func withPlugin(ctx context.Context, f *flags, s stdio, name string, use func(*wasm.Plugin) error) error {
	return withEngine(ctx, f, s, name, func(e *wasm.Engine, path string) (err error) {
		p, err := e.Load(ctx, path, wasm.DefaultLimits())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Close(context.WithoutCancel(ctx))) }()
		return use(p)
	})
}

// withEngine opens an engine for the time of use, and finds the file of a plugin
// that is given by file or by name.
func withEngine(ctx context.Context, f *flags, s stdio, name string, use func(e *wasm.Engine, path string) error) (err error) {
	o := f.projectOptions(name, s)
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	path, err := pluginFile(settings, name)
	if err != nil {
		return err
	}
	e, err := host.NewEngine(ctx, settings, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()
	return use(e, path)
}

// pluginFile returns the file of a plugin that is given by file, by name, or by the folder of
// its source, which is named as it is.
func pluginFile(s *config.Process, name string) (string, error) {
	if file := strings.ContainsRune(name, '/') || strings.HasSuffix(name, wasm.Ext); file || name == "." {
		if whole, err := filepath.Abs(name); err == nil && isFolder(name) {
			return wasm.File(s.Plugins.Dir, filepath.Base(whole))
		}
		if isThere(name) || file && filepath.Base(name) != name {
			return name, nil
		}
	}
	return wasm.File(s.Plugins.Dir, name)
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
			admission, err := host.Admission(settings)
			if err != nil {
				return err
			}
			type row struct {
				Name    string         `json:"name"`
				Version string         `json:"version,omitempty"`
				Kind    abi.Kind       `json:"kind,omitempty"`
				Bytes   int            `json:"bytes,omitempty"`
				Lock    wasm.LockState `json:"lock,omitempty"` // without plugins.lock there is none
				Error   string         `json:"error,omitempty"`
			}
			rows := []row{}
			for _, name := range names {
				r := row{Name: name}
				err := withPlugin(c.Context(), f, s, name, func(p *wasm.Plugin) error {
					r.Version, r.Kind, r.Bytes = p.Description.Version, p.Description.Kind, p.Size
					state, _, err := admission.LockState(p.Path, p.Hash)
					r.Lock = state
					return errors.Join(err, admission.Check(p.Path, p.Hash))
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
			fmt.Fprintln(w, "NAME\tVERSION\tKIND\tSIZE\tLOCK\tERROR")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", safe(r.Name), safe(r.Version), r.Kind, humanBytes(float64(r.Bytes)), cmp.Or(r.Lock, "-"), safe(r.Error))
			}
			return w.Flush()
		},
	}
}

func newPluginCheck(f *flags, s stdio) *cobra.Command {
	var params string
	c := &cobra.Command{
		Use:     "check PLUGIN",
		Short:   "Put a plugin through the conformance suite of the ABI",
		Example: `  wasmill plugin check plugins/grep.wasm --params '{"pattern":"error"}'`,
		Args:    args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := checkParams(c, params); err != nil {
				return err
			}
			return withPlugin(c.Context(), f, s, a[0], func(p *wasm.Plugin) error { return check(c.Context(), f, s, p, params) })
		},
	}
	c.Flags().StringVar(&params, "params", "", "JSON object for the plugin's params")
	return c
}

// checkParams refuses a flag --params that is not a JSON object.
func checkParams(c *cobra.Command, params string) error {
	if object := (map[string]any{}); params != "" && json.Unmarshal([]byte(params), &object) != nil {
		return usageError(c, "--params is not a JSON object")
	}
	return nil
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
				for line := range strings.SplitSeq(r.Why, "\n") {
					fmt.Fprintln(s.out, "       "+safe(line))
				}
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
