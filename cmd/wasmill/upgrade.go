package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func newUpgrade(f *flags, s stdio) *cobra.Command {
	var within time.Duration
	c := &cobra.Command{
		Use:   "upgrade NAME",
		Short: "Let this binary take over an instance, at a checkpoint",
		Long: `upgrade is run with the binary that is to have the instance from now on, such as
/opt/wasmill-2/wasmill upgrade access-log. The one that has it drains and takes a last
checkpoint, from which this one goes on, with what was saved. wasmill status says which
binary an instance runs with; wasmill resume goes on with that one alone. An instance
that does not run is started by this, too. The way back is the same: an upgrade with the other
binary, as far as that reads what was stored since.

It is refused, and the instance runs on as it does, if it runs with this binary already, or
if this one cannot run it: by its pipeline, settings or plugins, or as its newest checkpoint is
of a format that it does not know.

It returns when all vertices and instances are ready with the new binary. If that takes longer
than --timeout, or its worker ends or dies three times, the instance is drained and ended, and
the message has the command by which it goes on with the binary before. Nothing is
killed before it had its time to drain. If this command is interrupted or killed
the instance is as before, stopped, or upgraded all the same: it can be resumed, upgraded or deleted.`,
		Example: `  bin/wasmill upgrade access-log --timeout 1m`,
		Args:    args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := noSettings(c); err != nil {
				return err
			}
			if within <= 0 {
				return usageError(c, "--timeout is a time to wait, such as 30s")
			}
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			ctx, end := interrupted(c.Context())
			defer end()
			seen, err := i.Upgrade(ctx, os.Environ(), within, func(what string) { fmt.Fprintf(s.err, "%s: %s\n", i.Name, safe(what)) })
			if err != nil {
				return err
			}
			return printStarted(f, s, seen, "upgraded to "+seen.Binary.Version)
		},
	}
	c.Flags().DurationVar(&within, "timeout", 5*time.Minute, "how long it may take until it is ready with this binary")
	homeFlag(c)
	return c
}
