package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// statusEvery is the time between two looks at a process, over which rates are.
const statusEvery = time.Second

func newStatus(f *flags, s stdio) *cobra.Command {
	var at *string
	var watch bool
	c := &cobra.Command{
		Use:   "status [INSTANCE | PIPELINE]",
		Short: "Show what an instance, or the pipelines of a process that runs, do and hold",
		Long: `status asks a process that runs. OUT/S is over the second that it looks; QUEUED
are records that wait before a vertex, IN FLIGHT those in calls and done but not
yet taken downstream; LAG is how far the watermark of a vertex is behind the
clock. Below stands for each vertex that is scaled how many instances it has, and
why. --json prints all there is, once, or every second with --watch.

With the name of an instance it tells of that, whether it runs or not: its state and why,
its files, and then what its pipeline does. --admin asks a process instead.

It finds a process by the settings that wasmill run has: run it in the same
folder, with the same --config and environment, or name the address with --admin.
Before it sends the token, the process has to prove that it knows it or, over TLS,
to show a certificate that admin.tls.cert or --admin-ca names.`,
		Example: `  wasmill status
  wasmill status my-instance
  wasmill status access-log --watch
  wasmill status --json --admin 127.0.0.1:7677`,
		Args: args(0, 1, "one pipeline, or none for all"),
		RunE: func(c *cobra.Command, a []string) error {
			l := &statusLook{}
			var none error // that there is no instance of that name
			if h, err := homeOf(c); len(a) == 1 && *at == "" && flagOf(c, "instance") == "" && err == nil {
				if h.Has(a[0]) {
					return instanceStatus(c, f, s, a[0], watch)
				}
				_, none = h.Open(a[0])
			}
			if len(a) == 1 {
				path, err := pipelinePath(a[0])
				if err != nil {
					return err
				}
				l.one, l.path = true, path
			} else {
				l.path = "/api/v1/pipelines"
			}
			var err error
			if l.client, err = newClient(c, f, s, *at); err == nil {
				err = l.run(c.Context(), s, f.json, watch)
			}
			if stream.ExitCode(err) == stream.ExitEnvironment && stream.CodeOf(none) == stream.InstanceUnknown {
				err = errors.Join(err, none) // which may be what was meant
			}
			return err
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "look every second, until interrupted")
	at = adminFlag(c)
	return c
}

// seenPipeline is what status shows of a pipeline.
type seenPipeline struct {
	Pipeline   string
	Phase      string
	State      string // of pauses
	Drained    bool
	Reasons    []heldBack
	Vertices   []control.VertexStatus
	Checkpoint *control.CheckpointStatus
	Config     *seenConfig
}

// seenConfig is what status shows of a pipeline's config.
type seenConfig struct {
	Revision       uint64
	SHA256, Origin string
	Error          *string
}

// revisionOf names what is in force.
func revisionOf(c *seenConfig) string {
	if c.SHA256 == "" {
		return fmt.Sprintf("revision %d", c.Revision)
	}
	return fmt.Sprintf("revision %d (%s, %s)", c.Revision, safe(shortHash(c.SHA256)), safe(c.Origin))
}

// heldBack is something that a pause holds.
type heldBack struct {
	Vertex, What, Why string
	Count             int
}

// statusLook looks at a process.
type statusLook struct {
	client *client
	path   string
	one    bool // path is that of one pipeline

	instance *instance.Seen // whose pipeline it is; nil = none's

	at     time.Time // of the last look
	before map[string]uint64
}

// run looks once, or until ctx ends.
func (l *statusLook) run(ctx context.Context, s stdio, asJSON, watch bool) error {
	show := func(table string) error { _, err := io.WriteString(s.out, table); return err }
	if file, ok := s.out.(*os.File); ok && watch && !asJSON && term.IsTerminal(int(file.Fd())) {
		show = (&screen{file: file}).show
	}
	for first := true; ; first = false {
		if !first {
			select {
			case <-time.After(statusEvery):
			case <-ctx.Done():
				return nil
			}
		}
		var err error
		switch {
		case asJSON:
			err = l.print(ctx, s.out)
		case first:
			_, err = l.table(ctx) // for the rates of the next one
		default:
			var table string
			if table, err = l.table(ctx); err == nil {
				err = show(table)
			}
		}
		if done := asJSON || !first; err != nil || done && !watch {
			return err
		}
	}
}

// print writes all there is as JSON.
func (l *statusLook) print(ctx context.Context, w io.Writer) error {
	var all []any
	if err := look(ctx, l, &all); err != nil {
		return err
	}
	answer := map[string]any{"ok": true, "pipelines": all}
	if l.instance != nil {
		answer["instance"] = l.instance
	}
	printJSON(w, answer)
	return nil
}

// look asks for the pipelines.
func look[T any](ctx context.Context, l *statusLook, all *[]T) error {
	if l.one {
		*all = make([]T, 1)
		return l.client.get(ctx, l.path, &(*all)[0])
	}
	var answer struct{ Pipelines []T }
	err := l.client.get(ctx, l.path, &answer)
	*all = answer.Pipelines
	return err
}

// table is what people read, with rates since the call before.
func (l *statusLook) table(ctx context.Context) (string, error) {
	var all []seenPipeline
	if err := look(ctx, l, &all); err != nil {
		return "", err
	}
	now := time.Now()
	span, before := now.Sub(l.at), l.before
	l.at, l.before = now, make(map[string]uint64)
	var out strings.Builder
	for i, p := range all {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "%s\n", headline(&p))
		if len(p.Vertices) == 0 {
			continue // it does not run
		}
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "VERTEX\tROLE\tIN\tOUT\tOUT/S\tQUEUED\tIN FLIGHT\tLAG")
		for _, v := range p.Vertices {
			key := p.Pipeline + "/" + string(v.Vertex)
			l.before[key] = v.RecordsOut
			rate := "-" // not known
			if last, ok := before[key]; ok && last <= v.RecordsOut && span > 0 {
				rate = humanCount(uint64(float64(v.RecordsOut-last) / span.Seconds()))
			}
			queued, inFlight := held(&v)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", safe(string(v.Vertex)), safe(v.Role), humanCount(v.RecordsIn), humanCount(v.RecordsOut),
				rate, humanCount(queued), humanCount(inFlight), lag(&v, now))
		}
		if err := w.Flush(); err != nil {
			return "", err
		}
		for i := range p.Vertices {
			if line := scaledLine(&p.Vertices[i]); line != "" {
				fmt.Fprintln(&out, line)
			}
		}
	}
	return out.String(), nil
}

// scaledLine says how a vertex is scaled, and why so; empty = it is not.
func scaledLine(v *control.VertexStatus) string {
	s := v.Scale
	if s == nil {
		return ""
	}
	line := fmt.Sprintf("%s has %d instances of %d to %d", safe(string(v.Vertex)), s.Instances, s.Min, s.Max)
	if s.Reason != "" {
		line += ": " + safe(s.Reason)
	}
	return line
}

// headline is what there is to say of a pipeline as a whole.
func headline(p *seenPipeline) string {
	parts := []string{safe(p.Pipeline) + ": " + phaseOf(p)}
	if p.Config != nil && p.Config.Revision > 0 {
		parts = append(parts, revisionOf(p.Config))
	}
	if c := p.Checkpoint; c != nil {
		last := "no checkpoint yet"
		if c.Last != nil {
			last = fmt.Sprintf("checkpoint %d %s ago", c.Last.Epoch, age(seconds(c.Last.Age)))
		} else if c.Restored != nil {
			last = fmt.Sprintf("no checkpoint yet, went on from %d", c.Restored.Epoch)
		}
		parts = append(parts, last)
		if c.InARow > 0 {
			parts = append(parts, fmt.Sprintf("%d failed since", c.InARow))
		}
	}
	line := strings.Join(parts, ", ")
	for _, r := range p.Reasons {
		line += "\n  " + safe(strings.TrimSpace(r.Vertex+" "+r.What))
		if r.Count > 0 {
			line += " " + humanCount(uint64(r.Count))
		}
		if r.Why != "" {
			line += ": " + safe(r.Why)
		}
	}
	if p.Config != nil && p.Config.Error != nil {
		line += "\nits file is not in force as it is now: " + safe(*p.Config.Error)
	}
	return line
}

// phaseOf says whether a pipeline that runs is paused.
func phaseOf(p *seenPipeline) string {
	running := string(pipeline.PhaseRunning)
	switch {
	case p.Phase != running || p.State == "" || p.State == running:
		return safe(p.Phase)
	case p.State != string(admin.Paused):
		return safe(p.State)
	case p.Drained:
		return "paused, drained"
	}
	return "paused, not drained"
}

// held counts the records that a vertex holds.
func held(v *control.VertexStatus) (queued, inFlight uint64) {
	for _, s := range v.Stages {
		if s.Stage == pipeline.StageInput {
			queued += uint64(s.Records)
		} else {
			inFlight += uint64(s.Records)
		}
	}
	return queued, inFlight
}

// lag is how far the watermark of a vertex is behind.
func lag(v *control.VertexStatus, now time.Time) string {
	switch {
	case v.Ended:
		return "ended"
	case v.Watermark == nil:
		return "-"
	case v.Idle:
		return age(now.Sub(*v.Watermark)) + " (idle)"
	}
	return age(now.Sub(*v.Watermark))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
