package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/diagram"
)

func newGraph(f *flags, s stdio) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "graph PIPELINE",
		Short:   "Draw a pipeline as Mermaid, DOT or SVG",
		Example: "  wasmill graph pipeline.yaml --format svg > pipeline.svg",
		Args:    args(1, 1, "a pipeline file"),
		RunE: func(c *cobra.Command, files []string) error {
			p, err := host.Load(files[0], f.options(nil, s))
			if err != nil {
				return err
			}
			g := diagram.Of(p)
			if f.json {
				printJSON(s.out, g)
				return nil
			}
			formats := map[string]func() string{"mermaid": g.Mermaid, "dot": g.DOT, "svg": g.SVG}
			draw, ok := formats[format]
			if !ok {
				return usageError(c, fmt.Sprintf("there is no format %q: use mermaid, dot or svg", format))
			}
			_, err = fmt.Fprint(s.out, draw())
			return err
		},
	}
	c.Flags().StringVarP(&format, "format", "f", "mermaid", "mermaid, dot or svg")
	return c
}
