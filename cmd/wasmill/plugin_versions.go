package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/wasm"
)

// pluginVersion is a version of a plugin, as the list shows it.
type pluginVersion struct {
	SHA256   string     `json:"sha256"`
	Bytes    int64      `json:"bytes"`
	Began    *time.Time `json:"began"`     // to serve, the last time; null = it is not kept, so that it never did or is too long ago
	InFolder bool       `json:"in_folder"` // it is the file in the plugins folder
}

// versionsOf lists the versions of a plugin, what is in the folder included, if it is not
// kept, as the first.
func versionsOf(f *flags, s stdio, name string) (a wasm.Archive, file string, all []pluginVersion, err error) {
	settings, err := host.Settings(f.options(nil, s))
	if err != nil {
		return a, "", nil, err
	}
	if file, err = wasm.File(settings.Plugins.Dir, name); err != nil {
		return a, "", nil, err
	}
	a = host.Archive(settings)
	kept, err := a.Versions(strings.TrimSuffix(name, wasm.Ext))
	if err != nil {
		return a, file, nil, err
	}
	hash, bytes, err := wasm.HashOf(file)
	if err != nil && len(kept) == 0 {
		return a, file, nil, err
	}
	for _, v := range kept {
		all = append(all, pluginVersion{v.Hash, v.Bytes, &v.Began, v.Hash == hash})
		if v.Hash == hash {
			hash = ""
		}
	}
	if hash != "" {
		all = append([]pluginVersion{{hash, bytes, nil, true}}, all...)
	}
	return a, file, all, nil
}

func newPluginVersions(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "versions NAME",
		Short: "List the versions of a plugin that served",
		Long: `versions lists the versions of a plugin that served and are kept, the last first,
with when they began to; and what is in the plugins folder now. plugins.keep says
how many are kept besides the one that serves. They are in plugins/NAME of data.dir.`,
		Example: `  wasmill plugin versions grep`,
		Args:    args(1, 1, "the name of a plugin"),
		RunE: func(c *cobra.Command, a []string) error {
			_, _, all, err := versionsOf(f, s, a[0])
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "plugin": strings.TrimSuffix(a[0], wasm.Ext), "versions": all})
				return nil
			}
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "VERSION\tSIZE\tBEGAN TO SERVE\tIN THE FOLDER")
			for _, v := range all {
				began, in := "-", "-"
				if v.Began != nil {
					began = v.Began.Format(time.DateTime)
				}
				if v.InFolder {
					in = "yes"
				}
				fmt.Fprintf(w, "%.12s\t%s\t%s\t%s\n", v.SHA256, humanBytes(float64(v.Bytes)), began, in)
			}
			return w.Flush()
		},
	}
}
