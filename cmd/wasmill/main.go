package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// memorySample is how many bytes of allocations the profile of memory takes a sample of.
// Stacks through guests are those of no other version of a plugin, and the profile keeps
// each stack that it has sampled for ever: so it samples less than by default.
const memorySample = 8 << 20

func main() {
	runtime.MemProfileRate = memorySample
	os.Exit(run(context.Background(), os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is the process's streams, so that tests can bring their own.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s stdio) int {
	root := newRoot(s)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var code exitError
	if errors.As(err, &code) {
		return exitCode(command, int(code))
	}
	if command.Name() == "run" {
		s.out = s.err // standard output is for records
	}
	asJSON := root.PersistentFlags().Lookup("json").Value.String() == "true"
	report(s, asJSON || slices.Contains(args, "--json"), err) // which may stand behind a flag that there is none of
	return exitCode(command, stream.ExitCode(err))
}

// exitError ends the process with a code, after everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }
