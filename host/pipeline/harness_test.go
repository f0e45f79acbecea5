package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// numbers is a source of the values first, first+1, … in batches of a size.
type numbers struct {
	first, count, batch int
	gate                chan struct{} // if set, each batch takes one

	read  int
	mu    sync.Mutex
	acked []int // guarded by mu; positions acknowledged
}

func (s *numbers) Open(_ context.Context, after stream.Position) error {
	if after != nil {
		s.read = int(binary.BigEndian.Uint64(after))
	}
	return nil
}

func (s *numbers) Read(ctx context.Context, b *stream.Batch) error {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.read == s.count {
		return io.EOF
	}
	for b.Len() < s.batch && s.read < s.count {
		b.Append(int64(s.read), nil, strconv.AppendInt(nil, int64(s.first+s.read), 10), nil)
		s.read++
	}
	return nil
}

func (s *numbers) Position(dst []byte) stream.Position {
	return binary.BigEndian.AppendUint64(dst, uint64(s.read))
}

func (s *numbers) Locate(after stream.Position, back int) string {
	return fmt.Sprintf("number %d", int(binary.BigEndian.Uint64(after))-1-back)
}

func (s *numbers) Ack(_ context.Context, upTo stream.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = append(s.acked, int(binary.BigEndian.Uint64(upTo)))
	return nil
}

func (s *numbers) Close() error { return nil }

// collect is a sink that keeps what it gets.
type collect struct {
	mu      sync.Mutex
	values  []string // guarded by mu
	flushed int      // guarded by mu; values that were flushed
	writes  int      // guarded by mu
	gate    chan struct{}
	fail    error
}

func (s *collect) Open(context.Context) error { return nil }
func (s *collect) Close() error               { return nil }

func (s *collect) Write(ctx context.Context, b *stream.Batch) error {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for i := range b.Records {
		if b.Records[i].Tag != stream.Untagged {
			return errors.New("tag crossed an edge")
		}
		s.values = append(s.values, string(b.Value(i)))
	}
	return s.fail
}

func (s *collect) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = len(s.values)
	return nil
}

func (s *collect) sorted() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int
	for _, v := range s.values {
		n, err := strconv.Atoi(v)
		if err != nil {
			panic(err)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// each is a transform that handles records one by one.
type each func(out *stream.Output, in *stream.Batch, i int) error

func (f each) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		if err := f(out, in, i); err != nil {
			return err
		}
	}
	return nil
}

func (each) Close(context.Context) error { return nil }

// emit adds a record with a value and a tag to out.
func emit(out *stream.Output, in *stream.Batch, i int, value []byte, tag stream.Tag) {
	r := in.Records[i]
	r.Value, r.Key, r.Headers, r.Tag, r.Port = out.Store(value), stream.Span{}, stream.Span{}, tag, 0
	out.Records = append(out.Records, r)
}

func pass(out *stream.Output, in *stream.Batch, i int) error {
	emit(out, in, i, in.Value(i), stream.Untagged)
	return nil
}

func source(name string, s stream.Source) Vertex {
	return Vertex{Name: stream.VertexID(name), Source: s}
}

func sink(name string, s stream.Sink) Vertex {
	return Vertex{Name: stream.VertexID(name), Sink: s, Queue: Limit{1 << 20, 1 << 20}}
}

func udf(name string, workers int, t stream.Transform) Vertex {
	return Vertex{
		Name: stream.VertexID(name), Transform: t, Concurrency: workers, Order: OrderNone,
		Call: Limit{100, 1 << 20}, Queue: Limit{1000, 1 << 20},
	}
}

// graph joins vertices by edges written as "from to tag…".
func graph(vertices []Vertex, edges ...string) Graph {
	g := Graph{Vertices: vertices}
	var tags []string
	for _, e := range edges {
		f := bytes.Fields([]byte(e))
		edge := Edge{From: stream.VertexID(f[0]), To: stream.VertexID(f[1])}
		for _, t := range f[2:] {
			edge.Tags = append(edge.Tags, string(t))
		}
		tags = append(tags, edge.Tags...)
		g.Edges = append(g.Edges, edge)
	}
	g.Tags = stream.NewTagTable(tags...)
	return g
}

func mustNew(t testing.TB, g Graph, hooks Hooks) *Pipeline {
	t.Helper()
	p, err := New(g, hooks)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// given restores what is given.
func given(from map[stream.VertexID]Restored) Restore {
	return func(context.Context) (map[stream.VertexID]Restored, error) { return from, nil }
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
