package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

func newTap(f *flags, s stdio) *cobra.Command {
	var at *string
	var q admin.TapQuery
	var key string
	c := &cobra.Command{
		Use:   "tap [PIPELINE/]VERTEX | [PIPELINE/]FROM->TO",
		Short: "Show records of a pipeline that runs, as they pass",
		Long: `tap shows what a vertex emits, or, if it is a sink, is to write; or what the edges
between two vertices carry (quote the arrow: a shell takes > for itself; → is one
too). PIPELINE may be left out if one pipeline of the process has such a place. It
goes on through changes of the pipeline, until interrupted.

The pipeline is not held up. Of what passes faster than --rate a fair sample is
shown, and what is not read in time is left out; how many records that were is told
at the end, on standard error.

A line has the event time, #TAG, the key, the headers and the value; what could
steer a terminal is escaped. With --json it is an object: bytes that are not UTF-8
are base64 in key_base64 and value_base64, and value_bytes is the whole size of a
value that is cut.`,
		Example: `  wasmill tap access-log/parse
  wasmill tap parse --instance my-instance
  wasmill tap 'access-log/parse->out' --limit 10 --json
  wasmill tap access-log/parse --tag error --contains POST`,
		Args: args(1, 1, "a vertex as VERTEX or PIPELINE/VERTEX, or an edge as FROM->TO or PIPELINE/FROM->TO"),
		RunE: func(c *cobra.Command, a []string) error {
			name, place, named := strings.Cut(a[0], "/")
			if named && place == "" {
				return usageError(c, fmt.Sprintf("%.80q is no vertex and no edge: write PIPELINE/VERTEX or PIPELINE/FROM->TO", a[0]))
			}
			if c.Flags().Changed("key") {
				q.Key = &key
			}
			cl, err := newClient(c, f, s, *at)
			if err != nil {
				return err
			}
			ctx, end := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer end()
			if !named {
				place = a[0]
				all, err := cl.pipelines(ctx)
				if err != nil {
					return err
				}
				if name, err = placeIn(all, place); err != nil {
					return err
				}
			}
			path, err := pipelinePath(name)
			if err != nil {
				return err
			}
			if q.From, q.To, named = admin.CutEdge(place); !named {
				q.Vertex = place
			}
			return follow(ctx, cl, path+"/tap?"+tapValues(&q).Encode(), &tapPrinter{out: s.out, notes: s.err, json: f.json})
		},
	}
	c.Flags().IntVar(&q.Limit, "limit", 0, "end after so many records (default: do not)")
	c.Flags().IntVar(&q.Rate, "rate", admin.UsualTapRate, fmt.Sprintf("records per second at most, a fair sample of all; up to %d", admin.MaxTapRate))
	c.Flags().StringVar(&key, "key", "", "only records with this key; empty = without one")
	c.Flags().StringVar(&q.Contains, "contains", "", "only records whose value has this text in it")
	c.Flags().StringVar(&q.Tag, "tag", "", "only records that leave the vertex with this tag")
	c.Flags().IntVar(&q.Bytes, "bytes", admin.UsualTapBytes, fmt.Sprintf("bytes of a value, and of a key, at most; up to %d", admin.MaxTapBytes))
	at = adminFlag(c)
	return c
}

// tapValues is a query as it is written in a URL.
func tapValues(q *admin.TapQuery) url.Values {
	v := url.Values{"rate": {strconv.Itoa(q.Rate)}, "bytes": {strconv.Itoa(q.Bytes)}, "limit": {strconv.Itoa(q.Limit)}}
	edge := ""
	if q.From != "" {
		edge = q.From + "->" + q.To
	}
	for name, text := range map[string]string{"vertex": q.Vertex, "edge": edge, "tag": q.Tag, "contains": q.Contains} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if q.Key != nil {
		v.Set("key", *q.Key)
	}
	return v
}

// errToldAll ends a tap after its last event.
var errToldAll = errors.New("all is told")

// follow prints what a tap tells until it ends.
func follow(ctx context.Context, c *client, path string, p *tapPrinter) error {
	err := c.follow(ctx, path, p.event)
	switch {
	case errors.Is(err, errToldAll):
		err = nil
	case err == nil && ctx.Err() == nil:
		err = &stream.Error{Code: stream.Environment, Where: c.at, Why: "the process ended, or closed the connection", Fix: "look at its log; once it runs again, tap again"}
	}
	if err == nil || p.shown > 0 {
		p.summary()
	}
	return err
}
