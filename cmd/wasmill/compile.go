package main

import (
	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
)

// compileCommand is how wasmill calls itself to compile a plugin.
const compileCommand = "compile-plugin"

func newCompile(s stdio) *cobra.Command {
	return &cobra.Command{
		Use:    compileCommand,
		Short:  "Compile a plugin for the process that called",
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if exit := host.CompileMain(c.Context(), args, s.in, s.out); exit != 0 {
				return exitError(exit)
			}
			return nil
		},
	}
}
