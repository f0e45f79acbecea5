package suite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/suite"
)

// function is a transform of single records: what it returns instead of each, or an
// error that fails the call.
type function func(value string) (out []string, err error)

func (f function) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		values, err := f(string(in.Value(i)))
		if err != nil {
			return err
		}
		for _, v := range values {
			r := in.Records[i]
			r.Key, r.Headers, r.Value = out.Store(in.Key(i)), out.Store(in.Headers(i)), out.Store([]byte(v))
			out.Records = append(out.Records, r)
		}
	}
	return nil
}

func (function) Close(context.Context) error { return nil }

// diamond sends each record two ways to one place.
const diamond = `
name: diamond
vertices:
  - name: in
    source: {file: {path: nowhere}}
  - {name: a, udf: {plugin: a}}
  - {name: b, udf: {plugin: b}, retry: {attempts: 3, backoff: 1h, maxBackoff: 1h}}
  - {name: fatal, udf: {plugin: fatal}}
  - name: out
    sink: {file: {path: nowhere/out}}
edges:
  - {from: in, to: a}
  - {from: in, to: b}
  - {from: in, to: fatal}
  - {from: b, to: out}
  - {from: a, to: out}
  - {from: fatal, to: out}
`

// run runs the only test of a text against diamond.
func run(t *testing.T, text string, native map[string]func() stream.Transform) suite.Report {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(diamond)}}}, control.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	tests, err := config.LoadTests(config.File{Name: "p_test.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := suite.Run(t.Context(), &control.Builder{Native: native}, c, tests, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func natives(of map[string]function) map[string]func() stream.Transform {
	all := make(map[string]func() stream.Transform)
	for _, name := range []string{"a", "b", "fatal"} {
		f := of[name]
		if f == nil {
			f = func(string) ([]string, error) { return nil, nil }
		}
		all[name] = func() stream.Transform { return f }
	}
	return all
}

// TestOneOrderComesOfManyWays has two ways race to a sink, again and again: what comes by
// the edge that stands first in the file is first.
func TestOneOrderComesOfManyWays(t *testing.T) {
	of := natives(map[string]function{
		"a": func(v string) ([]string, error) { return []string{"a1 " + v, "a2 " + v}, nil },
		"b": func(v string) ([]string, error) { return []string{"b " + v}, nil },
	})
	const text = `
tests:
  - name: order
    input: [x, y]
    expect: [b x, a1 x, a2 x, b y, a1 y, a2 y]`
	for range 50 {
		if r := run(t, text, of); r.Findings != nil {
			t.Fatalf("%+v", r.Findings)
		}
	}
}

// TestRetriesDoNotWait has a record succeed the third time, where the pipeline would wait
// an hour each time before it.
func TestRetriesDoNotWait(t *testing.T) {
	tries := 0
	r := run(t, `
tests:
  - {name: retry, vertex: b, input: [x], expect: [third time]}`, natives(map[string]function{"b": func(string) ([]string, error) {
		if tries++; tries < 3 {
			return nil, errors.New("not yet")
		}
		return []string{"third time"}, nil
	}}))
	if r.Findings != nil || tries != 3 {
		t.Errorf("%d tries: %+v", tries, r.Findings)
	}
}

// TestWhatEndsThePipelineEndsTheTest has a vertex fail that cannot go on.
func TestWhatEndsThePipelineEndsTheTest(t *testing.T) {
	r := run(t, `
tests:
  - {name: fatal, input: [x, y], expect: []}`, natives(map[string]function{"fatal": func(string) ([]string, error) {
		return nil, &stream.Fatal{Err: &stream.Error{Code: stream.StateFull, Why: "there is no more room"}}
	}}))
	if got := fmt.Sprintf("%+v", r.Findings); !strings.Contains(got, "the pipeline") || !strings.Contains(got, "no more room") {
		t.Error(got)
	}
}

// TestARecordThatFailsEndsNothing has the first of two records fail, at which the pipeline
// would end.
func TestARecordThatFailsEndsNothing(t *testing.T) {
	r := run(t, `
tests:
  - name: fail
    vertex: a
    input: [bad, {value: good, key: k, headers: {h: v}, time: 2026-05-04T10:00:00Z}]
    expect: [{value: good, key: k, headers: {h: v}, time: 2026-05-04T10:00:00Z}]
    errors: [{record: 1, vertex: a, message: is bad}]`, natives(map[string]function{"a": func(v string) ([]string, error) {
		if v == "bad" {
			return nil, errors.New("it is bad")
		}
		return []string{v}, nil
	}}))
	if r.Findings != nil {
		t.Errorf("%+v", r.Findings)
	}
	if len(r.Seen) != 2 || r.Seen[0].Lines[0] != "key=k h=v good" {
		t.Errorf("seen %+v", r.Seen)
	}
}
