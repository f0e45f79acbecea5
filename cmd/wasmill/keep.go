package main

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

// keepCommand is how wasmill calls itself to have an instance in the background.
const keepCommand = "instance-keep"

func newKeep(s stdio) *cobra.Command {
	var check bool
	var within time.Duration
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
			if check {
				if err := i.Check(c.Context(), host.Options{Compiler: compiler(), Version: versions()["wasmill"]}); err != nil {
					return exitError(stream.ExitCode(err)) // it is told to who asked
				}
				return nil
			}
			file, err := i.Log()
			if err != nil {
				return err
			}
			defer file.Close()
			log := slog.New(slog.NewJSONHandler(file, nil)).With("instance", i.Name)
			ctx, end := interrupted(c.Context())
			defer end()
			return i.Keep(ctx, within, instance.KeepEvents{
				Moved: func(from, to instance.State, reason string) {
					log.Info("the instance is "+string(to), "before", string(from), "reason", safe(reason))
				},
				Waits: func(worker int) {
					log.Warn("a worker that has lost its keeper lets through what it has read: another one begins when it has ended", "process", worker)
				},
				Other: func(was, now instance.Binary) {
					log.Warn("another binary has the instance than before", "before", was.String(), "now", now.String(), "path", now.Path)
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
	c.Flags().BoolVar(&check, "check", false, "only say what keeps this binary from running it")
	c.Flags().DurationVar(&within, "upgrade", 0, "end an upgrade: let it go if it is not ready within that time")
	homeFlag(c)
	return c
}
