package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// letters is a sink that keeps values with their headers.
type letters struct {
	collect
	headers []map[string]string // guarded by mu
}

func (s *letters) Write(ctx context.Context, b *stream.Batch) error {
	s.mu.Lock()
	for i := range b.Records {
		h := map[string]string{}
		for rest := b.Headers(i); ; {
			var name, value []byte
			var ok bool
			if name, value, rest, ok = abi.NextHeader(rest); !ok {
				break
			}
			h[string(name)] = string(value)
		}
		s.headers = append(s.headers, h)
	}
	s.mu.Unlock()
	return s.collect.Write(ctx, b)
}

// trapping is a transform whose calls take 100 µs for each record and trap at
// some of them.
func trapping(poison func(number int) bool, calls *atomic.Int64) stream.Transform {
	return batchFunc(func(in *stream.Batch, out *stream.Output) error {
		time.Sleep(time.Duration(in.Len()) * 100 * time.Microsecond)
		for i := range in.Records {
			calls.Add(1)
			if n, _ := strconv.Atoi(string(in.Value(i))); poison(n) {
				return &stream.Error{Code: stream.GuestTrap, Why: "trapped"}
			}
			if err := pass(out, in, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// withDeadLetters makes a graph of a source, a vertex and two sinks, of which dead
// gets the dead letters of the vertex.
func withDeadLetters(in stream.Source, v Vertex, a, dead stream.Sink) Graph {
	v.OnError, v.Headers = OnErrorDeadLetter, []Header{{"wasmill-pipeline", "p"}}
	g := graph([]Vertex{source("in", in), v, sink("a", a), sink("dead", dead)}, "in x", "x a")
	g.Edges = append(g.Edges, Edge{From: "x", To: "dead", DeadLetters: true})
	return g
}

func TestATrapOnEveryRecordMakesEachADeadLetter(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderKey, OrderInput} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			v, a, dead := usual("x", 8, trapping(func(int) bool { return true }, &calls)), &collect{}, &letters{}
			v.Order, v.Retry = order, Retry{Attempts: 3, Backoff: 100 * time.Millisecond, MaxBackoff: time.Second}
			p := mustNew(t, withDeadLetters(&numbers{count: 1000, batch: 100}, v, a, dead), Hooks{})
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(dead.sorted(), upTo(1000)) || len(a.values) > 0 {
				t.Fatalf("%d dead letters and %d others", len(dead.values), len(a.values))
			}
			for i, h := range dead.headers {
				n, _ := strconv.Atoi(dead.values[i])
				want := map[string]string{
					"wasmill-pipeline": "p", HeaderVertex: "x", HeaderPosition: fmt.Sprintf("record %d of source in (number %d)", n+1, n),
					HeaderAttempts: "3", HeaderCode: "guest-trap", HeaderReason: "trapped",
				}
				if fmt.Sprint(h) != fmt.Sprint(want) {
					t.Fatalf("headers %v\nwant    %v", h, want)
				}
			}
			if s := p.Stats()[1]; s.Retries != 2000 || s.DeadLetters != 1000 {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

func TestATrapOnOneInTenThousandCostsNextToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(poison func(int) bool) (time.Duration, int) {
			var calls atomic.Int64
			v, dead := usual("x", 8, trapping(poison, &calls)), &letters{}
			v.Retry = Retry{Attempts: 3, Backoff: 10 * time.Millisecond, MaxBackoff: time.Second}
			began := time.Now()
			p := mustNew(t, withDeadLetters(&numbers{count: 400_000, batch: 1000}, v, devNull{}, dead), Hooks{})
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			return time.Since(began), len(dead.values)
		}
		usual, none := run(func(int) bool { return false })
		got, some := run(func(n int) bool { return n%10_000 == 5_000 })
		if none != 0 || some != 40 {
			t.Errorf("%d and %d dead letters, want 0 and 40", none, some)
		}
		if got > usual*105/100 {
			t.Errorf("took %v with traps and %v without", got, usual)
		}
	})
}

func TestRecordsThatAllFailAreCalledAFewTimesEach(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderKey, OrderInput} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			x := each(func(out *stream.Output, in *stream.Batch, i int) error {
				calls.Add(1)
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "no"})
				return nil
			})
			v, dead := usual("x", 1, x), &letters{}
			v.Order, v.CallTime = order, 0
			p := mustNew(t, withDeadLetters(&numbers{count: 10_000, batch: 1000}, v, &collect{}, dead), Hooks{})
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if n := calls.Load(); n > 30_000 || len(dead.values) != 10_000 {
				t.Errorf("order %s: %d dead letters, called for %d records", order, len(dead.values), n)
			}
		})
	}
}

func TestARecordThatIsTriedAgainHoldsNoOtherBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := each(func(out *stream.Output, in *stream.Batch, i int) error {
			if n, _ := strconv.Atoi(string(in.Value(i))); n%100 == 7 {
				return errBoom
			}
			return pass(out, in, i)
		})
		v, a := usual("x", 1, x), &collect{}
		v.Retry, v.OnError = Retry{Attempts: 2, Backoff: time.Hour, MaxBackoff: time.Hour}, OnErrorDrop
		p, stop := start(t, graph([]Vertex{source("in", &numbers{count: 10_000, batch: 100}), v, sink("a", a)}, "in x", "x a"))
		defer stop()
		time.Sleep(time.Minute)
		if n := a.count(); n != 9_900 {
			t.Errorf("%d records went by those that wait, want 9900", n)
		}
		if s := p.Stats()[1]; s.Processing.Records != 100 || s.InFlight != 0 {
			t.Errorf("100 wait, and not in calls: %+v", s)
		}
		time.Sleep(time.Hour)
		if s := p.Stats()[1]; s.Dropped[DroppedError] != 100 {
			t.Errorf("after the last attempt: %+v", s)
		}
	})
}

// picky is a sink that does not take some records, or nothing.
type picky struct {
	letters
	rejects func(number int) bool
	down    bool
}

func (s *picky) Write(ctx context.Context, b *stream.Batch) error {
	if s.down {
		return errors.New("connection refused")
	}
	r, rest := &stream.Rejected{}, &stream.Batch{}
	for i := range b.Records {
		if n, _ := strconv.Atoi(string(b.Value(i))); s.rejects(n) {
			r.Failures = append(r.Failures, stream.Failure{Input: i, Reason: "no such column"})
		} else {
			rest.AppendFrom(b, i)
		}
	}
	if err := s.letters.Write(ctx, rest); err != nil || len(r.Failures) == 0 {
		return err
	}
	return r
}

func TestWhatASinkDoesNotTakeGoesWhereItsPolicySays(t *testing.T) {
	oneOf100 := func(n int) bool { return n%100 == 7 }
	tests := []struct {
		name    string
		sink    *picky
		onError OnError
		lost    int
		code    string
		reason  string
	}{
		{"one record in a hundred is rejected", &picky{rejects: oneOf100}, OnErrorDeadLetter, 100, "record-error", "the sink does not take the record: no such column"},
		{"all records are rejected", &picky{rejects: func(int) bool { return true }}, OnErrorDeadLetter, 10_000, "record-error", "the sink does not take the record: no such column"},
		{"the system is down", &picky{down: true}, OnErrorDeadLetter, 10_000, "", "connection refused"},
		{"one record in a hundred is dropped", &picky{rejects: oneOf100}, OnErrorDrop, 100, "", ""},
		{"all records are dropped", &picky{down: true}, OnErrorDrop, 10_000, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, other, dead := &numbers{count: 10_000, batch: 1000}, &collect{}, &letters{}
				k := sink("k", tt.sink)
				k.OnError, k.Retry = tt.onError, Retry{Attempts: 3, Backoff: time.Millisecond, MaxBackoff: time.Second}
				g := graph([]Vertex{source("in", in), k, sink("other", other), sink("dead", dead)}, "in k", "in other", "in dead never")
				if tt.onError == OnErrorDeadLetter {
					g.Edges = append(g.Edges, Edge{From: "k", To: "dead", DeadLetters: true})
				}
				p := mustNew(t, g, Hooks{})
				if err := p.Run(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if len(other.values) != 10_000 || len(tt.sink.values) != 10_000-tt.lost {
					t.Errorf("%d records by the other edge, %d taken", len(other.values), len(tt.sink.values))
				}
				s := p.Stats()[1]
				if s.RecordsOut != uint64(10_000-tt.lost) || int(s.DeadLetters+s.Dropped[DroppedError]) != tt.lost || int(s.DeadLetters) != len(dead.values) {
					t.Errorf("counted %+v", s)
				}
				for i, h := range dead.headers {
					if h[HeaderVertex] != "k" || h[HeaderAttempts] != "3" || h[HeaderCode] != tt.code || h[HeaderReason] != tt.reason || !strings.Contains(h[HeaderPosition], dead.values[i]) {
						t.Fatalf("%s has headers %v", dead.values[i], h)
					}
				}
				if last := in.acked[len(in.acked)-1]; last != 10_000 {
					t.Errorf("acknowledged to %d", last)
				}
			})
		})
	}
}

// committed is a source that commits positions cumulatively; check sees each.
type committed struct {
	numbers
	check func(upTo int)
}

func (s *committed) Ack(ctx context.Context, upTo stream.Position) error {
	s.check(int(binary.BigEndian.Uint64(upTo)))
	return s.numbers.Ack(ctx, upTo)
}

func TestACommitNeverPassesAnUnfinishedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		var mu sync.Mutex
		gone := map[string]bool{} // filtered or dropped
		a, dead := &durable{}, &durable{}
		x := each(func(out *stream.Output, in *stream.Batch, i int) error {
			value := string(in.Value(i))
			h := hash("fate", value)
			time.Sleep(time.Duration(h%3000) * time.Microsecond)
			switch h % 50 {
			case 0, 1: // a filter
				mu.Lock()
				gone[value] = true
				mu.Unlock()
				return nil
			case 2:
				return errBoom
			case 3:
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "no"})
				return nil
			}
			return pass(out, in, i)
		})
		k := &picky{rejects: func(n int) bool {
			drop := n%67 == 0
			if drop {
				mu.Lock()
				gone[strconv.Itoa(n)] = true
				mu.Unlock()
			}
			return drop
		}}
		v := usual("x", 32, x)
		v.Retry = Retry{Attempts: 3, Backoff: 10 * time.Millisecond, MaxBackoff: time.Second}
		in := &committed{numbers: numbers{count: n, batch: 50}}
		checked := 0
		in.check = func(upTo int) {
			mu.Lock()
			defer mu.Unlock()
			for ; checked < upTo; checked++ {
				value := strconv.Itoa(checked)
				if !gone[value] && !a.has(value) && !dead.has(value) {
					t.Errorf("committed %d, %d is not done", upTo, checked)
				}
			}
		}
		g := withDeadLetters(in, v, both{k, a}, dead)
		g.Vertices[2].OnError = OnErrorDrop
		if err := mustNew(t, g, Hooks{}).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if len(in.acked) < 10 || in.acked[len(in.acked)-1] != n {
			t.Errorf("committed %v", in.acked)
		}
	})
}

// durable knows what was flushed.
type durable struct {
	collect
	set map[string]bool // guarded by mu
}

func (s *durable) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.set == nil {
		s.set = map[string]bool{}
	}
	for _, v := range s.values[s.flushed:] {
		s.set[v] = true
	}
	s.mu.Unlock()
	return s.collect.Flush(ctx)
}

func (s *durable) has(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set[value]
}

// both is a sink that a picky one stands before.
type both struct {
	*picky
	taken *durable
}

func (s both) Flush(ctx context.Context) error {
	s.taken.mu.Lock()
	s.picky.mu.Lock()
	s.taken.values = s.picky.values
	s.picky.mu.Unlock()
	s.taken.mu.Unlock()
	return s.taken.Flush(ctx)
}
