package host

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/suite"
	"github.com/wasmill/wasmill/host/wasm"
)

// Tester runs the tests of pipelines, with the plugins and the settings of the process
// that a Host would have. Nothing is read, written or asked for outside but plugins, the
// files of side inputs, and those that tests name.
type Tester struct {
	settings *config.Process
	engine   *wasm.Engine
	options  Options
}

// Tested is a test that was run.
type Tested struct {
	File  string
	Name  string
	Where string // the place of the test in its file
	Took  time.Duration
	Err   error // why it could not be run; nil = it was
	suite.Report
}

// NewTester opens an engine for plugins. Of the options Files, Process, Env, Set and
// Compiler are used, and Native and Events.
func NewTester(ctx context.Context, o Options) (*Tester, error) {
	settings, err := Settings(o)
	if err != nil {
		return nil, err
	}
	admission, err := Admission(settings)
	if err != nil {
		return nil, err
	}
	engine, err := NewEngine(ctx, settings, o)
	if err != nil {
		return nil, err
	}
	engine.Require(admission)
	return &Tester{settings: settings, engine: engine, options: o}, nil
}

// Close frees the engine.
func (t *Tester) Close(ctx context.Context) error { return t.engine.Close(ctx) }

// LoadTests reads a test file and checks all that can be checked without its pipeline.
func LoadTests(file string) (*config.Tests, error) {
	f, err := config.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return config.LoadTests(f)
}

// Run runs those tests of a file that run says, each told when it is over.
func (t *Tester) Run(ctx context.Context, file string, tests *config.Tests, run func(name string) bool, told func(Tested)) {
	for i := range tests.Tests {
		one := &tests.Tests[i]
		if !run(one.Name) || ctx.Err() != nil {
			continue
		}
		done := Tested{File: file, Name: one.Name, Where: tests.Where(fmt.Sprintf("tests[%d]", i))}
		began := time.Now()
		done.Report, done.Err = t.one(ctx, tests, i)
		done.Took = time.Since(began)
		told(done)
	}
}

func (t *Tester) one(ctx context.Context, tests *config.Tests, i int) (none suite.Report, _ error) {
	o := t.options
	o.Set = append(append([]string{}, o.Set...), tests.Tests[i].Set...)
	if process, _ := config.SplitSet(tests.Tests[i].Set); process != nil {
		return none, &stream.Error{
			Code: stream.ConfigValue, Where: tests.Where(fmt.Sprintf("tests[%d].set", i)), Why: fmt.Sprintf("%.60s is a setting of the process, and a test has none of its own", process[0]),
			Fix: "set what is in the pipeline file, as in vertices.parse.udf.params.format=common; --set on the command line is for all tests",
		}
	}
	f, err := config.ReadFile(tests.File())
	if err != nil {
		return none, missing(tests, err)
	}
	c, err := parse(f, o)
	if err != nil {
		return none, ofSet(tests.Where(fmt.Sprintf("tests[%d].set", i)), err)
	}
	b := &control.Builder{
		Engine: t.engine, PluginsDir: t.settings.Plugins.Dir, Budget: Budget(t.settings), Lent: control.Lent{Dir: filepath.Dir(f.Name)}, Native: o.Native,
	}
	if o.Events != nil {
		b.Events = o.Events(c.Name)
	}
	return suite.Run(ctx, b, c, tests, i)
}

// missing says where a test file names its pipeline.
func missing(tests *config.Tests, err error) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	at := *e
	at.Where = tests.Where("pipeline") + ": " + e.Where
	if tests.Pipeline == "" {
		at.Where = tests.Where("") + ": " + e.Where
		at.Fix = "write pipeline: and the file that the tests are about, from the folder of the tests; without it, it is named as they are, without _test"
	}
	return &at
}

// ofSet puts the place where a test sets something before that of what is wrong with it.
func ofSet(where string, err error) error {
	var errs []error
	for _, e := range config.Faults(err) {
		at := *e
		if strings.HasPrefix(e.Where, "--set ") {
			at.Where = where + ": " + strings.TrimPrefix(e.Where, "--set ")
		}
		errs = append(errs, &at)
	}
	if errs == nil {
		return err
	}
	return errors.Join(errs...)
}
