package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

// homeFlag adds the flag that says where instances are.
func homeFlag(c *cobra.Command) {
	c.Flags().String("home", "", homeUsage)
}

const homeUsage = "folder of instances (default: WASMILL_HOME, $XDG_STATE_HOME/wasmill or ~/.local/state/wasmill)"

// homeOf is the folder of instances that a command line is about.
func homeOf(c *cobra.Command) (*instance.Home, error) {
	dir, err := instance.HomeDir(flagOf(c, "home"), os.Getenv)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &instance.Home{
		Dir: dir, Version: versions()["wasmill"], Executable: exe,
		Keeper: []string{exe, keepCommand, "--home", dir}, Worker: []string{exe, workCommand, "--home", dir},
	}, nil
}

// instanceOf opens the instance that a command line names.
func instanceOf(c *cobra.Command, name string) (*instance.Instance, error) {
	h, err := homeOf(c)
	if err != nil {
		return nil, err
	}
	return h.Open(name)
}

// noSettings refuses flags with settings: what the instance was created with is what runs.
func noSettings(c *cobra.Command) error {
	for _, name := range []string{"config", "plugins", "set"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			return &stream.Error{
				Code: stream.Usage, Where: c.CommandPath() + " --" + name, Why: "an instance runs with what it was created with, so that it is the same after a restart",
				Fix: "edit its pipeline file, which wasmill status NAME names; for settings of the process, delete it and create it anew",
			}
		}
	}
	return nil
}

// waitFlags say whether a command waits until an instance is ready.
type waitFlags struct {
	wait    bool
	timeout time.Duration
}

func (w *waitFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&w.wait, "wait", false, "wait until all vertices and instances are ready")
	c.Flags().DurationVar(&w.timeout, "timeout", 5*time.Minute, "how long to wait, with --wait; the instance goes on after that")
}

func (w *waitFlags) check(c *cobra.Command) error {
	switch {
	case w.timeout <= 0:
		return usageError(c, "--timeout is a time to wait, such as 30s")
	case c.Flags().Changed("timeout") && !w.wait:
		return usageError(c, "--timeout goes with --wait only")
	}
	return nil
}

// start lets an instance start, and tells how far it is. done says what was done to it.
func (w *waitFlags) start(c *cobra.Command, f *flags, s stdio, i *instance.Instance, done string) error {
	ctx, end := interrupted(c.Context())
	defer end()
	if err := i.Launch(ctx, os.Environ()); err != nil {
		return err
	}
	if !w.wait {
		seen, err := i.See()
		if err != nil {
			return err
		}
		return printStarted(f, s, seen, done)
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	seen, err := i.Wait(ctx, func(missing string) { fmt.Fprintf(s.err, "%s: %s\n", i.Name, safe(missing)) })
	if err != nil {
		return err
	}
	return printStarted(f, s, seen, done)
}

func printStarted(f *flags, s stdio, seen instance.Seen, done string) (err error) {
	switch {
	case f.json:
		printJSON(s.out, map[string]any{"ok": true, "instance": seen})
	case seen.Ready:
		_, err = fmt.Fprintf(s.out, "%s is %s and ready: revision %d, process %d\n", seen.Name, done, seen.Revision, seen.PID)
	case seen.State == instance.Stopped:
		_, err = fmt.Fprintf(s.out, "%s is %s, and has ended: %s\n", seen.Name, done, safe(seen.Reason))
	default:
		_, err = fmt.Fprintf(s.out, "%s is %s, and %s; wasmill status %s shows how far it is\n", seen.Name, done, seen.State, seen.Name)
	}
	return err
}

// interrupted ends with the first SIGINT or SIGTERM.
func interrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// processOf says which processes an instance has.
func processOf(s instance.Seen) string {
	switch {
	case s.PID > 0 && s.Worker > 0:
		return fmt.Sprintf("%d, %d", s.PID, s.Worker)
	case s.PID+s.Worker > 0:
		return fmt.Sprint(s.PID + s.Worker)
	}
	return "-"
}

// firstLine is that of a text with several.
func firstLine(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	if rest != "" {
		line += " …"
	}
	return line
}

// clientOf returns a client of the process that an instance's pipeline runs in.
func clientOf(c *cobra.Command, name string) (*client, error) {
	i, err := instanceOf(c, name)
	if err != nil {
		return nil, err
	}
	seen, err := i.See()
	if err != nil {
		return nil, err
	}
	if seen.PID == 0 || seen.Admin == "" {
		fix := "wasmill resume " + name + " lets it go on"
		if seen.PID > 0 {
			fix = "try again when it is ready, or set admin.listen if that is off"
		}
		return nil, &stream.Error{Code: stream.InstanceState, Where: seen.Pipeline, Why: fmt.Sprintf("%s is %s, and cannot be asked", name, seen.State), Fix: fix}
	}
	o, err := i.Placed(os.Environ())
	if err != nil {
		return nil, err
	}
	settings, err := host.Settings(o)
	if err != nil {
		return nil, err
	}
	return newClientFor(c, settings, seen.Admin)
}
