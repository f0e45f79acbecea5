package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/wasm"
)

func newPluginRelease(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "release PLUGIN",
		Short: "Let a plugin out of quarantine",
		Long: `release lets a plugin out of quarantine. It gets there by being in a call when a
fatal error ends the process, and is not loaded again, so that the process can
start without it. Another plugin under the same name is not concerned.`,
		Args: args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			return withEngine(c.Context(), f, s, a[0], func(e *wasm.Engine, path string) error {
				was, err := e.Release(path)
				switch {
				case err != nil:
					return err
				case f.json:
					printJSON(s.out, map[string]any{"file": path, "released": was})
				case was:
					fmt.Fprintln(s.out, safe(path), "is released")
				default:
					fmt.Fprintln(s.out, safe(path), "was not in quarantine")
				}
				return nil
			})
		},
	}
}
