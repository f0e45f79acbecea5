package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/project"
)

func newInit(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Begin a folder for pipelines and plugins",
		Long: `init makes, in the working directory or in DIR,

  wasmill.yaml            settings of the process, all as they are by default
  pipelines/example.yaml  a pipeline that runs, and needs no plugin
  plugins/                where plugins are
  .wasmill/               JSON Schemas, which the first lines of YAML files name: an
                          editor that knows them completes keys and marks mistakes
  .gitignore

What is there already stays as it is. wasmill schema prints the schemas of a newer wasmill.`,
		Example: `  wasmill init
  wasmill init orders && cd orders && wasmill run pipelines/example.yaml`,
		Args: args(0, 1, "at most one folder"),
		RunE: func(_ *cobra.Command, a []string) error {
			dir := "."
			if len(a) > 0 {
				dir = a[0]
			}
			made, err := project.Begin(dir)
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "files": made})
				return nil
			}
			for _, m := range made {
				what := "made   "
				if !m.New {
					what = "is there"
				}
				fmt.Fprintf(s.out, "%-8s  %s\n", what, safe(m.Path))
			}
			fmt.Fprintln(s.out, "\nnext:")
			if dir != "." {
				fmt.Fprintf(s.out, "  cd %s\n", safe(dir))
			}
			fmt.Fprintln(s.out, "  wasmill run pipelines/example.yaml\n  wasmill new udf shout")
			return nil
		},
	}
}
