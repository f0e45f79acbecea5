package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

func newList(f *flags, s stdio) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the instances in the background",
		Long: `list shows the instances of the folder of --home: their state and for how long, whether all
of them is ready, their processes (of the keeper, and of its worker), their own pipeline
file and their data. It ends with code 3 if what is kept of one cannot be read, and shows
the others.`,
		Example: `  wasmill list --json`,
		Args:    args(0, 0, "no instance, as it lists all: wasmill status NAME tells of one"),
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := homeOf(c)
			if err != nil {
				return err
			}
			names, err := h.Names()
			if err != nil {
				return err
			}
			all := []instance.Seen{}
			var errs []error
			for _, name := range names {
				i, err := h.Open(name)
				var seen instance.Seen
				if err == nil {
					seen, err = i.See()
				}
				switch {
				case err == nil:
					all = append(all, seen)
				case stream.CodeOf(err) != stream.InstanceUnknown: // else it went meanwhile
					errs = append(errs, err)
				}
			}
			if err := errors.Join(errs...); err != nil {
				if !f.json {
					_ = printInstances(s, all) // what follows says more
				}
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "home": h.Dir, "instances": all})
				return nil
			}
			if len(all) == 0 {
				_, err := fmt.Fprintf(s.out, "there are no instances in %s; wasmill create makes one\n", safe(h.Dir))
				return err
			}
			return printInstances(s, all)
		},
	}
	homeFlag(c)
	return c
}

func printInstances(s stdio, all []instance.Seen) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tREADY\tPID\tFOR\tPIPELINE\tDATA\tREASON")
	for _, i := range all {
		ready := "no"
		if i.Ready {
			ready = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.Name, i.State, ready, processOf(i), age(time.Since(i.Since)), safe(i.Pipeline), safe(i.Data), safe(firstLine(i.Reason)))
	}
	return w.Flush()
}
