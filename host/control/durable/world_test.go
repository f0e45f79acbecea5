package durable_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// ticks is a source of a number each millisecond.
type ticks struct {
	count int // 0 = for ever
	pad   int // bytes that each has beside its value
	next  int
	acked func(n int)
}

func (s *ticks) Open(_ context.Context, after stream.Position) (err error) {
	if after != nil {
		s.next, err = strconv.Atoi(string(after))
	}
	return err
}

func (s *ticks) Read(ctx context.Context, b *stream.Batch) error {
	if s.count > 0 && s.next == s.count {
		return io.EOF
	}
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.Append(int64(s.next)*int64(time.Millisecond), nil, strconv.AppendInt(nil, int64(s.next), 10), make([]byte, s.pad))
	s.next++
	return nil
}

func (s *ticks) Position(dst []byte) stream.Position {
	return strconv.AppendInt(dst, int64(s.next), 10)
}

func (s *ticks) Ack(_ context.Context, upTo stream.Position) error {
	n, err := strconv.Atoi(string(upTo))
	if s.acked != nil {
		s.acked(n)
	}
	return err
}

func (s *ticks) Close() error { return nil }

// outside is what a transactional sink writes to: it outlives the processes.
type outside struct {
	mu     sync.Mutex // guards the rest
	hidden map[string][]string
	shown  []string
	fail   error         // of commits
	slow   time.Duration // of commits
}

func (o *outside) numbers(t *testing.T) (all []int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.shown {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// exactly writes to an outside.
type exactly struct {
	to      *outside
	pending []string
}

func (s *exactly) Open(context.Context) error  { return nil }
func (s *exactly) Flush(context.Context) error { return nil }
func (s *exactly) Close() error                { return nil }

func (s *exactly) Write(_ context.Context, b *stream.Batch) error {
	for i := range b.Records {
		s.pending = append(s.pending, string(b.Value(i)))
	}
	return nil
}

func (s *exactly) Prepare(_ context.Context, e stream.Epoch) ([]byte, error) {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	id := fmt.Sprintf("%d-%d", e, time.Now().UnixNano())
	s.to.hidden[id] = s.pending
	s.pending = nil
	return []byte(id), nil
}

func (s *exactly) Commit(ctx context.Context, id []byte) error {
	s.to.mu.Lock()
	slow := s.to.slow
	s.to.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if s.to.fail != nil {
		return s.to.fail
	}
	s.to.shown = append(s.to.shown, s.to.hidden[string(id)]...)
	delete(s.to.hidden, string(id))
	return nil
}

func (s *exactly) Recover(ctx context.Context, ids [][]byte) error {
	for _, id := range ids {
		if err := s.Commit(ctx, id); err != nil {
			return err
		}
	}
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	clear(s.to.hidden)
	return nil
}

// slow is a transform that takes a time for each call.
type slow struct {
	takes func(value string) time.Duration
}

func (s *slow) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		select {
		case <-time.After(s.takes(string(in.Value(i)))):
		case <-ctx.Done():
			return ctx.Err()
		}
		out.AppendFrom(in, i)
	}
	return nil
}

func (s *slow) Close(context.Context) error { return nil }

// world is what outlives the runs of a pipeline: ticks → (slow →) out.
type world struct {
	*testing.T
	place    storetest.Place
	store    *storetest.Faulty // of the run that was made last
	out      outside
	settings checkpoint.Settings
	start    durable.Start
	count    int
	pad      int
	slow     func(value string) time.Duration // nil = there is no such vertex
	change   func(c *durable.Config)
	mu       sync.Mutex // guards the rest, while runs are under way
	acked    []int
	failed   []error
	damaged  []stream.Epoch
	restored stream.Restoration
	applied  []time.Duration
	done     []stream.CheckpointReport
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, settings: checkpoint.Settings{
		Interval: 100 * time.Millisecond, Timeout: time.Minute, AlignTimeout: time.Second, MaxInFlight: 1,
		TolerableFailures: 1000, Retain: checkpoint.Retention{Count: 3},
	}}
	w.out.hidden = make(map[string][]string)
	return w
}

// runner makes one, as a new process would.
func (w *world) runner() *durable.Runner {
	w.Helper()
	w.store = &storetest.Faulty{Store: w.place.Open()}
	store := w.store
	note := func(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }
	g := pipeline.Graph{Tags: stream.NewTagTable()}
	g.Vertices = []pipeline.Vertex{{Name: "in", Source: &ticks{count: w.count, pad: w.pad, acked: func(n int) { note(func() { w.acked = append(w.acked, n) }) }}}}
	last := stream.VertexID("in")
	shapes := map[stream.VertexID]durable.Shape{"in": {Role: "source", Kind: "ticks"}}
	if w.slow != nil {
		g.Vertices = append(g.Vertices, pipeline.Vertex{
			Name: "slow", Transform: &slow{w.slow}, Concurrency: 4, Call: pipeline.Limit{Records: 1, Bytes: 1 << 20}, Queue: pipeline.Limit{Records: 16, Bytes: 1 << 20},
			Processing: pipeline.Limit{Records: 16, Bytes: 1 << 20}, Output: pipeline.Limit{Records: 16, Bytes: 1 << 20},
		})
		g.Edges = append(g.Edges, pipeline.Edge{From: "in", To: "slow"})
		shapes["slow"] = durable.Shape{Role: "udf", Kind: "slow", From: []stream.VertexID{"in"}}
		last = "slow"
	}
	g.Vertices = append(g.Vertices, pipeline.Vertex{Name: "out", Sink: &exactly{to: &w.out}, Queue: pipeline.Limit{Records: 64, Bytes: 1 << 20}})
	g.Edges = append(g.Edges, pipeline.Edge{From: last, To: "out"})
	shapes["out"] = durable.Shape{Role: "sink", Kind: "exactly", From: []stream.VertexID{last}}
	c := durable.Config{
		Name: "p", Graph: g, Shapes: shapes, Settings: w.settings, Start: w.start,
		Open: func(context.Context) (checkpoint.Store, error) { return store, nil },
		Events: stream.Events{
			CheckpointFailed:   func(_ stream.Epoch, err error) { note(func() { w.failed = append(w.failed, err) }) },
			CheckpointDamaged:  func(e stream.Epoch, _ error) { note(func() { w.damaged = append(w.damaged, e) }) },
			Restored:           func(r stream.Restoration) { note(func() { w.restored = r }) },
			CheckpointInterval: func(d time.Duration, _ uint64, _ string) { note(func() { w.applied = append(w.applied, d) }) },
			CheckpointDone:     func(r stream.CheckpointReport) { note(func() { w.done = append(w.done, r) }) },
		},
	}
	if w.change != nil {
		w.change(&c)
	}
	r, err := durable.New(c)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// life is a run.
type life struct {
	*world
	*durable.Runner
	end  context.CancelCauseFunc
	done chan error
}

func (w *world) begin() *life {
	w.Helper()
	l := &life{world: w, Runner: w.runner(), done: make(chan error, 1)}
	ctx, cancel := context.WithCancelCause(w.Context())
	l.end = cancel
	go func() { l.done <- l.Run(ctx) }()
	return l
}

// errKilled is the end of a process.
var errKilled = fmt.Errorf("killed")

// kill ends the run as a crash would: nothing is done any more.
func (l *life) kill() {
	l.Helper()
	l.end(errKilled)
	if err := <-l.done; err == nil || err.Error() != errKilled.Error() {
		l.Errorf("the killed run returned %v", err)
	}
}

// drain stops the sources and waits for the end.
func (l *life) drain() {
	l.Helper()
	l.Drain()
	if err := <-l.done; err != nil {
		l.Error(err)
	}
}

// expect compares what is shown with the numbers below n.
func (w *world) expect(n int) {
	w.Helper()
	got := w.out.numbers(w.T)
	slices.Sort(got)
	if len(got) != n {
		w.Errorf("%d numbers are shown, not %d", len(got), n)
	}
	for i, x := range got {
		if i != x {
			w.Errorf("number %d is at place %d", x, i)
			return
		}
	}
}

// manifest returns that of a checkpoint, 0 for the newest.
func (w *world) manifest(e stream.Epoch) *checkpoint.Manifest {
	w.Helper()
	r := checkpoint.Reader{Store: w.place.Open(), Pipeline: "p"}
	if e == 0 {
		var err error
		if e, err = r.Highest(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
	m, err := r.Manifest(w.Context(), e)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// position is where the source stood at a checkpoint.
func position(t *testing.T, m *checkpoint.Manifest) int {
	t.Helper()
	var meta struct{ Position []byte }
	if err := json.Unmarshal(m.Vertex("in").Meta, &meta); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(meta.Position))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sleep lets time pass, and everything come to rest.
func (w *world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// inTime runs a test on a clock of its own.
func inTime(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}
