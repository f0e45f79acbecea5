package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/admin"
)

func newPhase(f *flags, s stdio) *cobra.Command {
	var at *string
	c := &cobra.Command{
		Use:   "phase PIPELINE running|paused",
		Short: "Pause a pipeline that runs, or let it go on",
		Long: `phase asks the process that runs a pipeline for a phase of it. paused ends the
reading of its sources and lets through what they have read; wasmill status tells
how far that is. running lets it go on. The next change of phase in the pipeline's
file wins over what was asked for here.`,
		Example: `  wasmill phase access-log paused
  wasmill phase access-log running --admin 127.0.0.1:7677`,
		Args: args(2, 2, "a pipeline, and running or paused"),
		RunE: func(c *cobra.Command, a []string) error {
			phase := admin.Phase(a[1])
			if !slices.Contains(admin.Phases(), phase) {
				return usageError(c, fmt.Sprintf("%.40q is no phase: use running or paused", a[1]))
			}
			path, err := pipelinePath(a[0])
			if err != nil {
				return err
			}
			cl, err := newClient(c, f, s, *at)
			if err != nil {
				return err
			}
			var answer json.RawMessage
			if err := cl.post(c.Context(), path+"/phase", map[string]admin.Phase{"phase": phase}, &answer); err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "pipeline": a[0], "phase": phase, "answer": answer})
				return nil
			}
			_, err = fmt.Fprintf(s.out, "pipeline %s is asked to be %s; wasmill status %s tells how far it is\n", a[0], phase, a[0])
			return err
		},
	}
	at = adminFlag(c)
	return c
}
