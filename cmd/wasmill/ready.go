package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// readyEvery is the time between two looks of ready --wait.
const readyEvery = 100 * time.Millisecond

func newReady(f *flags, s stdio) *cobra.Command {
	l := &readyLook{flags: f, stdio: s}
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "ready [PIPELINE]",
		Short: "Say whether the pipelines of a process are ready, or wait until they are",
		Long: `ready asks a process that runs, and exits with 0 if the pipeline is ready, or all
are. It is ready when the revision in force has all that it wants: sources and
sinks are open, the last checkpoint is restored, and of each plugin as many
instances live as its vertex has concurrency: the least of {min, max}, none for 0. A
paused pipeline is ready if it would run when it is resumed. One that has ended well is.
One that has failed is not, and neither is one that does not run, as its file is
refused; with a refused change the revision before it goes on and counts.

Without --wait it looks once. With it it looks again, also for a process that
does not answer yet, says what is missing whenever that changes, and gives up after
--timeout, or at once if the pipeline has failed. Not being ready is exit code 3, and
changes nothing.

It finds the process as wasmill status does.`,
		Example: `  wasmill ready access-log --wait --timeout 30s
  wasmill ready --json`,
		Args: args(0, 1, "one pipeline, or none for all"),
		RunE: func(c *cobra.Command, a []string) error {
			if c.Flags().Changed("timeout") && !l.wait {
				return usageError(c, "--timeout is how long --wait waits, so it goes with --wait only")
			}
			if len(a) == 1 {
				if _, err := pipelinePath(a[0]); err != nil {
					return err
				}
				l.name = a[0]
			}
			l.command = c
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			return l.run(ctx, timeout)
		},
	}
	c.Flags().BoolVar(&l.wait, "wait", false, "wait until it is ready")
	c.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait, with --wait")
	l.at = adminFlag(c)
	return c
}

// readyLook looks at a process until it is ready.
type readyLook struct {
	command *cobra.Command
	flags   *flags
	stdio
	at   *string
	name string // of the pipeline; empty = all
	wait bool
}

// run looks, once or until the pipelines are ready or ctx ends.
func (l *readyLook) run(ctx context.Context, timeout time.Duration) error {
	told := ""
	for {
		all, err := l.look(ctx)
		missing, over := missingOf(all)
		if err == nil && missing == nil {
			l.show(all)
			return nil
		}
		if err == nil {
			err = notReady(missing)
		}
		if !l.wait || over || stream.ExitCode(err) != stream.ExitEnvironment { // such as for want of the pipeline
			return err
		}
		if now := progressOf(missing, err); now != told {
			told = now
			fmt.Fprintln(l.err, safe(now))
		}
		select {
		case <-time.After(readyEvery):
		case <-ctx.Done():
			if l.command.Context().Err() == nil {
				err = errors.Join(&stream.Error{
					Code: stream.NotReady, Where: l.command.CommandPath(), Why: fmt.Sprintf("it is not so after %v", timeout),
					Fix: "see what is missing, or wait for longer with --timeout; the process goes on as it was",
				}, err)
			}
			return err
		}
	}
}

// look asks once. The process may be another one each time.
func (l *readyLook) look(ctx context.Context) ([]host.Readiness, error) {
	cl, err := newClient(l.command, l.flags, l.stdio, *l.at)
	if err != nil {
		return nil, err
	}
	names := []string{l.name}
	if l.name == "" {
		var answer struct{ Pipelines []seenPipeline }
		if err := cl.get(ctx, "/status", &answer); err != nil {
			return nil, err
		}
		names = nil
		for _, p := range answer.Pipelines {
			names = append(names, p.Pipeline)
		}
	}
	var all []host.Readiness
	for _, name := range names {
		path, err := pipelinePath(name)
		if err != nil {
			return nil, err
		}
		var r host.Readiness
		if err := cl.get(ctx, path+"/ready", &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// show prints that all are ready.
func (l *readyLook) show(all []host.Readiness) {
	if l.flags.json {
		printJSON(l.out, map[string]any{"ok": true, "pipelines": all})
		return
	}
	for _, r := range all {
		line := fmt.Sprintf("%s: ready, revision %d", safe(r.Pipeline), r.Revision)
		if r.Over {
			line = fmt.Sprintf("%s: %s", safe(r.Pipeline), safe(r.Why))
		}
		_, _ = io.WriteString(l.out, line+"\n")
	}
}

// missingOf says what is missing, a line for each pipeline that is not ready, and whether
// waiting for one of them is of no use.
func missingOf(all []host.Readiness) (lines []string, over bool) {
	for _, r := range all {
		if r.Ready {
			continue
		}
		over = over || r.Over
		var texts []string
		if r.Why != "" {
			texts = append(texts, r.Why)
		}
		for _, v := range r.Vertices {
			switch {
			case v.Ready >= v.Want:
			case v.Want == 1:
				texts = append(texts, fmt.Sprintf("%s 0/1", v.Vertex))
			default:
				texts = append(texts, fmt.Sprintf("%s %d/%d instances", v.Vertex, v.Ready, v.Want))
			}
		}
		lines = append(lines, fmt.Sprintf("%s, revision %d: %s", r.Pipeline, r.Revision, strings.Join(texts, ", ")))
	}
	return lines, over
}

// notReady is the error of what is missing.
func notReady(missing []string) error {
	return &stream.Error{
		Code: stream.NotReady, Why: "not ready: " + strings.Join(missing, "; "),
		Fix: "wait with --wait; wasmill status says more",
	}
}

// progressOf is what is told of while waiting.
func progressOf(missing []string, err error) string {
	if missing != nil {
		return "waiting: " + strings.Join(missing, "; ")
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return "waiting: " + line
}
