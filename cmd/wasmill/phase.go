package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

func newPhase(f *flags, s stdio) *cobra.Command {
	var at *string
	c := &cobra.Command{
		Use:   "phase [PIPELINE] running|paused",
		Short: "Pause a pipeline that runs, or let it go on",
		Long: `phase asks the process that runs a pipeline for a phase of it. paused ends the
reading of its sources and lets through what they have read; wasmill status tells
how far that is. running lets it go on. The next change of phase in the pipeline's
file wins over what was asked for here. PIPELINE may be left out if the process runs
one alone, as that of an instance does.`,
		Example: `  wasmill phase access-log paused
  wasmill phase access-log running --admin 127.0.0.1:7677
  wasmill phase paused --instance my-instance`,
		Args: args(1, 2, "a pipeline, and running or paused"),
		RunE: func(c *cobra.Command, a []string) error {
			last := len(a) - 1
			name, phase := a[0], admin.Phase(a[last])
			if !slices.Contains(admin.Phases(), phase) {
				return usageError(c, fmt.Sprintf("%.40q is no phase: use running or paused", a[last]))
			}
			cl, err := newClient(c, f, s, *at)
			if err != nil {
				return err
			}
			if last == 0 {
				all, err := cl.pipelines(c.Context())
				if err != nil {
					return err
				}
				if name, err = onlyOne(c, all); err != nil {
					return err
				}
			}
			path, err := pipelinePath(name)
			if err != nil {
				return err
			}
			var answer json.RawMessage
			if err := cl.post(c.Context(), path+"/phase", map[string]admin.Phase{"phase": phase}, &answer); err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "pipeline": name, "phase": phase, "answer": answer})
				return nil
			}
			_, err = fmt.Fprintf(s.out, "pipeline %s is asked to be %s; wasmill status %s tells how far it is\n", name, phase, name)
			return err
		},
	}
	at = adminFlag(c)
	return c
}

// onlyOne returns the pipeline that is meant by none, if the process runs one alone.
func onlyOne(c *cobra.Command, all []seenPipeline) (string, error) {
	if len(all) == 1 {
		return all[0].Pipeline, nil
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Pipeline)
	}
	fix := "name one of " + strings.Join(names, ", ")
	if names == nil {
		fix = "wasmill status shows what it does"
	}
	return "", &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: fmt.Sprintf("the process runs %d pipelines, and none is named", len(all)), Fix: fix}
}
