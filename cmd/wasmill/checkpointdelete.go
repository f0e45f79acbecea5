package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

type deleteFlags struct{ yes, force, collect bool }

func newCheckpointDelete(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	var d deleteFlags
	c := &cobra.Command{
		Use:   "delete PIPELINE EPOCH… | --storage URL --pipeline NAME EPOCH…",
		Short: "Delete checkpoints",
		Long: `delete makes checkpoints go, after it has asked. The newest stays without --force:
it is what the pipeline goes on from, and after it epochs are counted. State that
only the deleted ones need goes when the pipeline next collects, as a process
that runs it may still build on it; with --collect it goes at once. That takes
the pipeline over: a process that runs it ends with code 4.`,
		Example: `  wasmill checkpoint delete pipeline.yaml 40 41
  wasmill checkpoint delete --storage s3://bucket/prefix --pipeline access-log 42 --force --collect --yes`,
		RunE: func(c *cobra.Command, a []string) error {
			return of.with(c, f, s, a, 1, -1, func(all *control.Checkpoints, epochs []stream.Epoch) error {
				return deleteCheckpoints(c, f, d, s, all, epochs)
			})
		},
	}
	c.Flags().BoolVar(&d.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&d.force, "force", false, "also delete the newest")
	c.Flags().BoolVar(&d.collect, "collect", false, "free the space at once; no process may run the pipeline")
	return c
}

func deleteCheckpoints(c *cobra.Command, f *flags, d deleteFlags, s stdio, all *control.Checkpoints, epochs []stream.Epoch) error {
	deletion, err := all.Deletable(c.Context(), epochs, d.force)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range deletion.Epochs {
		names = append(names, fmt.Sprint(e))
	}
	what := fmt.Sprintf("epoch %s of %s in %s", strings.Join(names, " and "), all.Pipeline, all.Storage)
	if !d.yes {
		if f.json || !confirmed(s, "delete "+what) {
			return usageError(c, "nothing is deleted without a yes: answer y, or add --yes")
		}
	}
	if err := all.Delete(c.Context(), deletion.Epochs); err != nil {
		return err
	}
	collected := 0
	if d.collect {
		if collected, err = all.Collect(c.Context(), versions()["wasmill"]); err != nil {
			return err
		}
	}
	switch {
	case f.json:
		printJSON(s.out, map[string]any{"ok": true, "pipeline": all.Pipeline, "storage": all.Storage, "deleted": deletion, "collected_objects": collected})
	case d.collect:
		fmt.Fprintf(s.out, "deleted %s, and %s that no other needs\n", what, counted(collected, "object"))
	default:
		fmt.Fprintf(s.out, "deleted %s; %s go when the pipeline next collects\n", what, humanBytes(float64(deletion.Frees)))
	}
	return nil
}

// confirmed asks a person.
func confirmed(s stdio, what string) bool {
	fmt.Fprintf(s.err, "%s? [y/N] ", what)
	answer, _ := bufio.NewReader(s.in).ReadString('\n') // no answer is no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
