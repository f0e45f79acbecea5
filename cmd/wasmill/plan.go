package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/stream"
)

func newPlan(f *flags, s stdio) *cobra.Command {
	var classes bool
	c := &cobra.Command{
		Use:   "plan OLD NEW",
		Short: "Tell what changes between two configs of a pipeline, and what applying it takes",
		Long: `plan checks two files of a pipeline as validate does, and lists the values that
differ, each with what it takes to apply it to the pipeline while it runs:

  live      it is applied while everything runs
  vertex    a vertex is swapped in place, the others run on
  graph     a checkpoint, then a new graph that goes on from it
  restart   the process has to be started again

The highest of them is that of the whole. --set holds for both files. It runs and
changes nothing, and ends with code 0 if nothing differs or all can be applied, and
with code 2 if a restart is needed. --classes lists all settings of a pipeline with
their classes, and takes no files.`,
		Example: `  wasmill plan running.yaml edited.yaml
  wasmill plan --classes`,
		Args: func(c *cobra.Command, files []string) error {
			if classes && len(files) > 0 {
				return usageError(c, "--classes takes no files")
			} else if classes {
				return nil
			}
			return args(2, 2, "two files: the pipeline as it is, and as it is to be")(c, files)
		},
		RunE: func(c *cobra.Command, files []string) error {
			if classes {
				return printClasses(f, s)
			}
			return comparePipelines(c.Context(), f, s, files[0], files[1])
		},
	}
	c.Flags().BoolVar(&classes, "classes", false, "list all settings of a pipeline with their classes")
	return c
}

// comparePipelines prints the plan from one file to another.
func comparePipelines(ctx context.Context, f *flags, s stdio, from, to string) error {
	if _, err := host.Settings(f.options(nil, s)); err != nil {
		return err // once, and not for each file
	}
	old, errOld := checked(ctx, f, s, from)
	new, errNew := checked(ctx, f, s, to)
	if err := errors.Join(errOld, errNew); err != nil {
		return err
	}
	p := plan.Of(old, new)
	applies := p.Class() != plan.Restart
	if f.json {
		printJSON(s.out, map[string]any{"ok": applies, "pipeline": new.Name, "plan": p})
	} else {
		fmt.Fprintf(s.out, "%s: %s", new.Name, p)
	}
	if !applies {
		return exitError(stream.ExitInput)
	}
	return nil
}

// checked loads a pipeline with its plugins, as validate does.
func checked(ctx context.Context, f *flags, s stdio, file string) (*config.Pipeline, error) {
	h, err := host.Open(ctx, f.options([]string{file}, s))
	if err != nil {
		return nil, err
	}
	return h.Pipelines()[0].Config, h.Close(context.WithoutCancel(ctx))
}

// printClasses lists the fields of a pipeline.
func printClasses(f *flags, s stdio) error {
	if f.json {
		printJSON(s.out, map[string]any{"ok": true, "fields": plan.Fields()})
		return nil
	}
	return writeClasses(s.out)
}

func writeClasses(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tCLASS\tNOTE")
	for _, f := range plan.Fields() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Field, f.Class, orWord(f.Note, "-"))
	}
	return w.Flush()
}
