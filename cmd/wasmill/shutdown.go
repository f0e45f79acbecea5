package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newShutdown(f *flags, s stdio) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "shutdown NAME",
		Short: "Let an instance drain, take a last checkpoint and end",
		Long: `shutdown ends the sources of an instance, lets through what they have read, and returns
when nothing of it runs. Its data, settings, checkpoints and revision stay, and wasmill
resume goes on with them. It ends with code 2 if the instance does not run, and with 3 if
not all went through within shutdown.grace: the reason is that of wasmill status. --force
kills it then, if it does not even end, and never before. It does so, too, with a worker that
has lost its keeper and does not end by itself.`,
		Example: `  wasmill shutdown access-log`,
		Args:    args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := noSettings(c); err != nil {
				return err
			}
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			ctx, end := interrupted(c.Context())
			defer end()
			seen, err := i.Shutdown(ctx, force)
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "instance": seen})
				return nil
			}
			_, err = fmt.Fprintf(s.out, "%s is %s: %s\n", seen.Name, seen.State, safe(seen.Reason))
			return err
		},
	}
	c.Flags().BoolVar(&force, "force", false, "kill it when the time to drain is over")
	homeFlag(c)
	return c
}
