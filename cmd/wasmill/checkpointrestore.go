package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func newCheckpointRestore(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "restore PIPELINE [EPOCH] [--storage URL [--pipeline NAME]]",
		Short: "Tell what a restore would make of a checkpoint, without doing it",
		Long: `restore loads the pipeline with its plugins, reads every object of the checkpoint
and tells for each vertex what fits and what would be dropped. It changes nothing
and runs nothing: wasmill run --from EPOCH goes on from it for real, and wasmill
run alone from the newest. Without an epoch it takes the newest; --storage names
checkpoints elsewhere, of a pipeline with the same name if --pipeline names no
other. It ends with code 2 if something would be dropped and with code 3 if the
checkpoint is damaged.`,
		Example: `  wasmill checkpoint restore pipeline.yaml
  wasmill checkpoint restore pipeline.yaml 42 --storage s3://bucket/backup`,
		RunE: func(c *cobra.Command, a []string) error { return rehearse(c, f, of, s, a) },
	}
}

// rehearse tells what the restore of a checkpoint would do.
func rehearse(c *cobra.Command, f *flags, of *checkpointFlags, s stdio, a []string) (err error) {
	ctx := c.Context()
	from, o := host.CheckpointsOf{Storage: of.storage, Pipeline: of.pipeline}, f.options(nil, s)
	switch {
	case of.instance != "" && (of.storage != "" || of.pipeline != ""):
		return usageError(c, bothNamed)
	case of.instance != "":
		if from, o, err = checkpointsOf(c, of.instance); err != nil {
			return err
		}
	case of.file(c, a) != nil:
		return of.file(c, a)
	case of.storage == "" && of.pipeline != "":
		return usageError(c, "--pipeline names one in --storage")
	default:
		from.File, a = a[0], a[1:]
	}
	epochs, err := parseEpochs(c, a, 0, 1)
	if err != nil {
		return err
	}
	o.Files = []string{from.File}
	h, err := host.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	all, err := host.Checkpoints(from, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	e, err := orNewest(c, all, epochs)
	if err != nil {
		return err
	}
	shown := newReading(s, f.json)
	fit, err := all.Fit(ctx, e, h.Pipelines()[0].Durable, shown.show)
	shown.clear()
	if err != nil {
		return err
	}
	return reportFit(f, s, all, fit)
}

// reportFit says what fits, and ends with an error if not all does.
func reportFit(f *flags, s stdio, all *control.Checkpoints, fit *control.CheckpointFit) error {
	whole := len(fit.Problems) == 0
	if f.json {
		printJSON(s.out, map[string]any{"ok": whole && fit.Fits, "pipeline": all.Pipeline, "storage": all.Storage, "restore": fit})
	} else if err := printFit(s.out, fit); err != nil {
		return err
	}
	switch {
	case !whole && f.json:
		return exitError(stream.ExitEnvironment)
	case !whole:
		return damagedCheckpoint(s, all, &fit.Verification)
	case !fit.Fits && f.json:
		return exitError(stream.ExitInput)
	case !fit.Fits:
		return &stream.Error{
			Code: stream.CheckpointUnfit, Where: all.Storage, Why: fmt.Sprintf("not all of epoch %d of %s fits the pipeline", fit.Epoch, all.Pipeline),
			Fix: "bring back what it was taken with; wasmill run --allow-dropped-state goes on without the rest",
		}
	case !f.json:
		fmt.Fprintf(s.out, "\nepoch %d of %s fits and is whole: %s, %s beside its manifest\n", fit.Epoch, all.Pipeline, counted(fit.Objects, "object"), humanBytes(float64(fit.Bytes)))
	}
	return nil
}

func printFit(out io.Writer, fit *control.CheckpointFit) error {
	if len(fit.Vertices) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERTEX\tFITS\tHAS\tNOTE")
	for i := range fit.Vertices {
		v := &fit.Vertices[i]
		fits := "yes"
		if !v.Fits {
			fits = "NO"
		}
		var notes []string
		for _, x := range v.Findings {
			notes = append(notes, x.What)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", safe(string(v.Vertex)), fits, safe(orWord(strings.Join(has(v), ", "), "-")), safe(orWord(strings.Join(notes, "; "), "-")))
	}
	return w.Flush()
}

// has lists what a checkpoint has of a vertex.
func has(v *control.VertexFit) (parts []string) {
	if v.Position != "" {
		parts = append(parts, "position "+v.Position)
	}
	if v.Entries > 0 {
		parts = append(parts, fmt.Sprintf("%s of state, %s", counted(v.Entries, "entry"), humanBytes(float64(v.Bytes))))
	}
	if v.InFlight > 0 {
		parts = append(parts, counted(v.InFlight, "record")+" in flight")
	}
	if v.Commit {
		parts = append(parts, "output to commit")
	}
	return parts
}
