package main

import "github.com/spf13/cobra"

func newCall(f *flags, s stdio) *cobra.Command { return &cobra.Command{Use: "call PLUGIN"} }
