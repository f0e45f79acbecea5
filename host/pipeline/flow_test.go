package pipeline

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// steady is a source of numbers at a rate.
type steady struct {
	numbers
	every time.Duration // between batches
	next  time.Time
}

func (s *steady) Read(ctx context.Context, b *stream.Batch) error {
	if s.next.IsZero() {
		s.next = time.Now()
	}
	select {
	case <-time.After(time.Until(s.next)):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.next = s.next.Add(s.every)
	if late := time.Now().Add(-s.every); s.next.Before(late) {
		s.next = late // it does not catch up
	}
	return s.numbers.Read(ctx, b)
}

// slow is a transform that takes a time for each record.
func slow(cost func(number int) time.Duration) stream.Transform {
	return batchFunc(func(in *stream.Batch, out *stream.Output) error {
		var took time.Duration
		for i := range in.Records {
			n, _ := strconv.Atoi(string(in.Value(i)))
			took += cost(n)
		}
		time.Sleep(took)
		for i := range in.Records {
			emit(out, in, i, in.Value(i), stream.Untagged)
			out.Records[i].Key = out.Store(in.Key(i))
		}
		return nil
	})
}

// usual is a transform with the settings that a config has by default.
func usual(name string, concurrency int, t stream.Transform) Vertex {
	return Vertex{
		Name: stream.VertexID(name), Transform: t, Concurrency: concurrency, Order: OrderNone, Call: Limit{1024, 1 << 20}, CallTime: time.Millisecond,
		Queue: Limit{8192, 4 << 20}, Processing: Limit{64 << 10, 64 << 20}, Output: Limit{8192, 4 << 20},
	}
}

// start runs a graph until the test's bubble ends, or stop is called.
func start(t *testing.T, g Graph) (p *Pipeline, stop func()) {
	t.Helper()
	p = mustNew(t, g, Hooks{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, nil) }()
	return p, func() { cancel(); <-done }
}

func (s *collect) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

func TestOneSlowRecordCostsOnePermitAndHoldsTheWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := slow(func(n int) time.Duration {
			if n == 5000 {
				return 30 * time.Second
			}
			return time.Millisecond
		})
		a := &collect{}
		p, stop := start(t, graph([]Vertex{source("in", &numbers{count: 1 << 30, batch: 1024}), usual("x", 8, x), sink("a", a)}, "in x", "x a"))
		defer stop()
		time.Sleep(time.Second)
		before := a.count()
		time.Sleep(29 * time.Second)
		if got, want := a.count()-before, 29*7000; got < want*99/100 {
			t.Errorf("%d records went by the slow one, want %d", got, want)
		}
		if low := p.Stats()[2].Watermark; low > 5000 {
			t.Errorf("watermark %d passed the slow record", low)
		}
		time.Sleep(2 * time.Second)
		if low := p.Stats()[2].Watermark; low < 200_000 {
			t.Errorf("watermark %d is held by a record that is done", low)
		}
	})
}

func TestTheFourthRecordWaitsUntilOneOfThreeIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var began atomic.Int32
		x := each(func(out *stream.Output, in *stream.Batch, i int) error {
			began.Add(1)
			<-release
			return pass(out, in, i)
		})
		v := usual("x", 8, x)
		v.Processing = Limit{3, 1 << 20}
		_, stop := start(t, graph([]Vertex{source("in", &numbers{count: 100, batch: 10}), v, sink("a", &collect{})}, "in x", "x a"))
		defer stop()
		defer close(release)
		for want := int32(3); want < 20; want++ {
			synctest.Wait()
			if n := began.Load(); n != want {
				t.Fatalf("%d calls began, want %d", n, want)
			}
			release <- struct{}{}
		}
	})
}

func TestThroughputIsThatOfTheMeanLatency(t *testing.T) {
	tests := []struct {
		order Order
		call  int
	}{{OrderNone, 1024}, {OrderNone, 1}, {OrderKey, 1024}, {OrderKey, 1}}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("order %s, calls of %d", tt.order, tt.call), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := slow(func(n int) time.Duration {
					if hash("slow", strconv.Itoa(n))%100 == 0 {
						return 500 * time.Millisecond
					}
					return time.Millisecond
				})
				v, a := usual("x", 64, x), &collect{}
				v.Order, v.Call.Records = tt.order, tt.call
				in := &withKeys{numbers: numbers{count: 1 << 30, batch: 1024}, keys: 10_000}
				_, stop := start(t, graph([]Vertex{source("in", in), v, sink("a", a)}, "in x", "x a"))
				defer stop()
				time.Sleep(10 * time.Second)
				if got, want := a.count(), 10*64*1000*100/(99+500); got < want*97/100 {
					t.Errorf("%d records in 10 s, want 97 %% of %d", got, want)
				}
			})
		})
	}
}

// withKeys is a source of numbers with keys.
type withKeys struct {
	numbers
	keys int
}

func (s *withKeys) Read(ctx context.Context, b *stream.Batch) error {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.read == s.count || ctx.Err() != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return io.EOF
	}
	for b.Len() < s.batch && s.read < s.count {
		key, value := strconv.Itoa(s.read%s.keys), strconv.Itoa(s.first+s.read)
		b.Append(int64(s.read), []byte(key), []byte(value), nil)
		s.read++
	}
	return nil
}

// halting is a sink that takes a time for each record, until it is told not to.
type halting struct {
	collect
	each time.Duration
}

func (s *halting) Write(ctx context.Context, b *stream.Batch) error {
	s.mu.Lock()
	wait := s.each * time.Duration(b.Len())
	s.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.collect.Write(ctx, b)
}

func TestASlowSinkBoundsEveryStageAndRecovers(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderKey, OrderInput} {
		t.Run("order "+string(order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := &steady{numbers: numbers{count: 1 << 30, batch: 20}, every: 10 * time.Millisecond}
				v, k, a := usual("x", 8, each(pass)), sink("a", nil), &halting{each: time.Second}
				v.Order, k.Sink, k.Queue = order, a, Limit{1000, 1 << 20}
				v.Processing, v.Output, v.Call.Records = Limit{2000, 1 << 20}, Limit{1000, 1 << 20}, 50
				p, stop := start(t, graph([]Vertex{source("in", in), v, k}, "in x", "x a"))
				defer stop()
				for range 100 {
					time.Sleep(time.Second)
					s := p.Stats()
					if s[1].Input.Records > 8192+2000 || s[1].Processing.Records > 2000 || s[1].Output.Records > 1000+8*50 || s[2].Input.Records > 1000 {
						t.Fatalf("stages hold %+v, %+v, %+v and %+v", s[1].Input, s[1].Processing, s[1].Output, s[2].Input)
					}
				}
				if n := a.count(); n < 80 || n > 100 {
					t.Errorf("%d records written in 100 s, one each second", n)
				}
				in.mu.Lock()
				if n := len(in.acked); n == 0 || in.acked[n-1] < 50 {
					t.Errorf("acknowledged %v: a slow sink is flushed, too", in.acked)
				}
				in.mu.Unlock()
				a.mu.Lock()
				a.each = 0
				a.mu.Unlock()
				time.Sleep(30 * time.Second) // the write under way
				before := a.count()
				time.Sleep(3 * time.Second)
				if got := a.count() - before; got < 5_900 {
					t.Errorf("%d records in 3 s after the recovery, 2000 come each second", got)
				}
			})
		})
	}
}

func TestWhatIsDroppedLeavesNothingBehind(t *testing.T) {
	never := each(func(*stream.Output, *stream.Batch, int) error { return nil })
	tests := []struct {
		name      string
		transform stream.Transform
		change    func(x, a *Vertex)
	}{
		{"the oldest of the output", each(pass), func(x, _ *Vertex) { x.OutputFull = FullDropOldest }},
		{"the newest of the output", each(pass), func(x, _ *Vertex) { x.OutputFull = FullDropNewest }},
		{"the oldest of an ordered output", each(pass), func(x, _ *Vertex) { x.OutputFull, x.Order = FullDropOldest, OrderInput }},
		{"the oldest of a queue", each(pass), func(_, a *Vertex) { a.QueueFull = FullDropOldest }},
		{"the newest of a queue", each(pass), func(_, a *Vertex) { a.QueueFull = FullDropNewest }},
		{"what a filter takes away", never, func(_, _ *Vertex) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := &steady{numbers: numbers{count: 1 << 30, batch: 20}, every: time.Millisecond}
				first := &numbers{first: -1, count: 1, batch: 1} // holds the sink
				v, a := usual("x", 4, tt.transform), sink("a", &collect{gate: make(chan struct{})})
				v.Output, a.Queue = Limit{1000, 1 << 20}, Limit{1000, 1 << 20}
				tt.change(&v, &a)
				p, stop := start(t, graph([]Vertex{source("in", in), source("first", first), v, a}, "in x", "x a", "first a"))
				defer stop()
				time.Sleep(10 * time.Second)
				if n := p.Stats()[0].RecordsIn; n < 199_000 {
					t.Errorf("%d records were read in 10 s of 20000 each", n)
				}
				for _, box := range []*inbox{p.transforms[0].in, p.sinks[0].in} {
					box.mu.Lock()
					calls, items := 0, 0
					for c := box.flight.oldest; c != nil; c = c.newer {
						calls++
					}
					for _, l := range box.lanes {
						items += l.items.len()
					}
					box.mu.Unlock()
					if calls > 1000 || items > 200 {
						t.Errorf("%d calls and %d items are kept", calls, items)
					}
				}
				for _, l := range p.acks {
					l.mu.Lock()
					if n := l.open.len(); n > 500 {
						t.Errorf("%d batches are remembered", n)
					}
					l.mu.Unlock()
				}
			})
		})
	}
}

func TestWhatWaitsForAnEarlierResultIsBounded(t *testing.T) {
	for _, full := range []Full{FullBlock, FullDropOldest, FullDropNewest} {
		t.Run(string(full), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := slow(func(n int) time.Duration { return map[bool]time.Duration{true: time.Hour}[n == 100] })
				v := usual("x", 4, x)
				v.Order, v.OutputFull, v.Output = OrderInput, full, Limit{1000, 1 << 20}
				in := &steady{numbers: numbers{count: 1 << 30, batch: 20}, every: time.Millisecond}
				p, stop := start(t, graph([]Vertex{source("in", in), v, sink("a", &collect{})}, "in x", "x a"))
				defer stop()
				time.Sleep(10 * time.Second)
				if s := p.Stats()[1]; s.Output.Records > 1000+4*1024 {
					t.Errorf("output holds %+v", s.Output)
				}
			})
		})
	}
}
