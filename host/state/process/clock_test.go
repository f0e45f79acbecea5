package process

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// skewed is a Transform for which the clock of the machine was set: it goes ahead of
// the one that the pipeline reads by a skew, in ns.
type skewed struct {
	*Transform
	skew atomic.Int64
}

func (s *skewed) Alarm(from, to int) (int64, bool) {
	at, ok := s.Transform.Alarm(from, to)
	return at - s.skew.Load(), ok
}

func (s *skewed) Advance(ctx context.Context, from, to int, upTo stream.Watermark, now int64, in *stream.Batch, out *stream.Output) error {
	if now != math.MaxInt64 {
		now += s.skew.Load()
	}
	return s.Transform.Advance(ctx, from, to, upTo, now, in, out)
}

// now is what the clock of the machine shows.
func (s *skewed) now() time.Time { return time.Now().Add(time.Duration(s.skew.Load())) }

// lines is a source of records whose time and value are those that a channel brings.
type lines chan record

func (lines) Open(context.Context, stream.Position) error { return nil }
func (lines) Position(dst []byte) stream.Position         { return append(dst, 0) }
func (lines) Ack(context.Context, stream.Position) error  { return nil }
func (lines) Close() error                                { return nil }

func (l lines) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case r, more := <-l:
		if !more {
			return io.EOF
		}
		b.Append(r.time, []byte(r.key), []byte(r.value), nil)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// said is a sink that keeps values which are not empty.
type said struct {
	mu  sync.Mutex
	all []string // guarded by mu
}

func (s *said) Open(context.Context) error  { return nil }
func (s *said) Flush(context.Context) error { return nil }
func (s *said) Close() error                { return nil }

func (s *said) Write(_ context.Context, b *stream.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Records {
		if v := string(b.Value(i)); v != "" {
			s.all = append(s.all, v)
		}
	}
	return nil
}

// take returns what was said since the last call, when nothing moves.
func (s *said) take() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.all, " ")
	s.all = nil
	return all
}

// ticking is a pipeline with a process whose clock may be set.
func ticking(t *testing.T) (*skewed, lines, *said, func()) {
	s, in, out := &skewed{Transform: NewTransform(Config{Vertex: "v", Groups: 3, MaxBytes: 1 << 20, CallBytes: 1 << 20}, bell)}, make(lines, 10), &said{}
	queue := pipeline.Limit{Records: 100, Bytes: 1 << 20}
	p, err := pipeline.New(pipeline.Graph{
		Vertices: []pipeline.Vertex{
			{Name: "in", Source: in},
			{Name: "x", Transform: s, Concurrency: 2, Call: queue, Queue: queue},
			{Name: "out", Sink: out, Queue: queue},
		},
		Edges: []pipeline.Edge{{From: "in", To: "x"}, {From: "x", To: "out"}},
		Tags:  stream.NewTagTable(),
	}, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Run(ctx, nil) // an error is that of ctx
	}()
	return s, in, out, func() {
		cancel()
		<-done
	}
}

// bell is a guest that has a timer by the clock fire at the time which is the value of
// a record, if it has one, and rings then.
var bell = guest(func(s *Session, in *stream.Batch, out *stream.Output) error {
	for i, r := range in.Records {
		switch {
		case r.Port == stream.ClockTimer:
			out.Append(r.Time, in.Key(i), []byte("ring"), nil)
			out.Records[out.Len()-1].Source = stream.NoSource
		case r.Value.Len > 0:
			if err := s.SetTimer(i, WallClock, nil, number(string(in.Value(i)))); err != nil {
				return err
			}
		}
	}
	return nil
})

func alarmed(at time.Time) record {
	return record{key: "k", value: fmt.Sprint(at.UnixNano()), time: 1}
}

// TestTimersByAClockThatIsSet sets the clock an hour back and forth while a timer
// waits. It must not fire before the clock shows its time, and it does fire then: at
// once, or if the clock was set past it, when it would have fired otherwise.
func TestTimersByAClockThatIsSet(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, -time.Second, 0, time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s, in, out, stop := ticking(t)
			defer stop()
			at := s.now().Add(10 * time.Minute)
			in <- alarmed(at)
			synctest.Wait()
			time.Sleep(time.Minute)
			s.skew.Store(int64(skew))
			fired := time.Duration(-1)
			for began := time.Now(); time.Since(began) < 3*time.Hour; time.Sleep(time.Second) {
				got := out.take()
				if got == "" {
					continue
				}
				if s.now().Before(at) {
					t.Fatalf("clock set by %v: it fired %v early", skew, at.Sub(s.now()))
				}
				if fired >= 0 || got != "ring" {
					t.Fatalf("clock set by %v: got %q after %v", skew, got, fired)
				}
				fired = time.Since(began)
			}
			want := 9*time.Minute - min(skew, 0)
			if fired < 0 || fired > want+time.Second {
				t.Errorf("clock set by %v: it fired after %v, want %v at most", skew, fired, want)
			}
		})
	}
}

// TestAFrozenClockFiresNoTimerByIt lets event time pass centuries meanwhile.
func TestAFrozenClockFiresNoTimerByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in, out, stop := ticking(t)
		defer stop()
		in <- alarmed(s.now().Add(time.Nanosecond))
		synctest.Wait()
		for step := range int64(200) {
			s.skew.Add(-int64(time.Minute)) // what passes now is not seen
			in <- record{key: "k", time: step * int64(365*24*time.Hour)}
			time.Sleep(time.Minute)
			if got := out.take(); got != "" {
				t.Fatalf("got %q", got)
			}
		}
		time.Sleep(2 * time.Minute)
		if got := out.take(); got != "ring" {
			t.Errorf("as the clock goes on got %q", got)
		}
	})
}
