package host_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/state/process"
	"github.com/wasmill/wasmill/host/stream"
)

var rewrite = flag.Bool("rewrite", false, "make the golden checkpoints of this version anew")

// golden is what the versions so far have stored in the middle of a run, each in a
// folder of its own: all of them are restored, in this and in every later version.
const golden = "testdata/golden"

// newest is the folder of this version.
const newest = "1"

// goldenPipeline has every kind of state that needs no plugin compiled.
const goldenPipeline = `
name: golden
checkpoint: {storage: file://./checkpoints, interval: 0s, retain: 1}
vertices:
  - name: in
    source: {generator: {count: 4000, rate: %d, seed: 5, template: '{"n":{{seq}},"user":{{rand 100}},"size":{{rand 1000}}}'}}
    eventTime: {json: n, format: unixMilli}
  - {name: first, udf: {plugin: first}, key: {json: user}}
  - {name: count, aggregate: count, key: {json: user}, window: {fixed: 3s}}
  - {name: visits, aggregate: {sum: {json: size}}, key: {json: user}, window: {session: 60ms}}
  - {name: users, aggregate: {distinct: {json: user}}, key: {key: true}, window: {global: true}}
  - {name: largest, aggregate: {topK: {json: size, k: 3}}, key: {json: user}, window: {sliding: {size: 4s, slide: 2s}}}
  - {name: pairs, join: {inner: {left: first, right: in}}, key: {json: user}, window: {fixed: 1s}}
  - {name: out, sink: {file: {path: out.ndjson}}}
  - {name: rolled, sink: {file: {path: 'out-{part}.ndjson', roll: {size: 1MiB}}}}
edges:
  - {from: in, to: first}
  - {from: in, to: count}
  - {from: in, to: visits}
  - {from: in, to: users}
  - {from: in, to: largest}
  - {from: in, to: pairs}
  - {from: first, to: pairs}
  - {from: first, to: out}
  - {from: count, to: out}
  - {from: visits, to: rolled}
  - {from: users, to: out}
  - {from: largest, to: out}
  - {from: pairs, to: rolled}
`

// firsts lets the first and each further tenth record of a key through, and what
// comes of a timer at the end of each of its seconds.
type firsts struct{}

func (firsts) Process(_ context.Context, s *process.Session, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		r := &in.Records[i]
		if r.Port == stream.EventTimer {
			out.Append(r.Time, in.Key(i), fmt.Appendf(nil, `{"user":%q,"second":%q}`, in.Key(i), in.Value(i)), nil)
			out.Records[out.Len()-1].Source, out.Records[out.Len()-1].Seq = r.Source, r.Seq
			continue
		}
		count := byte(0)
		if value, ok := s.Get(i, []byte("count")); ok {
			count = value[0]
		}
		if count%10 == 0 {
			out.AppendFrom(in, i)
		}
		second := r.Time/int64(time.Second) + 1
		err := errors.Join(
			s.Put(i, []byte("count"), []byte{(count + 1) % 10}, 0),
			s.Put(i, []byte("lately"), []byte("x"), int64(time.Second)),
			s.SetTimer(i, process.EventTime, fmt.Append(nil, second), second*int64(time.Second)),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func (firsts) Close(context.Context) error { return nil }

func openGolden(t *testing.T, dir string, rate int, start durable.Start) *host.Host {
	t.Helper()
	file := filepath.Join(dir, "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, goldenPipeline, rate), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), host.Options{Files: []string{file}, Start: start, Native: map[string]func() stream.Transform{
		"first": func() stream.Transform {
			return process.NewTransform(process.Config{Vertex: "first", Groups: 128, MaxBytes: 1 << 20, CallBytes: 1 << 20, Key: func(b *stream.Batch, i int) ([]byte, bool) {
				_, after, _ := bytes.Cut(b.Value(i), []byte(`"user":`))
				user, _, _ := bytes.Cut(after, []byte(","))
				return user, true
			}}, firsts{})
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// lines returns what a run has written, in an order of its own.
func lines(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "out*.ndjson"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the output is %v, %v", files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			all = append(all, string(line))
		}
	}
	slices.Sort(all)
	return all
}

func closeGolden(t *testing.T, h *host.Host) {
	t.Helper()
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheckpointsOfEveryVersionAreRestored(t *testing.T) {
	if *rewrite {
		makeGolden(t)
	}
	whole := t.TempDir()
	h := openGolden(t, whole, 1_000_000, durable.Start{})
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeGolden(t, h)
	want := lines(t, whole)
	versions, err := os.ReadDir(golden)
	if err != nil || len(versions) == 0 {
		t.Fatalf("there are no golden checkpoints: %v", err)
	}
	for _, version := range versions {
		t.Run(version.Name(), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(golden, version.Name()))); err != nil {
				t.Fatal(err)
			}
			h := openGolden(t, dir, 1_000_000, durable.Start{})
			defer closeGolden(t, h)
			if err := h.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := h.Pipelines()[0].Durable.Checkpoints()
			if s.Restored.Epoch == 0 || h.Pipelines()[0].Stats()[0].RecordsIn > 3_000 {
				t.Errorf("it began with %+v and read %d records", s.Restored, h.Pipelines()[0].Stats()[0].RecordsIn)
			}
			if got := lines(t, dir); !slices.Equal(got, want) {
				t.Errorf("%d lines, not %d", len(got), len(want))
			}
		})
	}
}

// makeGolden stops a run in the middle and keeps its folder.
func makeGolden(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "golden")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h := openGolden(t, dir, 4_000, durable.Start{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	p := h.Pipelines()[0]
	for _, at := range []uint64{1_200, 1_800, 2_200} {
		for p.Stats()[0].RecordsIn < at {
			time.Sleep(time.Millisecond)
		}
		n := p.Durable.Checkpoints().Completed
		p.Durable.Request()
		for p.Durable.Checkpoints().Completed == n {
			time.Sleep(time.Millisecond)
		}
	}
	cancel()
	<-done
	closeGolden(t, h)
	to := filepath.Join(golden, newest)
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil { // or else the sinks would take theirs for the files there
		t.Fatal(err)
	}
}
