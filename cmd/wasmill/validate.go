package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
)

func newValidate(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [PIPELINE…]",
		Short: "Check pipelines and their plugins without running them",
		Long:  "validate reads the config, loads every plugin and checks that they fit together. It opens no source and no sink. Without a file it checks the pipelines folder.",
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

				Fixed []string `json:"fixed,omitempty"` // what cannot be changed once it has run
			}
			var all []valid
			for _, p := range h.Pipelines() {
				v := valid{Pipeline: p.Name, File: p.File, Vertices: len(p.Config.Vertices), Edges: len(p.Config.Edges)}
				for _, x := range p.Config.Vertices {
					if x.State.Memory {
						v.Fixed = append(v.Fixed, fmt.Sprintf("%s has state: memory: once it has run, its plugin, params and partitions (%d) are fixed", x.Name, x.Partitions))
					}
				}
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
			}
			return nil
		},
	}
}
