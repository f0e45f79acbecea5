package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

type testFlags struct {
	run     string
	verbose bool
}

func newTest(f *flags, s stdio) *cobra.Command {
	var t testFlags
	c := &cobra.Command{
		Use:   "test [FILE | FOLDER | NAME…]",
		Short: "Run the tests of pipelines",
		Long: `test runs the tests in files whose names end in _test.yaml: what a pipeline, or a
part of it, makes of given records. Of a folder it takes all such files, also those
further below; without an argument, of the working directory. Where there is no folder
NAME, that in the plugins folder is meant.

Sources and sinks are replaced in memory, so that nothing outside is read or
written. Plugins run as they do in the pipeline, with their limits, but have no
network: a test says what their requests are answered. Records go in one after the
other, each when all is through that came of those before.

A test file names its pipeline by pipeline:, or is named after it: that of
orders.yaml is orders_test.yaml. Each of its tests: has a name, an input and what is
expected:

  tests:
    - name: a line becomes JSON
      vertex: parse            # or from: and to:; without, the whole pipeline
      input:
        - '203.0.113.7 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-"'
      expect:
        - {tag: ok, jsonContains: {status: 200}}

  input    value, json, base64 or file (a record per line), with key, headers, time,
           source, tag; or watermark, which lets only event time go on
  expect   value, json, jsonContains, contains, matches, base64 or file, with key,
           headers, time, tag: a list, or one for each sink; order: any if it does
           not matter
  errors   the records that fail, by record, vertex, code and message; none may
           that is not listed
  state    what vertices keep when all input is through
  until    the event time at which the test stops, instead of the end of the stream
  http     what requests of plugins are answered: url, method, status, headers, body,
           json, fail
  set      settings of the pipeline file for this test

` + projectHelp + `

The exit code is 0 if all tests pass, 2 if one does not or a test file is wrong, and
as of other commands otherwise.`,
		Example: `  wasmill test
  wasmill test examples/access-log
  wasmill test shout
  wasmill test pipelines/orders_test.yaml --run 'late|twice' -v`,
		RunE: func(c *cobra.Command, names []string) error { return runTests(c, f, t, s, names) },
	}
	c.Flags().StringVar(&t.run, "run", "", "run only tests whose names match this regular expression")
	c.Flags().BoolVarP(&t.verbose, "verbose", "v", false, "print all that came out, failed and was kept, too")
	return c
}

// runTests runs what the command line says.
func runTests(c *cobra.Command, f *flags, t testFlags, s stdio, names []string) (err error) {
	pattern, err := regexp.Compile(t.run)
	if err != nil {
		return usageError(c, fmt.Sprintf("--run %q is no regular expression: %v", t.run, err))
	}
	about := ""
	if len(names) > 0 {
		about = names[0]
	}
	o := f.projectOptions(about, s)
	settings, err := host.Settings(o)
	if err != nil {
		return err
	}
	files, err := testFiles(names, settings.Plugins.Dir)
	if err != nil {
		return err
	}
	var all []*config.Tests
	var errs []error
	for _, file := range files {
		tests, err := host.LoadTests(file)
		all, errs = append(all, tests), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ctx := c.Context()
	tester, err := host.NewTester(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tester.Close(context.WithoutCancel(ctx))) }()
	p := testPrinter{out: s.out, json: f.json, verbose: t.verbose, colour: colours(s.out)}
	for i, tests := range all {
		tester.Run(ctx, files[i], tests, pattern.MatchString, p.told)
	}
	if len(p.tests) == 0 {
		return usageError(c, fmt.Sprintf("no test has a name that matches --run %q", t.run))
	}
	return p.summary()
}

// testFiles lists the test files that are meant, each once: those named, and those of
// folders, also of those of plugins that are named.
func testFiles(names []string, plugins string) (files []string, err error) {
	if len(names) == 0 {
		names = []string{"."}
	}
	add := func(file string) {
		if file = filepath.Clean(file); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, name := range names {
		name = project.Dir(name, plugins)
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			found := len(files)
			err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				switch {
				case err != nil:
					return err
				case d.IsDir() && path != name && strings.HasPrefix(d.Name(), "."):
					return filepath.SkipDir
				case !d.IsDir() && config.TestFile(path):
					add(path)
				}
				return nil
			})
			if err != nil {
				return nil, &stream.Error{Code: stream.InputUnreadable, Where: name, Why: "the folder cannot be read", Err: err, Fix: "let this user read it"}
			}
			if len(files) == found {
				return nil, &stream.Error{Code: stream.ConfigMissing, Where: name, Why: "there is no test file in the folder", Fix: "write one whose name ends in _test.yaml, as orders_test.yaml for orders.yaml; wasmill test --help shows what is in it"}
			}
		case err == nil && !config.TestFile(name):
			return nil, &stream.Error{Code: stream.ConfigFile, Where: name, Why: "it is no test file by its name, which ends in _test.yaml", Fix: "name " + strings.TrimSuffix(name, filepath.Ext(name)) + "_test.yaml, or its folder"}
		case errors.Is(err, fs.ErrNotExist) && filepath.Ext(name) == "":
			if there, ok := project.Meant(name); ok {
				return nil, &stream.Error{Code: stream.ConfigFile, Where: name, Why: "there is no such file or folder", Fix: "did you mean " + there + "?"}
			}
			add(name)
		default: // also what is not there: reading it says so
			add(name)
		}
	}
	return files, nil
}
