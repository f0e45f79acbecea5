package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

func newCreate(f *flags, s stdio) *cobra.Command {
	var p instance.Plan
	var w waitFlags
	c := &cobra.Command{
		Use:   "create NAME -f PIPELINE",
		Short: "Run a pipeline in the background, as an instance with a name",
		Long: `create checks a pipeline with all its plugins, saves it as an instance, and starts that
in the background, where it goes on when the terminal is closed. If it crashes it is started
again. Its pipeline has the name of the instance, so that several of one file have
checkpoints of their own.

What is saved is a copy of the pipeline file, and the settings: those of --config, of --set
and --plugins and of the environment (WASMILL_…). The copy may be edited while it runs, and
is followed; wasmill status NAME says where it is. Paths in it stay relative to the folder of
the file that it was copied from, and those in settings to this folder. Secrets are not
saved: what they refer to has to be there, and in the environment of who resumes it.

Nothing is changed if NAME exists, or if something is wrong. With checkpoints of a pipeline
with that name in the store it is refused, unless --restore goes on from them.

It returns when the instance has begun, or with --wait when all vertices and instances are
ready, of which it tells on standard error. When --timeout is over it ends with code 3, and
the instance goes on: it can be shut down, resumed or deleted.`,
		Example: `  wasmill create access-log -f pipeline.yaml --wait
  wasmill create second -f pipeline.yaml --data-dir /var/lib/second --set checkpoint.interval=5s`,
		Args: func(c *cobra.Command, given []string) error {
			if len(given) == 2 && p.File == "" {
				return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: "the pipeline file is named with -f", Fix: c.CommandPath() + " " + given[0] + " -f " + given[1]}
			}
			return args(1, 1, "one instance")(c, given)
		},
		RunE: func(c *cobra.Command, a []string) error {
			if p.File == "" {
				return usageError(c, "name the pipeline file with -f")
			}
			if err := errors.Join(w.check(c), emptyFlag(c, "data-dir")); err != nil {
				return err
			}
			h, err := homeOf(c)
			if err != nil {
				return err
			}
			p.Name, p.Options = a[0], f.options(nil, s)
			i, err := h.Create(c.Context(), p)
			if err != nil {
				return err
			}
			return w.start(c, f, s, i, "created")
		},
	}
	c.Flags().StringVarP(&p.File, "file", "f", "", "the pipeline file")
	c.Flags().StringVar(&p.Data, "data-dir", "", "folder for what it keeps, new or empty (default: in its own folder)")
	c.Flags().BoolVar(&p.Restore, "restore", false, "go on from checkpoints that the store has of a pipeline with this name")
	w.add(c)
	homeFlag(c)
	return c
}

// emptyFlag refuses a flag that was given with nothing.
func emptyFlag(c *cobra.Command, name string) error {
	if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
		return usageError(c, "--"+name+" is empty")
	}
	return nil
}
