package pipeline

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// crowd is a transform that takes a while, and knows the most calls and records at once.
type crowd struct {
	takes       time.Duration
	now, calls  atomic.Int32
	most, least atomic.Int32 // of now, since reset, at the starts of calls
	records     atomic.Int32 // the most of a call, since reset
}

func (c *crowd) reset() { c.most.Store(0); c.least.Store(1 << 20); c.records.Store(0) }

func (c *crowd) transform() stream.Transform {
	c.reset()
	return batchFunc(func(in *stream.Batch, out *stream.Output) error {
		n := c.now.Add(1)
		c.most.Store(max(n, c.most.Load()))
		c.records.Store(max(int32(in.Len()), c.records.Load()))
		c.calls.Add(1)
		time.Sleep(c.takes)
		c.now.Add(-1)
		for i := range in.Records {
			emit(out, in, i, in.Value(i), stream.Untagged)
		}
		return nil
	})
}

// TestMoreAndFewerCallsAtOnceWhileRecordsMove also checks that workers are started as they
// are needed, and that none of the records is lost.
func TestMoreAndFewerCallsAtOnceWhileRecordsMove(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderInput, OrderKey} {
		t.Run(string(order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, k, c := &endless{}, &collect{}, &crowd{takes: 20 * time.Millisecond}
				v := usual("x", 1, c.transform())
				v.Call.Records, v.Order = 1, order
				u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
				for _, n := range []int{1, 8, 2, 16, 1} {
					v.Concurrency = n
					if !u.Adjust(&v) {
						t.Fatalf("%d calls at once are refused", n)
					}
					time.Sleep(100 * time.Millisecond) // calls that began before have ended
					c.reset()
					time.Sleep(time.Second)
					if got := int(c.most.Load()); got != n {
						t.Errorf("%d calls at once, of %d", got, n)
					}
				}
				u.end()
				if !slices.Equal(k.sorted(), upTo(in.read)) {
					t.Errorf("%d of %d records came out", k.count(), in.read)
				}
			})
		})
	}
}

func TestLimitsOfCallsAndQueuesChangeWhileRecordsMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, k, c := &endless{}, &collect{}, &crowd{takes: 100 * time.Millisecond}
		v := usual("x", 1, c.transform())
		v.CallTime = 0
		u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		time.Sleep(time.Second)
		if got := c.records.Load(); got < 50 {
			t.Errorf("a call had %d records at most", got)
		}
		v.Call.Records, v.Queue.Records = 5, 20
		if !u.Adjust(&v) {
			t.Fatal("refused")
		}
		time.Sleep(5 * time.Second)
		c.reset()
		time.Sleep(time.Second)
		held := u.Stats()[1].Input.Records
		if got := c.records.Load(); got != 5 || held == 0 || held > 20 {
			t.Errorf("a call had %d records, and the queue holds %d", got, held)
		}
		v.Call.Records, v.Queue.Records = 1000, 8192
		u.Adjust(&v)
		before := u.Stats()[0].RecordsIn
		time.Sleep(time.Second)
		if read := u.Stats()[0].RecordsIn - before; read < 900 {
			t.Errorf("%d records were read in a second, as the source still waits", read)
		}
		u.end()
		if !slices.Equal(k.sorted(), upTo(in.read)) {
			t.Errorf("%d of %d records came out", k.count(), in.read)
		}
	})
}

// TestWhatHappensToFailuresChangesWhileRecordsMove lets each tenth record fail.
func TestWhatHappensToFailuresChangesWhileRecordsMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, k, dead := &endless{}, &collect{}, &collect{}
		tries := make(map[string]int)
		v := usual("x", 1, each(func(out *stream.Output, in *stream.Batch, i int) error {
			if value := string(in.Value(i)); value[len(value)-1] == '0' {
				tries[value]++
				return fmt.Errorf("no")
			}
			return pass(out, in, i)
		}))
		v.Call.Records, v.OnError = 1, OnErrorDrop
		g := graph([]Vertex{source("in", in), v, sink("k", k), sink("dead", dead)}, "in x", "x k", "x dead")
		g.Edges[2].DeadLetters = true
		u := run(t, mustNew(t, g, Hooks{}))
		time.Sleep(time.Second)
		v.OnError, v.Retry = OnErrorDeadLetter, Retry{Attempts: 3, Backoff: time.Millisecond, MaxBackoff: time.Millisecond}
		if !u.Adjust(&v) {
			t.Fatal("refused")
		}
		from := int(u.Stats()[0].RecordsIn) + 10
		time.Sleep(time.Second)
		u.end()
		once, thrice := 0, 0
		for value, n := range tries {
			var number int
			fmt.Sscan(value, &number)
			switch {
			case n == 1 && number < from:
				once++
			case n == 3:
				thrice++
			default:
				t.Errorf("record %s was tried %d times", value, n)
			}
		}
		s := u.Stats()[1]
		if once < 50 || thrice < 50 || int(s.Dropped[DroppedError]) != once || dead.count() != thrice || k.count()+dead.count()+once != in.read {
			t.Errorf("%d of %d were tried once, %d thrice; %d dead letters, %d out; %+v", once, in.read, thrice, dead.count(), k.count(), s)
		}
	})
}

func TestWhatAVertexCannotDoIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := usual("x", 2, slow(func(int) time.Duration { return time.Millisecond }))
		v.Order = OrderKey
		u := run(t, mustNew(t, graph([]Vertex{source("in", &endless{}), v, sink("k", &collect{})}, "in x", "x k"), Hooks{}))
		for what, change := range map[string]func(*Vertex){
			"no edge for dead letters": func(v *Vertex) { v.OnError = OnErrorDeadLetter },
			"fewer than no calls":      func(v *Vertex) { v.Concurrency = -1 },
			"no such vertex":           func(v *Vertex) { v.Name = "y" },
		} {
			other := v
			if change(&other); u.Adjust(&other) {
				t.Error(what)
			}
		}
		if got := u.Stats()[1].Permits; got != 2 {
			t.Errorf("%d permits", got)
		}
		u.end()
	})
}

// TestAVertexThatRestsIsRoused has a middle vertex without calls, which holds what comes
// until the pipeline pauses, and rests again when it goes on.
func TestAVertexThatRestsIsRoused(t *testing.T) {
	for _, order := range []Order{OrderNone, OrderInput, OrderKey} {
		t.Run(string(order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, k, c := &endless{}, &collect{}, &crowd{takes: time.Millisecond}
				v := usual("x", 0, c.transform())
				v.Order, v.Queue.Records = order, 100
				u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
				for round := range 3 {
					time.Sleep(time.Second)
					if s := u.Stats()[1]; s.Permits != 0 || s.InFlight != 0 || s.Input.Records < 100 || u.Drained() {
						t.Errorf("round %d: it does not rest, or does not hold what comes: %+v", round, s)
					}
					calls := c.calls.Load()
					u.Pause()
					time.Sleep(time.Second)
					if !u.Drained() || c.calls.Load() == calls || c.most.Load() != 1 || k.count() != in.read {
						t.Errorf("round %d: not drained: %d of %d, %d calls at once: %+v", round, k.count(), in.read, c.most.Load(), u.Left())
					}
					if u.Resume(); round == 1 {
						v.Concurrency = 3
						u.Adjust(&v)
						time.Sleep(time.Second)
						v.Concurrency = 0
						u.Adjust(&v)
						c.most.Store(0)
					}
				}
				time.Sleep(time.Second)
				u.end()
				if !slices.Equal(k.sorted(), upTo(in.read)) {
					t.Errorf("%d of %d records came out", k.count(), in.read)
				}
			})
		})
	}
}

// TestAVertexThatRestsEndsWithItsSources has sources that come to their end.
func TestAVertexThatRestsEndsWithItsSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &collect{}
		v := usual("x", 0, each(pass))
		u := run(t, mustNew(t, graph([]Vertex{source("in", &numbers{count: 500, batch: 10}), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		if err := <-u.done; err != nil || !slices.Equal(k.sorted(), upTo(500)) {
			t.Errorf("%v: %d records", err, k.count())
		}
	})
}
