package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func newCheckpoint(f *flags, s stdio) *cobra.Command {
	of := &checkpointFlags{}
	c := &cobra.Command{
		Use:   "checkpoint",
		Short: "List, show, verify, compare, delete and rehearse checkpoints",
		Long: `checkpoint looks at what a pipeline has stored, in a folder or a bucket, whether
it runs or not. Name the pipeline by its file, by --storage and --pipeline, or by --instance,
an instance in the background, which also knows the settings.
Keys of buckets are settings of the process: s3 in wasmill.yaml.`,
		Example: `  wasmill checkpoint list pipeline.yaml
  wasmill checkpoint list --instance access-log
  wasmill checkpoint show pipeline.yaml 42
  wasmill checkpoint verify --storage s3://bucket/prefix --pipeline access-log`,
		Args: args(1, 1, "one of list, show, verify, restore, delete and diff"),
		RunE: func(c *cobra.Command, a []string) error {
			return usageError(c, fmt.Sprintf("there is no command %q: use list, show, verify, restore, delete or diff", a[0]))
		},
	}
	c.PersistentFlags().StringVar(&of.storage, "storage", "", "where the checkpoints are, as file://./path or s3://bucket/prefix, instead of a pipeline file")
	c.PersistentFlags().StringVar(&of.pipeline, "pipeline", "", "name of the pipeline, with --storage")
	c.PersistentFlags().StringVar(&of.instance, "instance", "", "instance in the background, instead of a pipeline file")
	c.PersistentFlags().String("home", "", homeUsage)
	c.AddCommand(newCheckpointList(f, of, s), newCheckpointShow(f, of, s), newCheckpointVerify(f, of, s), newCheckpointRestore(f, of, s), newCheckpointDelete(f, of, s), newCheckpointDiff(f, of, s))
	return c
}

const bothNamed = "--instance names a pipeline, and so do --storage and --pipeline: choose"

// checkpointFlags name a pipeline without its file.
type checkpointFlags struct{ storage, pipeline, instance string }

// with opens the checkpoints that a command line names for the time of use. Behind the
// pipeline file come least to most epochs, most < 0 for any.
func (of *checkpointFlags) with(c *cobra.Command, f *flags, s stdio, a []string, least, most int, use func(*control.Checkpoints, []stream.Epoch) error) (err error) {
	from := host.CheckpointsOf{Storage: of.storage, Pipeline: of.pipeline}
	switch {
	case of.instance != "" && (of.storage != "" || of.pipeline != ""):
		return usageError(c, bothNamed)
	case (of.storage == "") != (of.pipeline == ""):
		return usageError(c, "--storage and --pipeline go together")
	case of.storage != "" || of.instance != "":
	default:
		if err := of.file(c, a); err != nil {
			return err
		}
		from.File, a = a[0], a[1:]
	}
	epochs, err := parseEpochs(c, a, least, most)
	if err != nil {
		return err
	}
	o := f.options(nil, s)
	if of.instance != "" {
		if from, o, err = checkpointsOf(c, of.instance); err != nil {
			return err
		}
	}
	all, err := host.Checkpoints(from, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	return use(all, epochs)
}

// checkpointsOf are those of an instance, with the settings to look at them.
func checkpointsOf(c *cobra.Command, name string) (of host.CheckpointsOf, o host.Options, err error) {
	if err := noSettings(c); err != nil {
		return of, o, err
	}
	i, err := instanceOf(c, name)
	if err != nil {
		return of, o, err
	}
	o, err = i.Placed(os.Environ())
	o.Compiler, o.Version = compiler(), versions()["wasmill"]
	return host.CheckpointsOf{File: i.PipelineFile()}, o, err
}

// file makes sure that the first argument is a pipeline file and not an epoch.
func (of *checkpointFlags) file(c *cobra.Command, a []string) error {
	or := ""
	if of.storage == "" {
		or = ", or --storage and --pipeline, or --instance"
	}
	if len(a) == 0 {
		return usageError(c, "name a pipeline file"+or)
	}
	_, missing := os.Stat(a[0])
	if _, bad := strconv.ParseUint(a[0], 10, 64); bad == nil && missing != nil {
		return usageError(c, "name a pipeline file before the epoch"+or)
	}
	return nil
}

func parseEpochs(c *cobra.Command, a []string, least, most int) ([]stream.Epoch, error) {
	switch {
	case len(a) < least && most != 1 && least > 1:
		return nil, usageError(c, fmt.Sprintf("name %d epochs", least))
	case len(a) < least:
		return nil, usageError(c, "name an epoch; wasmill checkpoint list shows them")
	case most >= 0 && len(a) > most:
		return nil, usageError(c, fmt.Sprintf("too many arguments: %s", c.UseLine()))
	}
	var epochs []stream.Epoch
	for _, text := range a {
		e, err := strconv.ParseUint(text, 10, 64)
		if err != nil || e == 0 {
			return nil, usageError(c, fmt.Sprintf("%.40q is not an epoch: it is a number that wasmill checkpoint list shows", text))
		}
		epochs = append(epochs, stream.Epoch(e))
	}
	return epochs, nil
}

// orNewest returns the only epoch, or the newest if none was named.
func orNewest(c *cobra.Command, all *control.Checkpoints, epochs []stream.Epoch) (stream.Epoch, error) {
	if len(epochs) == 1 {
		return epochs[0], nil
	}
	return all.Newest(c.Context())
}
