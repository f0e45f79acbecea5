package window_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// sensor is a source of readings: key, number, and a time up to a second behind
// the latest, with one in a hundred a minute late.
type sensor struct {
	rng   *rand.Rand
	left  int
	clock int64
	made  []reading
}

type reading struct {
	key  string
	n    int
	time int64
}

func (s *sensor) Open(context.Context, stream.Position) error { return nil }
func (s *sensor) Position(dst []byte) stream.Position         { return append(dst, 1) }
func (s *sensor) Ack(context.Context, stream.Position) error  { return nil }
func (s *sensor) Close() error                                { return nil }
func (s *sensor) jitter() int64                               { return int64(s.rng.IntN(int(time.Second))) }
func (s *sensor) Read(ctx context.Context, b *stream.Batch) error {
	if s.left == 0 {
		return io.EOF
	}
	for range min(s.left, 1+s.rng.IntN(200)) {
		s.left--
		s.clock += int64(s.rng.IntN(int(100 * time.Millisecond)))
		r := reading{key: strconv.Itoa(s.rng.IntN(40)), n: s.rng.IntN(1000), time: s.clock - s.jitter()}
		if s.rng.IntN(100) == 0 {
			r.time -= int64(time.Hour)
		}
		s.made = append(s.made, r)
		b.Append(r.time, []byte(r.key), []byte(strconv.Itoa(r.n)), nil)
	}
	return nil
}

// keep is a sink that remembers what it gets.
type keep struct{ values []string }

func (k *keep) Open(context.Context) error  { return nil }
func (k *keep) Flush(context.Context) error { return nil }
func (k *keep) Close() error                { return nil }
func (k *keep) Write(_ context.Context, b *stream.Batch) error {
	for i := range b.Records {
		k.values = append(k.values, string(b.Value(i)))
	}
	return nil
}

// TestAPipelineSumsWhatANaiveLoopSums runs an aggregation in a pipeline with many
// calls at once and compares with a loop over all records. What is an hour late is
// to come out as such.
func TestAPipelineSumsWhatANaiveLoopSums(t *testing.T) {
	for seed := range uint64(5) {
		tags := stream.NewTagTable("late")
		value := func(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), true }
		sum, err := window.NewTransform(window.Config{
			Vertex: "sum", Spec: window.Spec{Kind: window.Fixed, Size: 10 * time.Second}, Aggregate: "sum",
			Groups: 16, MaxBytes: 64 << 20, Value: value, Late: tags.Tag([]byte("late")),
		})
		if err != nil {
			t.Fatal(err)
		}
		in, out, late := &sensor{rng: rand.New(rand.NewPCG(seed, 1)), left: 20_000, clock: int64(24 * time.Hour)}, &keep{}, &keep{}
		queue := pipeline.Limit{Records: 1000, Bytes: 1 << 20}
		p, err := pipeline.New(pipeline.Graph{
			Vertices: []pipeline.Vertex{
				{Name: "in", Source: in, EventTime: &pipeline.EventTime{MaxOutOfOrder: time.Second}},
				{Name: "sum", Transform: sum, Concurrency: 4, Call: pipeline.Limit{Records: 100, Bytes: 1 << 20}, Queue: queue},
				{Name: "out", Sink: out, Queue: queue},
				{Name: "late", Sink: late, Queue: queue},
			},
			Edges: []pipeline.Edge{{From: "in", To: "sum"}, {From: "sum", To: "out"}, {From: "sum", To: "late", Tags: []string{"late"}}},
			Tags:  tags,
		}, pipeline.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		want, tooLate := map[string]int{}, 0
		for _, r := range in.made {
			if size := int64(10 * time.Second); r.time > int64(23*time.Hour+30*time.Minute) {
				want[fmt.Sprint(r.key, "@", r.time/size*size)] += r.n
			} else {
				tooLate++
			}
		}
		for _, line := range out.values {
			var got struct {
				Key   string
				Start time.Time
				Sum   int
			}
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(errors.Join(err, errors.New(line)))
			}
			if got.Start.Before(time.Unix(0, 0).Add(23*time.Hour + 30*time.Minute)) {
				continue // it came before the watermark had passed it
			}
			window := fmt.Sprint(got.Key, "@", got.Start.UnixNano())
			if want[window] != got.Sum {
				t.Errorf("seed %d: got %s, want %d", seed, line, want[window])
			}
			delete(want, window)
		}
		if n := len(late.values); len(want) > 0 || n > tooLate || n < tooLate/2 {
			t.Errorf("seed %d: %d windows are missing, %d records late of %d", seed, len(want), n, tooLate)
		}
	}
}

// bare is a source of records that have nothing.
type bare struct{ sensor }

func (s *bare) Read(_ context.Context, b *stream.Batch) error {
	if s.left == 0 {
		return io.EOF
	}
	for range s.left {
		b.Append(1, nil, nil, nil)
	}
	s.left = 0
	return nil
}

func TestAnEmptyKeyIsAKey(t *testing.T) {
	count, err := window.NewTransform(window.Config{Spec: window.Spec{Kind: window.Global}, Aggregate: "count", Groups: 4, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	queue, out := pipeline.Limit{Records: 1000, Bytes: 1 << 20}, &keep{}
	p, err := pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{
			{Name: "in", Source: &bare{sensor{left: 7}}},
			{Name: "count", Transform: count, Concurrency: 2, Call: pipeline.Limit{Records: 100, Bytes: 1 << 20}, Queue: queue},
			{Name: "out", Sink: out, Queue: queue},
		},
		Edges: []pipeline.Edge{{From: "in", To: "count"}, {From: "count", To: "out"}},
		Tags:  stream.NewTagTable(),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"key":"","start":null,"end":null,"fired":"on-time","count":7}`; len(out.values) != 1 || out.values[0] != want {
		t.Errorf("got %v, want %s", out.values, want)
	}
}

func TestRecordsThatCannotBeSummedChangeNothing(t *testing.T) {
	value := func(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), b.Records[i].Value.Len > 0 }
	tr, err := window.NewTransform(window.Config{
		Spec: window.Spec{Kind: window.Global}, Aggregate: "sum", Groups: 1, MaxBytes: 1 << 20, Value: value,
	})
	if err != nil {
		t.Fatal(err)
	}
	call := func(values ...string) []stream.Failure {
		in, out := &stream.Batch{Watermark: stream.NoWatermark}, stream.Output{Batch: &stream.Batch{}}
		for _, v := range values {
			in.Append(1, []byte("k"), []byte(v), nil)
		}
		if err := tr.In(t.Context(), in, &out); err != nil {
			t.Fatal(err)
		}
		return out.Failures
	}
	if f := call("1", "x", "2", ""); len(f) != 2 || f[0].Input != 1 || f[1].Input != 3 {
		t.Errorf("failures %+v", f)
	}
	if f := call("5", "6"); len(f) != 0 {
		t.Errorf("failures %+v", f)
	}
	out := stream.Output{Batch: &stream.Batch{}}
	if at, due := tr.Due(0, 1); !due || at != stream.EndOfTime {
		t.Errorf("due at %d, %v", at, due)
	}
	if err := tr.Advance(t.Context(), 0, 1, stream.EndOfTime, 0, nil, &out); err != nil || out.Len() != 1 {
		t.Fatalf("%d results, %v", out.Len(), err)
	}
	if want := `{"key":"k","start":null,"end":null,"fired":"on-time","sum":11}`; string(out.Value(0)) != want {
		t.Errorf("got %s, want %s", out.Value(0), want)
	}
	if _, due := tr.Due(0, 1); due {
		t.Error("something is due after the end of time")
	}
}
