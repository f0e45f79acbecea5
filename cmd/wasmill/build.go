package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

func newBuild(f *flags, s stdio) *cobra.Command {
	var params string
	c := &cobra.Command{
		Use:   "build [DIR | NAME]",
		Short: "Build a plugin from its source, and put it into the plugins folder",
		Long: `build compiles the plugin whose source is in the working directory, or in DIR: in Go,
Rust, C, AssemblyScript or Zig, as the files there are. The plugin is named after the
folder; where there is no folder NAME, that in the plugins folder is meant. It is put
through the checks of wasmill plugin check, and then into the plugins folder, whole; if
anything fails, what was there before stays. One that needs params is checked with those
of --params, and without them only loaded.

` + projectHelp + `

The compiler is that which the variable GO, RUSTC, CLANG, ASC or ZIG names, or else what
make toolchains fetched, or what is in PATH; of several, the first that can make
WebAssembly. Nothing is fetched. What it prints is shown as it is.

The exit code is 2 if the source or the plugin is at fault, and 3 if there is no
compiler, or something cannot be written.`,
		Example: `  wasmill build plugins/shout
  wasmill build shout
  cd plugins/shout && wasmill build`,
		Args: args(0, 1, "at most one folder"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := checkParams(c, params); err != nil {
				return err
			}
			p, o, settings, err := projectArg(f, s, a)
			if err != nil {
				return err
			}
			b, done, err := newBuilder(c.Context(), settings, o, params)
			if err != nil {
				return err
			}
			built, err := b.Build(c.Context(), p)
			err = errors.Join(err, done())
			if f.json {
				return builtJSON(s.out, built, err)
			}
			if _, writing := io.WriteString(s.err, built.Output); err == nil {
				err = writing
			}
			if err == nil {
				fmt.Fprintln(s.out, builtText(built))
			}
			return err
		},
	}
	c.Flags().StringVar(&params, "params", "", "JSON object for the plugin's params, with which it is checked")
	return c
}

// newBuilder returns what builds plugins for the plugins folder, and what frees it.
func newBuilder(ctx context.Context, settings *config.Process, o host.Options, params string) (b *project.Builder, done func() error, err error) {
	e, err := host.NewEngine(ctx, settings, o)
	if err != nil {
		return nil, nil, err
	}
	b = &project.Builder{
		Tools: project.Compilers(), Plugins: settings.Plugins.Dir,
		Check: func(ctx context.Context, path string) error { return checkPlugin(ctx, e, path, params) },
	}
	return b, func() error { return e.Close(context.WithoutCancel(ctx)) }, nil
}

// checkPlugin puts the plugin in a file through the conformance suite. If it needs params
// and has none, it is only loaded.
func checkPlugin(ctx context.Context, e *wasm.Engine, path, params string) (err error) {
	p, err := e.Load(ctx, path, wasm.DefaultLimits())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(context.WithoutCancel(ctx))) }()
	var schema struct{ Required []string }
	if json.Unmarshal(p.Description.Params, &schema) == nil && len(schema.Required) > 0 && params == "" {
		return nil
	}
	var failed []string
	for _, finding := range p.Check(ctx, []byte(params)) {
		if finding.Err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", finding.Check, finding.Err))
		}
	}
	if failed != nil {
		return &stream.Error{
			Code: stream.PluginABI, Where: p.Description.Name, Why: "a build that does not conform is not put into the plugins folder; " + strings.Join(failed, "; "),
			Fix: "abi/ABI.md says what a guest has to do; abi/sdk has it done in one file per language",
		}
	}
	return nil
}

// builtText says what came of a build that went well.
func builtText(b project.Built) string {
	text := fmt.Sprintf("%s: %s in %s, by %s %s", safe(b.File), humanBytes(float64(b.Bytes)), b.Took.Round(10*time.Millisecond), safe(b.Compiler.Path), b.Compiler.Version)
	if b.Same {
		text += ": as it was"
	}
	return text
}

// builtJSON prints what came of a build, and the exit code that is left to be given.
func builtJSON(w io.Writer, b project.Built, err error) error {
	result := struct {
		OK bool `json:"ok"`
		project.Built
		Seconds float64     `json:"seconds"`
		Exit    int         `json:"exit,omitempty"`
		Errors  []faultJSON `json:"errors,omitempty"`
	}{err == nil, b, b.Took.Seconds(), stream.ExitCode(err), nil}
	if err != nil {
		result.Errors = faultsJSON(faultsOf(err))
	}
	printJSON(w, result)
	if err != nil {
		return exitError(result.Exit)
	}
	return nil
}
