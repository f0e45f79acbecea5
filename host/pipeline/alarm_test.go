package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// reminder is a Keyed that gives each record of its key, which is its value, again
// after so many seconds by the clock as the value says.
type reminder struct {
	mu     sync.Mutex
	alarms []map[int64][]string     // guarded by mu; by group: values by time
	fail   func(value string) error // when what an alarm was for is handled
	takes  time.Duration            // a call of In
	own    bool                     // the results of alarms are made by Advance itself
	calls  int                      // guarded by mu; of Advance
	handed []int                    // guarded by mu; records in each call of In
}

func newReminder(groups int) *reminder {
	x := &reminder{fail: func(string) error { return nil }}
	for range groups {
		x.alarms = append(x.alarms, map[int64][]string{})
	}
	return x
}

func (x *reminder) Groups() int                               { return len(x.alarms) }
func (x *reminder) Key(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), true }
func (x *reminder) Group(key []byte) int                      { return int(key[len(key)-1]) % len(x.alarms) }
func (x *reminder) Due(int, int) (stream.Watermark, bool)     { return 0, false }
func (x *reminder) Close(context.Context) error               { return nil }
func (x *reminder) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without groups")
}

func (x *reminder) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	time.Sleep(x.takes)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.handed = append(x.handed, in.Len())
	for i, r := range in.Records {
		value := string(in.Value(i))
		if r.Port != stream.ClockTimer {
			continue
		}
		if err := x.fail(value); errors.Is(err, errBoom) {
			return err
		} else if err != nil {
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: err.Error()})
		}
	}
	if len(out.Failures) > 0 {
		return nil
	}
	for i, r := range in.Records {
		if r.Port == stream.ClockTimer {
			out.AppendFrom(in, i)
			continue
		}
		seconds, _ := strconv.Atoi(string(in.Value(i)))
		at := time.Now().Add(time.Duration(seconds) * time.Second).UnixNano()
		x.alarms[r.Group][at] = append(x.alarms[r.Group][at], string(in.Value(i)))
	}
	return nil
}

func (x *reminder) Alarm(from, to int) (at int64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at = math.MaxInt64
	for g := from; g < to; g++ {
		for t := range x.alarms[g] {
			at, ok = min(at, t), true
		}
	}
	return at, ok
}

func (x *reminder) Advance(_ context.Context, from, to int, _ stream.Watermark, now int64, in *stream.Batch, out *stream.Output) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls++
	for g := from; g < to; g++ {
		for t, values := range x.alarms[g] {
			if t > now {
				continue
			}
			delete(x.alarms[g], t)
			for i, v := range values {
				b := in
				if x.own || i%2 == 1 {
					b = out.Batch
				}
				b.Append(0, []byte(v), []byte(v), nil)
				r := &b.Records[b.Len()-1]
				r.Source, r.Port, r.Group = stream.NoSource, stream.ClockTimer, uint16(g)
			}
		}
	}
	return nil
}

// reminded is a pipeline with a reminder, whose source reads numbers.
func reminded(x *reminder, count int, change func(v *Vertex)) (Graph, *scripted, *collect) {
	in, s := timed("in", EventTime{})
	v, a := udf("x", 2, x), &collect{}
	change(&v)
	return graph([]Vertex{in, v, sink("a", a)}, "in x", "x a"), s, a
}

func TestAnAlarmGoesAtItsTime(t *testing.T) {
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			x := newReminder(16)
			x.own = own
			g, s, a := reminded(x, 3, func(*Vertex) {})
			_, stop := start(t, g)
			defer stop()
			s.times <- []int64{30, 10, 20, 3600}
			for _, want := range []int{0, 1, 2, 3, 3} {
				synctest.Wait()
				if n := a.count(); n != want {
					t.Errorf("%d results after %v, want %d", n, 10*want, want)
				}
				time.Sleep(10 * time.Second)
			}
			synctest.Wait()
			if got := a.sorted(); !slices.Equal(got, []int{10, 20, 30}) || x.calls != 3 {
				t.Errorf("got %v in %d calls", got, x.calls)
			}
		})
	}
}

func TestWhatAnAlarmIsForFailsLikeARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, left := newReminder(4), map[string]int{"8": 2, "9": 1 << 30}
		x.fail = func(value string) error {
			if left[value]--; left[value] >= 0 {
				return errors.New("not now")
			}
			return nil
		}
		dead := &letters{}
		g, s, a := reminded(x, 0, func(v *Vertex) {
			v.Retry, v.OnError = Retry{Attempts: 3, Backoff: time.Second, MaxBackoff: time.Second}, OnErrorDeadLetter
		})
		g.Vertices = append(g.Vertices, sink("dead", dead))
		g.Edges = append(g.Edges, Edge{From: "x", To: "dead", DeadLetters: true})
		p, stop := start(t, g)
		defer stop()
		s.times <- []int64{7, 8, 9}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := a.sorted(); !slices.Equal(got, []int{7, 8}) {
			t.Errorf("got %v", got)
		}
		if !slices.Equal(dead.values, []string{"9"}) || dead.headers[0][HeaderPosition] != "a timer" || dead.headers[0][HeaderAttempts] != "3" || dead.headers[0][HeaderReason] != "not now" {
			t.Errorf("dead letters %v with %v", dead.values, dead.headers)
		}
		if n := p.Stats()[1].Retries; n != 4 {
			t.Errorf("%d retries, want 4", n)
		}
	})
}

func TestAnAlarmThatFailsForGoodSaysWhatItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newReminder(4)
		x.fail = func(string) error { return errBoom }
		g, s, _ := reminded(x, 0, func(*Vertex) {})
		p := mustNew(t, g, Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		s.times <- []int64{7}
		err := <-done
		if !errors.Is(err, errBoom) || !strings.Contains(err.Error(), `x, a timer, key "7", value "7": `) {
			t.Errorf("got %v", err)
		}
	})
}

// TestACallOfAlarmsIsCutToItsLimit lets a hundred alarms go at once.
func TestACallOfAlarmsIsCutToItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newReminder(4)
		g, s, a := reminded(x, 0, func(v *Vertex) { v.Call.Records, v.Concurrency = 7, 1 })
		p, stop := start(t, g)
		defer stop()
		s.times <- slices.Repeat([]int64{5}, 100)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := a.count(); n != 100 {
			t.Errorf("%d results, want 100", n)
		}
		if most := slices.Max(x.handed); most != 7 {
			t.Errorf("calls of %d records, 7 is the limit", most)
		}
		if s := p.Stats()[1]; s.Processing.Records != 0 || s.Output.Records != 0 {
			t.Errorf("holds %+v", s)
		}
	})
}

func TestTheEndOfTimeLetsEveryAlarmGo(t *testing.T) {
	for _, end := range []string{"ends", "ends later", "is drained"} {
		synctest.Test(t, func(t *testing.T) {
			x, a := newReminder(8), &collect{}
			in := &numbers{first: 3600, count: 20, batch: 10}
			if end != "ends" {
				in.gate = make(chan struct{}, 2)
				in.gate <- struct{}{}
				in.gate <- struct{}{}
			}
			v := udf("x", 2, x)
			v.Output = Limit{1, 1}
			p := mustNew(t, graph([]Vertex{source("in", in), v, sink("a", a)}, "in x", "x a"), Hooks{})
			began, done := time.Now(), make(chan error)
			go func() { done <- p.Run(t.Context(), nil) }()
			synctest.Wait()
			if end == "is drained" {
				p.Drain()
			} else if in.gate != nil {
				close(in.gate)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"ends": 20, "ends later": 20, "is drained": 0}[end]
			if n := a.count(); n != want || time.Since(began) > time.Minute {
				t.Errorf("the source %s: %d results after %v, want %d at once", end, n, time.Since(began), want)
			}
		})
	}
}

func TestAnAlarmFromBeforeTheFirstRecordGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newReminder(4)
		x.alarms[2][time.Now().Add(time.Second).UnixNano()] = []string{"42"}
		x.alarms[3][0] = []string{"43"}
		g, _, a := reminded(x, 0, func(*Vertex) {})
		_, stop := start(t, g)
		defer stop()
		synctest.Wait()
		if got := a.sorted(); !slices.Equal(got, []int{43}) {
			t.Errorf("got %v at first", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := a.sorted(); !slices.Equal(got, []int{42, 43}) {
			t.Errorf("got %v", got)
		}
	})
}

// TestRecordsAndBarriersPassWhileAlarmsGo has more alarms than there is time for.
func TestRecordsAndBarriersPassWhileAlarmsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newReminder(8)
		x.takes = time.Second
		x.fail = func(value string) error {
			at := time.Now().UnixNano()
			g := x.Group([]byte(value))
			x.alarms[g][at] = append(x.alarms[g][at], value) // and again
			return nil
		}
		var passed []stream.Epoch
		in, s := timed("in", EventTime{})
		a := &collect{}
		p := mustNew(t, graph([]Vertex{in, udf("x", 2, x), sink("a", a)}, "in x", "x a"), Hooks{BarrierPassed: func(_ stream.VertexID, b *stream.Barrier) { passed = append(passed, b.Epoch) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx, nil) }()
		s.times <- []int64{1, 2, 3, 4, 5}
		time.Sleep(10 * time.Second)
		s.times <- []int64{9}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Contains(a.sorted(), 9) {
			t.Error("a record waits for alarms to end")
		}
		for epoch := range stream.Epoch(5) {
			time.Sleep(10 * time.Second)
			s.times <- []int64{6}
			p.Inject(&stream.Barrier{Epoch: epoch + 1})
		}
		time.Sleep(10 * time.Second)
		before := a.count()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := fmt.Sprint(passed); got != "[1 2 3 4 5]" || a.count() < before+5 {
			t.Errorf("passed %s, then %d results and %d", got, before, a.count())
		}
		cancel()
		<-done
	})
}

func TestAnAlarmDoesNotOvertakeRecordsFromBeforeAWatermark(t *testing.T) {
	x := newReminder(4)
	x.alarms[0][0] = []string{"1"}
	in := newInbox(&stream.BatchPool{}, nil, &counters{})
	in.keep(&Vertex{Transform: x, Concurrency: 1})
	in.gate.target = 50
	s := &in.keys.slots[0]
	s.behind = true
	for before, want := range []stream.Watermark{50, stream.NoWatermark} {
		s.before = before
		if upTo, _, ok := in.dueIn(s); !ok || upTo != want {
			t.Errorf("with %d records before it advances to %d, %v, want %d", before, upTo, ok, want)
		}
	}
}

func TestAVertexThatDealsIsNotEmpty(t *testing.T) {
	in := newInbox(&stream.BatchPool{}, nil, &counters{})
	in.keep(&Vertex{Transform: newReminder(1), Concurrency: 1})
	if !in.empty() {
		t.Error("it is not empty at first")
	}
	if in.keys.dealing.on = true; in.empty() {
		t.Error("it is empty")
	}
}

// hurried is a reminder that notes what it has handled when it is to advance.
type hurried struct {
	*reminder
	records int   // handled
	inTime  []int // records when it advanced by the clock
	atEnd   []int // and at the end of time
}

func (x *hurried) In(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	for _, r := range in.Records {
		if r.Port != stream.ClockTimer {
			x.records++
		}
	}
	return x.reminder.In(ctx, in, out)
}

func (x *hurried) Advance(ctx context.Context, from, to int, upTo stream.Watermark, now int64, in *stream.Batch, out *stream.Output) error {
	if now == math.MaxInt64 {
		x.atEnd = append(x.atEnd, x.records)
	} else {
		x.inTime = append(x.inTime, x.records)
	}
	return x.reminder.Advance(ctx, from, to, upTo, now, in, out)
}

// TestTheEndOfTimeComesBehindAllRecords has records wait when the source has ended, while
// alarms of earlier ones go: those of others do not yet, as the end would have come before
// what it is the end of.
func TestTheEndOfTimeComesBehindAllRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &hurried{reminder: newReminder(1)}
		x.takes = time.Second
		v := udf("x", 1, x)
		v.Call.Records = 1
		p := mustNew(t, graph([]Vertex{source("in", &numbers{first: 2, count: 8, batch: 8}), v, sink("a", &collect{})}, "in x", "x a"), Hooks{})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if len(x.inTime) == 0 || x.inTime[0] == 8 || len(x.atEnd) == 0 || slices.Min(x.atEnd) < 8 {
			t.Errorf("of 8 records it had handled %v when alarms went, and %v at the end of time", x.inTime, x.atEnd)
		}
	})
}
