package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/doctor/examine"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

func newDoctor(f *flags, s stdio) *cobra.Command {
	var fix bool
	c := &cobra.Command{
		Use:   "doctor [PIPELINE…]",
		Short: "Find what is wrong with this machine, its settings and its pipelines",
		Long: `doctor looks at all that a run needs, and says for each thing what is wrong and what to
do: tools to build plugins with, the plugins folder and every plugin in it, pipelines
(those of the pipelines folder if none is named) and the stores of their checkpoints,
data.dir, cache.dir, admin.listen and the token, the clock, limits of the process, what
processes have left that were killed, and instances in the background.

It changes nothing, but for what a start does, too: stores are tried by creating an
object that is deleted again, data.dir by a file, and compiled plugins are kept in
cache.dir. With --fix it also does what loses nothing: it makes folders, takes rights of
others from the file of the token, and removes sockets and half made files of processes
that are gone. It says each of that, and looks again.

Of the severities, error is what keeps a run from working; a warning is about what works
not for all or not for ever; info says what is not there and need not be. The exit code
is 0 without errors, else that of the worst: wasmill explain CODE tells of it.`,
		Example: `  wasmill doctor
  wasmill doctor pipeline.yaml --fix
  wasmill doctor --json`,
		RunE: func(c *cobra.Command, files []string) error {
			home, err := instance.HomeDir(flagOf(c, "home"), os.Getenv)
			if e, ok := errors.AsType[*stream.Error](err); ok && e.Where == "--home" {
				home = "" // this user has none, and so no instances
			} else if err != nil {
				return err
			}
			o := examine.Options{Host: f.options(files, s), Home: home, Tools: examine.Tool}
			found := doctor.Findings(examine.Look(c.Context(), o))
			var mended []mendedJSON
			if fix {
				if mended = mend(found); mended != nil {
					found = doctor.Findings(examine.Look(c.Context(), o))
				}
			}
			return printFindings(c.Context(), f, s, mended, found)
		},
	}
	c.Flags().BoolVar(&fix, "fix", false, "do what loses nothing, and say it")
	homeFlag(c)
	return c
}

type mendedJSON struct {
	Repair string     `json:"repair"`
	Error  *faultJSON `json:"error,omitempty"` // why it could not be done
}

// mend does what findings propose.
func mend(found []doctor.Finding) (all []mendedJSON) {
	for _, one := range found {
		if one.Repair == nil {
			continue
		}
		m := mendedJSON{Repair: one.Repair.String()}
		if e, ok := errors.AsType[*stream.Error](examine.Mend(*one.Repair)); ok {
			m.Error = &faultsJSON([]*stream.Error{e})[0]
		}
		all = append(all, m)
	}
	return all
}

// printFindings prints what was mended and what is left. Its error is the exit code.
func printFindings(ctx context.Context, f *flags, s stdio, mended []mendedJSON, found []doctor.Finding) error {
	exit := doctor.Exit(found)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.json:
		printJSON(s.out, map[string]any{"ok": exit == 0, "exit": exit, "fixed": append([]mendedJSON{}, mended...), "findings": found})
	default:
		for _, m := range mended {
			if m.Error == nil {
				fmt.Fprintf(s.out, "fixed    %s\n", safe(m.Repair))
			} else {
				fmt.Fprintf(s.out, "not done %s: %s\n", safe(m.Repair), safe(m.Error.Why))
			}
		}
		count := make(map[doctor.Severity]int)
		for _, one := range found {
			count[one.Severity]++
			printFinding(s, one)
		}
		fmt.Fprintf(s.out, "errors: %d, warnings: %d\n", count[doctor.Error], count[doctor.Warning])
	}
	if exit != 0 {
		return exitError(exit)
	}
	return nil
}

func printFinding(s stdio, one doctor.Finding) {
	lines := strings.Split(one.What, "\n")
	for i, l := range lines {
		lines[i] = safe(l)
	}
	if one.Code != "" {
		lines[len(lines)-1] += " [" + string(one.Code) + "]"
	}
	fmt.Fprintf(s.out, "%-8s %s: %s\n", one.Severity, safe(one.About), strings.Join(lines, "\n         "))
	if one.Fix != "" {
		fmt.Fprintf(s.out, "         fix: %s\n", safe(one.Fix))
	}
}
