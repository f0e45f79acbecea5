package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/plan"
)

func newValidate(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [PIPELINE…]",
		Short: "Check pipelines and their plugins without running them",
		Long:  "validate reads the config, loads every plugin and checks that they fit together. It opens no source and no sink. For a pipeline with checkpoints it says how often each sink shows a record after a crash: exactly-once or at-least-once. It says what cannot change while the pipeline runs. Without a file it checks the pipelines folder.",
		RunE: func(c *cobra.Command, files []string) (err error) {
			ctx := c.Context()
			h, err := host.Open(ctx, f.options(files, s))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
			type valid struct {
				Pipeline string `json:"pipeline"`
				File     string `json:"file"`
				Vertices int    `json:"vertices"`
				Edges    int    `json:"edges"`

				Fixed []string                `json:"fixed"`           // what cannot be changed while it runs, or once it has run
				Sinks []control.SinkGuarantee `json:"sinks,omitempty"` // of a pipeline with checkpoints
				Lost  []string                `json:"lost,omitempty"`  // what a crash loses in spite of them
			}
			var all []valid
			for _, p := range h.Pipelines() {
				v := valid{Pipeline: p.Name, File: p.File, Vertices: len(p.Config.Vertices), Edges: len(p.Config.Edges), Sinks: control.Guarantees(p.Config, filepath.Dir(p.File))}
				for _, x := range p.Config.Vertices {
					if x.Source != nil && x.Source.Kind == "stdin" && p.Durable != nil {
						v.Lost = append(v.Lost, fmt.Sprintf("source %s (stdin) cannot be read again: what it gave after the last checkpoint is lost in a crash", x.Name))
					}
					if x.State.Memory {
						v.Fixed = append(v.Fixed, fmt.Sprintf("%s has state: memory: once it has run, its plugin, params and partitions (%d) are fixed", x.Name, x.Partitions))
					}
				}
				v.Fixed = append(v.Fixed, fixed(p))
				all = append(all, v)
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "pipelines": all})
				return nil
			}
			for _, v := range all {
				fmt.Fprintf(s.out, "%s: pipeline %s is valid: %d vertices, %d edges\n", v.File, v.Pipeline, v.Vertices, v.Edges)
				for _, f := range v.Fixed {
					fmt.Fprintf(s.out, "  %s\n", f)
				}
				for _, l := range v.Lost {
					fmt.Fprintf(s.out, "  %s\n", l)
				}
				for _, g := range v.Sinks {
					fmt.Fprintf(s.out, "  sink %s (%s) is %s\n", g.Sink, g.Kind, explained(g.Guarantee))
				}
			}
			return nil
		},
	}
}

// fixed says what of a pipeline cannot change while it runs.
func fixed(p *host.Pipeline) string {
	switch {
	case p.Durable == nil:
		return "while it runs, what wasmill plan --classes calls graph or restart is fixed, as there is no checkpoint that another graph could go on from"
	case slices.ContainsFunc(p.Config.Vertices, func(v config.Vertex) bool { return v.Source != nil && v.Source.Kind == "stdin" }):
		return "while it runs, what wasmill plan --classes calls graph or restart is fixed, as standard input cannot be read again"
	}
	var fields []string
	for _, f := range plan.Fields() {
		if f.Class == plan.Restart {
			fields = append(fields, f.Field)
		}
	}
	return fmt.Sprintf("while it runs, all can change but %s", strings.Join(fields, ", "))
}

// explained says what a guarantee means.
func explained(g control.Guarantee) string {
	switch g {
	case control.ExactlyOnce:
		return string(g) + ": output appears with the checkpoint that has it"
	case control.AtLeastOnce:
		return string(g) + ": after a crash, what was written after the last checkpoint is written again"
	}
	return string(g)
}
