package main

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
)

// keepCommand is how wasmill calls itself to have an instance in the background.
const keepCommand = "instance-keep"

func newKeep(s stdio) *cobra.Command {
	c := &cobra.Command{
		Use:    keepCommand + " NAME",
		Short:  "Have an instance, for the command that called",
		Hidden: true,
		Args:   args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			file, err := i.Log()
			if err != nil {
				return err
			}
			defer file.Close()
			log := slog.New(slog.NewJSONHandler(file, nil)).With("instance", i.Name)
			ctx, end := interrupted(c.Context())
			defer end()
			return i.Keep(ctx, instance.KeepEvents{
				Moved: func(from, to instance.State, reason string) {
					log.Info("the instance is "+string(to), "before", string(from), "reason", safe(reason))
				},
				Waits: func(worker int) {
					log.Warn("a worker that has lost its keeper lets through what it has read: another one begins when it has ended", "process", worker)
				},
				Exited: func(how string, again bool, in time.Duration) {
					switch {
					case again:
						log.Error(how+": another one follows", "in", in.String())
					default:
						log.Info(how)
					}
				},
			})
		},
	}
	homeFlag(c)
	return c
}
