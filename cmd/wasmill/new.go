package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

func newNew(f *flags, s stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "new",
		Short: "Begin a plugin of your own",
		Args:  args(1, -1, "what to make: udf"),
		RunE: func(c *cobra.Command, a []string) error {
			return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: fmt.Sprintf("there is no command %.40q", a[0]), Fix: c.CommandPath() + " udf " + safe(a[len(a)-1]) + " makes a plugin of that name"}
		},
	}
	c.AddCommand(newNewUDF(f, s))
	return c
}

func newNewUDF(f *flags, s stdio) *cobra.Command {
	var language, kind, dir string
	c := &cobra.Command{
		Use:   "udf NAME",
		Short: "Begin the source of a plugin that is a function",
		Long: `udf makes a folder NAME in the plugins folder, or that which --dir names, with a plugin
that is complete: a function that does something, in comments what else it can do, the
SDK of the language (nothing is fetched), a pipeline NAME.yaml that runs it, its tests
in NAME_test.yaml, and a README. wasmill build, test and dev take it from there.

  map        gets records one after the other, and emits what it makes of them
  aggregate  folds the records of each key and window into a result
  process    has state and timers for each key

` + projectHelp,
		Example: `  wasmill new udf shout
  wasmill new udf visits --lang rust --kind process
  wasmill new udf mean --lang zig --kind aggregate --dir src/mean`,
		Args: args(1, 1, "the plugin"),
		RunE: func(_ *cobra.Command, a []string) error {
			l, err := project.ParseLanguage(language)
			if err != nil {
				return err
			}
			k, err := project.ParseKind(kind)
			if err != nil {
				return err
			}
			o := f.projectOptions(dir, s)
			settings, err := host.Settings(o)
			if err != nil {
				return err
			}
			if dir == "" {
				dir = filepath.Join(settings.Plugins.Dir, a[0])
			}
			dir = filepath.Clean(dir)
			source, err := project.New{Name: a[0], Language: l, Kind: k, Dir: dir, Plugins: settings.Plugins.Dir, Schema: filepath.Join(o.Root, project.SchemaFile)}.Write()
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "name": a[0], "language": l, "kind": k, "dir": dir, "source": source})
				return nil
			}
			fmt.Fprintf(s.out, "%s is a plugin of kind %s in %s: its function is in %s\n\nnext:\n  wasmill build %[5]s\n  wasmill test %[5]s\n  wasmill dev %[5]s\n", a[0], k, l, safe(source), safe(dir))
			return nil
		},
	}
	c.Flags().StringVar(&language, "lang", string(project.Go), "language: go, rust, c, assemblyscript or zig")
	c.Flags().StringVar(&kind, "kind", "map", "kind: map, aggregate or process")
	c.Flags().StringVar(&dir, "dir", "", "folder of the source, named as the plugin is (default: NAME in the plugins folder)")
	return c
}
