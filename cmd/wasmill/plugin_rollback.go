package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

func newPluginRollback(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "rollback NAME [VERSION]",
		Short: "Put a version of a plugin back that served before",
		Long: `rollback puts a version of a plugin back into the plugins folder: the one that
versions shows with the hash, of which the beginning is enough, or else the one that
served last and is not there now. The file is replaced at once, and a process that
runs takes it as it takes any new version. A second rollback takes the first one back.`,
		Example: `  wasmill plugin rollback grep
  wasmill plugin rollback grep 3fa2b1`,
		Args: args(1, 2, "the name of a plugin, and perhaps the beginning of a version's hash"),
		RunE: func(c *cobra.Command, a []string) error {
			archive, file, all, err := versionsOf(f, s, a[0])
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(a[0], wasm.Ext)
			prefix := ""
			if len(a) > 1 {
				prefix = strings.ToLower(a[1])
			}
			v, err := chooseVersion(name, all, prefix)
			if err != nil {
				return err
			}
			if !v.InFolder {
				if err := archive.Restore(name, v.SHA256, file); err != nil {
					return err
				}
			}
			switch {
			case f.json:
				printJSON(s.out, map[string]any{"ok": true, "plugin": name, "file": file, "sha256": v.SHA256, "changed": !v.InFolder})
			case v.InFolder:
				fmt.Fprintf(s.out, "%s is version %.12s already\n", safe(file), v.SHA256)
			default:
				fmt.Fprintf(s.out, "%s is version %.12s again\n", safe(file), v.SHA256)
			}
			return nil
		},
	}
}

// chooseVersion finds the one version whose hash begins so; without a beginning the first
// that is not in the folder.
func chooseVersion(name string, all []pluginVersion, prefix string) (found pluginVersion, err error) {
	var hits []pluginVersion
	for _, v := range all {
		if prefix != "" && strings.HasPrefix(v.SHA256, prefix) || prefix == "" && !v.InFolder && len(hits) == 0 {
			hits = append(hits, v)
		}
	}
	if len(hits) == 1 {
		return hits[0], nil
	}
	var kept []string
	for _, v := range all {
		if v.Began != nil {
			kept = append(kept, v.SHA256[:12])
		}
	}
	e := &stream.Error{Code: stream.PluginNotFound, Where: "plugin " + name, Fix: cmp.Or(strings.Join(kept, ", "), "none") + " served and are kept; plugins.keep says how many are"}
	switch {
	case len(hits) > 1:
		e.Code, e.Why = stream.Usage, fmt.Sprintf("%d versions have a hash that begins with %s", len(hits), prefix)
	case prefix != "":
		e.Why = fmt.Sprintf("no version that is kept has a hash that begins with %.64q", prefix)
	default:
		e.Why = "there is no other version to go back to"
	}
	return found, e
}
