package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func newCheckpointList(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "list PIPELINE | --storage URL --pipeline NAME",
		Short: "List the checkpoints of a pipeline, the newest first",
		Long: `list shows each checkpoint with its state: complete; committing, when its sinks
have yet to commit; damaged, when it cannot be restored; abandoned, when a later
run began with an older one; orphaned, when it was never published, because it is
under way or was left behind. NEW is what changed since the one before, TOTAL
what a restore reads.`,
		Example: `  wasmill checkpoint list pipeline.yaml
  wasmill checkpoint list --storage file://./data/checkpoints --pipeline access-log --json`,
		RunE: func(c *cobra.Command, a []string) error {
			return of.with(c, f, s, a, 0, 0, func(all *control.Checkpoints, _ []stream.Epoch) error {
				list, err := all.List(c.Context())
				if err != nil {
					return err
				}
				switch {
				case f.json:
					printJSON(s.out, map[string]any{"ok": true, "pipeline": all.Pipeline, "storage": all.Storage, "checkpoints": list})
				case len(list) == 0:
					return printNone(c, s, all)
				default:
					return printList(s, list, time.Now())
				}
				return nil
			})
		},
	}
}

// printNone says that there is none yet, which is no error of a list.
func printNone(c *cobra.Command, s stdio, all *control.Checkpoints) error {
	_, err := all.Newest(c.Context())
	e, ok := errors.AsType[*stream.Error](err)
	if !ok || e.Code != stream.Usage {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n  %s\n", e.Reason(), e.Fix)
	return err
}

func printList(s stdio, list []control.CheckpointEntry, now time.Time) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EPOCH\tSTATE\tAGE\tNEW\tTOTAL\tVERTICES\tINTERVAL\tREVISION")
	for _, e := range list {
		if e.Vertices == 0 {
			fmt.Fprintf(w, "%d\t%s\t%s\t\t\t\t\t\n", e.Epoch, e.State, age(now.Sub(e.Created)))
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%d\n", e.Epoch, e.State, age(now.Sub(e.Created)),
			humanBytes(float64(e.NewBytes)), humanBytes(float64(e.TotalBytes)), e.Vertices, interval(e), e.Revision)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, e := range list {
		if e.Error != "" {
			fmt.Fprintf(s.out, "epoch %d is damaged: %s\n", e.Epoch, safe(e.Error))
		}
	}
	return nil
}

// interval tells that in force for a checkpoint.
func interval(e control.CheckpointEntry) string {
	text := time.Duration(e.Interval).String()
	switch {
	case e.Interval == 0:
		text = "on request"
	case e.Adaptive:
		text += " (adaptive)"
	}
	return text
}

// age prints a span roughly, in one or two units.
func age(d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
