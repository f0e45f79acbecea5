package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/config"
)

func newSchema(s stdio) *cobra.Command {
	schemas := map[string]func() string{"pipeline": config.PipelineSchema, "process": config.ProcessSchema}
	kinds := slices.Sorted(maps.Keys(schemas))
	return &cobra.Command{
		Use:   "schema [pipeline|process]",
		Short: "Print the JSON Schema of a pipeline file, or of wasmill.yaml",
		Long: `schema prints a JSON Schema (2020-12), of pipeline files unless process is named: every
key with its type, its default and what it is for. An editor that has it completes keys
and marks mistakes: write it into a file, and name that in the first line of the YAML,
as in

  # yaml-language-server: $schema=pipeline.schema.json

It accepts all that wasmill does. What it cannot know, such as whether an edge leads
somewhere, wasmill validate says.`,
		Example: `  wasmill schema > pipeline.schema.json
  wasmill schema process > process.schema.json`,
		Args:      args(0, 1, strings.Join(kinds, " or ")),
		ValidArgs: kinds,
		RunE: func(c *cobra.Command, given []string) error {
			kind := "pipeline"
			if len(given) > 0 {
				kind = given[0]
			}
			schema, ok := schemas[kind]
			if !ok {
				return usageError(c, fmt.Sprintf("there is no schema of %.40q: name %s", kind, strings.Join(kinds, " or ")))
			}
			_, err := fmt.Fprint(s.out, schema())
			return err
		},
	}
}
