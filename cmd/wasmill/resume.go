package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
)

func newResume(f *flags, s stdio) *cobra.Command {
	var w waitFlags
	var force bool
	c := &cobra.Command{
		Use:   "resume NAME",
		Short: "Let an instance go on that was shut down or has failed",
		Long: `resume starts an instance with what was saved of it, from its last checkpoint. It takes no
settings: they are those that it was created with, and its pipeline is what its own file
says now. After a kill -9 or a reboot it goes on in the same way. If a worker that lost its
keeper still lets through what it has read, the new one begins when that has ended. If it
does not end within shutdown.grace and some seconds the instance has failed; --force kills
it then, and never before.

It is resumed by the version of wasmill that it runs with: another one is refused, as wasmill
upgrade is what changes that. Another build of one version is let through, and of
development builds any: the log says so, and it is the one that it runs with from then on.`,
		Example: `  wasmill resume access-log --wait`,
		Args:    args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := noSettings(c); err != nil {
				return err
			}
			if err := w.check(c); err != nil {
				return err
			}
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			if force {
				if err := endOrphan(c, s, i); err != nil {
					return err
				}
			}
			return w.start(c, f, s, i, "resumed")
		},
	}
	w.add(c)
	c.Flags().BoolVar(&force, "force", false, "kill a worker that has lost its keeper, when its time to drain is over")
	homeFlag(c)
	return c
}

// endOrphan makes sure that no worker is left that has lost its keeper.
func endOrphan(c *cobra.Command, s stdio, i *instance.Instance) error {
	ctx, end := interrupted(c.Context())
	defer end()
	return i.EndOrphan(ctx, true, func(text string) { fmt.Fprintf(s.err, "%s: %s\n", i.Name, text) })
}
