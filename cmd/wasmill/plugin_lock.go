package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/wasm"
	"github.com/wasmill/wasmill/host/wasm/trust"
)

func newPluginLock(f *flags, s stdio) *cobra.Command {
	var write string
	c := &cobra.Command{
		Use:   "lock",
		Short: "Print the hashes of all plugins, for the setting plugins.lock",
		Long: `lock prints the SHA-256 of each file in the plugins folder, as sha256sum does, or
writes that to a file. A process with the setting plugins.lock: FILE loads only
plugins that are in it, with that content. Of several lines for a name each will
do, so that a new version can be let in before it is there.`,
		Example: `  wasmill plugin lock --write plugins.lock
  sha256sum --check plugins.lock
  wasmill run pipeline.yaml --set plugins.lock=plugins.lock`,
		Args: args(0, 0, "nothing"),
		RunE: func(*cobra.Command, []string) error {
			settings, err := host.Settings(f.options(nil, s))
			if err != nil {
				return err
			}
			names, err := wasm.Names(settings.Plugins.Dir)
			if err != nil {
				return err
			}
			var text strings.Builder
			hashes := map[string]string{}
			for _, name := range names {
				path, err := wasm.File(settings.Plugins.Dir, name)
				if err != nil {
					return err
				}
				hash, _, err := wasm.HashOf(path)
				if err != nil {
					return err
				}
				hashes[name] = hash
				text.WriteString(trust.Line(hash, filepath.ToSlash(path)))
			}
			if write != "" {
				if err := writeWhole(write, text.String(), 0o644); err != nil {
					return err
				}
			}
			switch {
			case f.json:
				printJSON(s.out, map[string]any{"file": write, "plugins": hashes})
			case write != "":
				fmt.Fprintf(s.out, "%s has %d plugins\n", safe(write), len(names))
			default:
				fmt.Fprint(s.out, text.String())
			}
			return nil
		},
	}
	c.Flags().StringVar(&write, "write", "", "the file to write, instead of printing")
	return c
}
