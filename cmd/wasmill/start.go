package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// startFlags say what a run goes on from.
type startFlags struct {
	from         string
	fresh, yes   bool
	allowDropped bool
}

func (d *startFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&d.from, "from", "", "go on from this checkpoint: EPOCH, or STORAGE[?pipeline=NAME][#EPOCH] of others")
	f.BoolVar(&d.fresh, "fresh", false, "begin with nothing: all checkpoints of the pipelines are deleted, after a question")
	f.BoolVar(&d.yes, "yes", false, "do not ask, with --fresh")
	f.BoolVar(&d.allowDropped, "allow-dropped-state", false, "go on also if a part of the checkpoint does not fit the pipeline, and drop it")
}

// apply puts what the flags say into options, as far as that has a meaning.
func (d *startFlags) apply(c *cobra.Command, o *host.Options) (err error) {
	switch {
	case d.from != "" && d.fresh:
		return usageError(c, "--from goes on from a checkpoint and --fresh from none: choose one")
	case d.allowDropped && d.fresh:
		return usageError(c, "--fresh restores nothing, so there is nothing that --allow-dropped-state could drop")
	case d.yes && !d.fresh:
		return usageError(c, "--yes answers what --fresh asks, so it goes with --fresh only")
	case c.Flags().Changed("from"):
		if o.Start.Epoch, o.From, err = parseFrom(c, d.from); err != nil {
			return err
		}
	}
	o.Start.Fresh, o.Start.AllowDropped = d.fresh, d.allowDropped
	return nil
}

// parseFrom reads EPOCH or STORAGE[?pipeline=NAME][#EPOCH].
func parseFrom(c *cobra.Command, text string) (stream.Epoch, *host.CheckpointsOf, error) {
	if !strings.Contains(text, "://") {
		if _, err := strconv.ParseUint(text, 10, 64); err != nil {
			return 0, nil, usageError(c, fmt.Sprintf("%.40q is no epoch, such as 42, and no storage, such as file:///backup/checkpoints or s3://bucket/prefix", text))
		}
		epochs, err := parseEpochs(c, []string{text}, 1, 1)
		if err != nil {
			return 0, nil, err
		}
		return epochs[0], nil, nil
	}
	of := &host.CheckpointsOf{Storage: text}
	epoch := stream.Epoch(0)
	if storage, number, ok := cutLast(text, "#"); ok {
		epochs, err := parseEpochs(c, []string{number}, 1, 1)
		if err != nil {
			return 0, nil, err
		}
		of.Storage, epoch = storage, epochs[0]
	}
	if storage, query, ok := cutLast(of.Storage, "?"); ok {
		name, ok := strings.CutPrefix(query, "pipeline=")
		if !ok || name == "" {
			return 0, nil, usageError(c, fmt.Sprintf("behind the ? of --from stands %.40q instead of pipeline=NAME", query))
		}
		of.Storage, of.Pipeline = storage, name
	}
	return epoch, of, nil
}

// cutLast cuts around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// check makes sure that the flags have a meaning for the pipelines, and asks before
// checkpoints are deleted.
func (d *startFlags) check(ctx context.Context, c *cobra.Command, h *host.Host, o host.Options, s stdio, log *logger, asJSON bool) error {
	var given string
	switch {
	case d.from != "":
		given = "--from"
	case d.fresh:
		given = "--fresh"
	case d.allowDropped:
		given = "--allow-dropped-state"
	default:
		return nil
	}
	if d.from != "" && len(h.Pipelines()) > 1 {
		return usageError(c, "--from is about one pipeline: name one")
	}
	var durable []*host.Pipeline
	for _, p := range h.Pipelines() {
		if p.Durable != nil {
			durable = append(durable, p)
		}
	}
	if len(h.Pipelines()) == 0 {
		return usageError(c, given+" has no meaning: no pipeline runs yet")
	}
	if durable == nil {
		p := h.Pipelines()[0]
		return &stream.Error{
			Code: stream.Usage, Where: p.Config.Where("checkpoint"), Why: fmt.Sprintf("pipeline %s has no checkpoints, so %s has no meaning", p.Name, given),
			Fix: "leave the flag out, or add checkpoint: {storage: file://./data/checkpoints}",
		}
	}
	if d.fresh {
		return d.confirm(ctx, c, h, durable, s, log, asJSON)
	}
	return h.Startable(ctx, durable[0], o)
}

// confirm asks before checkpoints are deleted, if there are some.
func (d *startFlags) confirm(ctx context.Context, c *cobra.Command, h *host.Host, pipelines []*host.Pipeline, s stdio, log *logger, asJSON bool) error {
	kept := make(map[*host.Pipeline]int)
	var texts []string
	for _, p := range pipelines {
		n, err := h.Kept(ctx, p)
		if err != nil {
			return err
		}
		if kept[p] = n; n > 0 {
			texts = append(texts, fmt.Sprintf("%s of %s in %s", counted(n, "checkpoint"), p.Name, p.Config.Checkpoint.Storage))
		}
	}
	if texts == nil {
		return nil
	}
	what := strings.Join(texts, " and ")
	if !d.yes && (asJSON || !isTerminal(s.in) || !confirmed(s, "delete "+what)) {
		return &stream.Error{
			Code: stream.Usage, Where: c.CommandPath(), Why: "--fresh deletes " + what + ", and nobody said yes to that: nothing is deleted, nothing has run",
			Fix: "add --yes, answer y on a terminal, or leave --fresh out to go on from the last checkpoint",
		}
	}
	for _, p := range pipelines {
		if kept[p] > 0 {
			log.Info("all checkpoints are deleted: --fresh", "pipeline", p.Name, "checkpoints", kept[p])
		}
	}
	return nil
}

// isTerminal says whether a person is at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
