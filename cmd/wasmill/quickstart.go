package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

func newQuickstart(f *flags, s stdio) *cobra.Command {
	var length time.Duration
	c := &cobra.Command{
		Use:   "quickstart",
		Short: "Run a pipeline that is in wasmill itself, and say how to go on",
		Long: `quickstart makes requests of a web server up and gives them, as fast as it can, to a
WebAssembly plugin that keeps those that POST. It needs no files, no network and no
compiler, and leaves nothing. On a terminal it shows a live table, elsewhere a line
each second. It ends after --for, or when it is interrupted.`,
		Example: `  wasmill quickstart
  wasmill quickstart --for 5s`,
		Args: args(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if length < 0 {
				return usageError(c, "--for is negative: name a time such as 5s, or 0 for until it is interrupted")
			}
			return quickstart(c.Context(), f, s, length)
		},
	}
	c.Flags().DurationVar(&length, "for", 10*time.Second, "how long, 0 for until it is interrupted")
	return c
}

// nextSteps are what quickstart tells to do next.
func nextSteps() []string {
	return []string{"wasmill init first && cd first", "wasmill new udf shout --lang go", "wasmill dev plugins/shout"}
}

func quickstart(ctx context.Context, f *flags, s stdio, length time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "wasmill-quickstart-*")
	if err != nil {
		return &stream.Error{Code: stream.Environment, Where: os.TempDir(), Why: "no folder can be made for the pipeline", Err: err, Fix: "name a folder that this user may write to with TMPDIR"}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, plugins, err := project.Quickstart(dir)
	if err != nil {
		return err
	}
	o := host.Options{Files: []string{file}, Set: []string{"plugins.dir=" + plugins, "data.dir=" + dir}, Compiler: compiler()}
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	log := newLogger(s.err, settings.Log)
	o.Events = log.events
	h, err := host.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	if !f.json {
		fmt.Fprint(s.err, "made-up requests → a plugin that keeps those that POST → dropped; ^C ends it\n\n")
	}
	q := &tour{host: h, out: s.out, json: f.json, began: time.Now()}
	ctx, end := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(context.WithoutCancel(ctx)) }()
	progress := newProgress(s, h, log, f.json)
	stop := func() {}
	if progress.live {
		stop = progress.start(500 * time.Millisecond)
	}
	defer stop()
	err = q.wait(ctx, ended, length, progress.live || f.json)
	stop()
	if err == nil {
		q.summary()
	}
	return err
}

// tour shows what quickstart does.
type tour struct {
	host  *host.Host
	out   io.Writer
	json  bool
	began time.Time
}

// wait waits until the time is over or ctx ends, lets what was read through, and tells each
// second how far it is, unless that is shown otherwise.
func (q *tour) wait(ctx context.Context, ended <-chan error, length time.Duration, quiet bool) error {
	var over <-chan time.Time // never
	if length > 0 {
		over = time.After(length)
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-over:
			q.host.Drain()
			return <-ended
		case <-ctx.Done():
			q.host.Drain()
			return <-ended
		case <-second.C:
			if !quiet {
				fmt.Fprintln(q.out, q.line())
			}
		}
	}
}

// line says in one line how far it is.
func (q *tour) line() string {
	read, kept := q.counts()
	took := time.Since(q.began)
	return fmt.Sprintf("%s, %s records read, %s kept, %s records/s", took.Round(time.Second), humanCount(read), humanCount(kept), humanCount(uint64(float64(read)/took.Seconds())))
}

// counts says how many records were read, and how many the plugin kept.
func (q *tour) counts() (read, kept uint64) {
	for _, p := range q.host.Pipelines() {
		for _, v := range p.Stats() {
			switch v.Role {
			case pipeline.RoleSource:
				read += v.RecordsIn
			case pipeline.RoleSink:
			default:
				kept += v.RecordsOut
			}
		}
	}
	return read, kept
}

// summary says what was done and what to do next.
func (q *tour) summary() {
	if q.json {
		read, kept := q.counts()
		printJSON(q.out, map[string]any{"ok": true, "seconds": time.Since(q.began).Seconds(), "read": read, "kept": kept, "next": nextSteps()})
		return
	}
	fmt.Fprintf(q.out, "done: %s\n\nnext, a function of your own:\n  %s\n", q.line(), strings.Join(nextSteps(), "\n  "))
}
