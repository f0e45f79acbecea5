package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/suite"
)

type callFlags struct {
	inputs, headers   []string
	key, time, params string
	grant, allow      []string
}

func newCall(f *flags, s stdio) *cobra.Command {
	var a callFlags
	c := &cobra.Command{
		Use:   "call PLUGIN",
		Short: "Call a plugin with records, and show what it makes of them",
		Long: `call gives records to a plugin, one after the other, as a vertex of a pipeline
would, and prints what comes out: tag, key, headers and value of each result, and
why a record failed. A plugin may be given by name, by file, or by the folder of its source.

Without --input, each line of standard input is a record; without any there either, that
is an error. All have the key, headers
and time that flags give. Then time ends: a plugin of kind process gets the timers
that are set, after what it keeps was shown; one of kind aggregate gives the result
of all records, by key.

Limits are those that a vertex has by default; --set vertices.plugin.… changes them,
as in --set vertices.plugin.udf.limits.callDeadline=1s.

The exit code is 2 if a record fails.`,
		Example: `  wasmill call grep --params '{"pattern":"error"}' --input 'an error'
  wasmill call plugins/own.wasm --input @orders.ndjson --key c-1 --json
  tail -n 3 access.log | wasmill call parse-log --params '{"format":"combined"}'
  wasmill call enrich-http --params '{"url":"http://127.0.0.1:8090/","field":"id","as":"found"}' --grant http --allow 127.0.0.1:8090 --input '{"id":"1"}'`,
		Args: func(c *cobra.Command, given []string) error {
			if len(given) == 2 && a.inputs == nil {
				return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: "a record is given with --input", Fix: fmt.Sprintf("%s %s --input %q", c.CommandPath(), given[0], given[1])}
			}
			return args(1, 1, "a plugin, by file or by name, and give records with --input or on standard input")(c, given)
		},
		RunE: func(c *cobra.Command, given []string) error { return call(c, f, a, s, given[0]) },
	}
	p := c.Flags()
	p.StringArrayVar(&a.inputs, "input", nil, "the value of a record, @FILE for each line of a file, or - for each of standard input; may be repeated")
	p.StringVar(&a.key, "key", "", "key of the records")
	p.StringArrayVar(&a.headers, "header", nil, "header of the records, as in name=value; may be repeated")
	p.StringVar(&a.time, "time", "", "event time of the records, as in 2026-05-04T10:00:00Z (default: 1970)")
	p.StringVar(&a.params, "params", "", "JSON object for the plugin's params")
	p.StringSliceVar(&a.grant, "grant", nil, "capabilities granted, as in log,clock")
	p.StringSliceVar(&a.allow, "allow", nil, "hosts that the plugin may ask, if http is granted, as in api.example.org,127.0.0.1:8090")
	return c
}

// call runs what the command line says.
func call(c *cobra.Command, f *flags, a callFlags, s stdio, plugin string) (err error) {
	if err := checkParams(c, a.params); err != nil {
		return err
	}
	o := f.projectOptions(plugin, s)
	o.Events = func(string) stream.Events {
		return stream.Events{GuestLog: func(_ stream.VertexID, level stream.GuestLevel, text string) {
			fmt.Fprintf(s.err, "%s: %s\n", [...]string{"debug", "info", "warn", "error"}[level], safe(text))
		}}
	}
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	path, err := pluginFile(settings, plugin)
	if err != nil {
		return err
	}
	var records []suite.Record
	if isThere(path) { // else that is said before records are waited for
		if records, err = a.records(c, s); err != nil {
			return err
		}
	}
	ctx := c.Context()
	t, err := host.NewTester(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close(context.WithoutCancel(ctx))) }()
	options := host.CallOptions{Grant: a.grant, Allow: a.allow, Where: c.CommandPath()}
	if a.params != "" {
		options.Params = []byte(a.params)
	}
	called, err := t.Call(ctx, path, options, records)
	if err != nil {
		return err
	}
	p := callPrinter{out: s.out, json: f.json, many: len(records) > 1}
	return p.print(called)
}

// records makes those that flags describe, at least one.
func (a *callFlags) records(c *cobra.Command, s stdio) (all []suite.Record, err error) {
	var like suite.Record
	like.Key = []byte(a.key)
	for _, h := range a.headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return nil, usageError(c, fmt.Sprintf("--header %.40q is not name=value", h))
		}
		like.Headers = append(like.Headers, suite.Header{Name: name, Value: value})
	}
	if a.time != "" {
		at, err := time.Parse(time.RFC3339Nano, a.time)
		if err != nil {
			return nil, usageError(c, fmt.Sprintf("--time %.40q is not a time such as 2026-05-04T10:00:00Z", a.time))
		}
		like.Time = at.UnixNano()
	}
	if a.inputs == nil {
		a.inputs = []string{"-"}
	}
	for _, text := range a.inputs {
		var values [][]byte
		file, isFile := strings.CutPrefix(text, "@")
		switch {
		case text == "-":
			if isTerminal(s.in) {
				fmt.Fprintln(s.err, "standard input: each line is a record, until ^D ends it; --input gives one at once")
			}
			values, err = linesOf(s.in, "standard input")
		case isFile:
			var f *os.File
			if f, err = os.Open(file); err != nil {
				return nil, &stream.Error{Code: stream.InputUnreadable, Where: file, Why: "the input cannot be read", Err: err, Fix: "name a readable file with a record per line"}
			}
			values, err = linesOf(f, file)
			err = errors.Join(err, f.Close())
		default:
			values = [][]byte{[]byte(text)}
		}
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			one := like
			one.Value = v
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, &stream.Error{
			Code: stream.Usage, Where: c.CommandPath(), Why: "there is no record: " + emptyInputs(a.inputs), Fix: "give the value of one with --input 'a value', or a record per line with --input @FILE or on standard input",
		}
	}
	return all, nil
}

// emptyInputs says which inputs had no line.
func emptyInputs(inputs []string) string {
	var all []string
	for _, text := range inputs {
		if text == "-" {
			text = "@standard input"
		}
		all = append(all, text[1:])
	}
	return strings.Join(all, " and ") + " had no line"
}

// linesOf reads records, one per line.
func linesOf(in io.Reader, name string) (values [][]byte, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxSampleBytes)
	for lines.Scan() {
		values = append(values, slices.Clone(bytes.TrimSuffix(lines.Bytes(), []byte("\r"))))
	}
	if err := lines.Err(); err != nil {
		return nil, &stream.Error{Code: stream.InputUnreadable, Where: name, Why: "the input cannot be read", Err: err, Fix: "give a record per line, of at most 16 MiB"}
	}
	return values, nil
}
