package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

const committed = 5000

// settled notes which numbered records are done: flushed by a sink, or dropped.
type settled struct {
	mu      sync.Mutex
	written []int           // guarded by mu; not flushed yet
	done    [committed]bool // guarded by mu
}

func (s *settled) Open(context.Context) error { return nil }
func (s *settled) Close() error               { return nil }

func (s *settled) Write(_ context.Context, b *stream.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Records {
		n, err := strconv.Atoi(string(b.Value(i)))
		if err != nil {
			return err
		}
		s.written = append(s.written, n)
	}
	return nil
}

func (s *settled) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.written {
		s.done[n] = true
	}
	s.written = nil
	return nil
}

// moody takes its time with some records, and turns others down for good.
type moody struct{ *settled }

func (m moody) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		switch n, err := strconv.Atoi(string(in.Value(i))); {
		case err != nil:
			return err
		case n%97 == 0:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "not this one"})
			m.mu.Lock()
			m.done[n] = true // it is dropped
			m.mu.Unlock()
			continue
		case n%31 == 0:
			time.Sleep(time.Millisecond)
		}
		out.AppendFrom(in, i)
	}
	return nil
}

func (moody) Close(context.Context) error { return nil }

// watched is a source that looks up what a position that is acknowledged means, by
// opening a second one there.
type watched struct {
	stream.Source
	again func() stream.Source
	done  *settled
	acks  int
	last  int // acknowledged
}

func (w *watched) Ack(ctx context.Context, upTo stream.Position) error {
	w.acks++
	next, err := firstAfter(ctx, w.again(), upTo)
	if err != nil {
		return err
	}
	w.last = next
	w.done.mu.Lock()
	defer w.done.mu.Unlock()
	for n := range next {
		if !w.done.done[n] {
			return fmt.Errorf("acknowledged up to %d, and %d is not done", next, n)
		}
	}
	return w.Source.Ack(ctx, upTo)
}

// firstAfter returns the number of the first record after a position.
func firstAfter(ctx context.Context, s stream.Source, after stream.Position) (n int, err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Open(ctx, after); err != nil {
		return 0, err
	}
	b := &stream.Batch{}
	if err := s.Read(ctx, b); errors.Is(err, io.EOF) {
		return committed, nil
	} else if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b.Value(0)))
}

func TestFilesAndGeneratorsAreNeverAcknowledgedPastAnUnfinishedRecord(t *testing.T) {
	var lines strings.Builder
	for n := range committed {
		fmt.Fprintln(&lines, n)
	}
	files := file.DefaultSource()
	files.Path, files.BatchRecords = write(t, t.TempDir(), "numbers.txt", lines.String()), 50
	made := generator.DefaultSource()
	made.Count, made.Template, made.BatchRecords = committed, "{{seq}}", 50
	for name, again := range map[string]func() stream.Source{
		"file":      func() stream.Source { return file.NewSource(files, nil) },
		"generator": func() stream.Source { return generator.NewSource(made) },
	} {
		t.Run(name, func(t *testing.T) {
			done := &settled{}
			in := &watched{Source: again(), again: again, done: done}
			queue := pipeline.Limit{Records: 500, Bytes: 1 << 20}
			p, err := pipeline.New(pipeline.Graph{
				Vertices: []pipeline.Vertex{
					{Name: "in", Source: in},
					{Name: "f", Transform: moody{done}, Concurrency: 8, Call: pipeline.Limit{Records: 7, Bytes: 1 << 20}, Queue: queue, OnError: pipeline.OnErrorDrop},
					{Name: "out", Sink: done, Queue: queue},
				},
				Edges: []pipeline.Edge{{From: "in", To: "f"}, {From: "f", To: "out"}},
				Tags:  stream.NewTagTable(),
			}, pipeline.Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if in.last != committed || in.acks < 2 {
				t.Errorf("acknowledged up to %d of %d in %d times", in.last, committed, in.acks)
			}
		})
	}
}
