package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// hall is a Keyed whose keys are numbers, each of which has the group of its remainder. It
// passes records on, and knows the most calls at once. Records without a key have none.
type hall struct {
	groups    int
	takes     time.Duration
	now, most atomic.Int32
	asked     atomic.Int32 // for alarms
	wrong     atomic.Int32 // calls with records of more than one group
	dealt     func()       // called when a record is; may be nil
}

func (x *hall) Groups() int                           { return x.groups }
func (x *hall) Due(int, int) (stream.Watermark, bool) { return 0, false }
func (x *hall) Alarm(int, int) (int64, bool)          { x.asked.Add(1); return 0, false }
func (x *hall) Close(context.Context) error           { return nil }
func (x *hall) Freeze(bool) stream.Frozen             { return nil }
func (x *hall) Restore(string, bool, []byte) error    { return nil }
func (x *hall) Reset()                                {}
func (x *hall) Restored(context.Context) error        { return nil }

func (x *hall) Key(b *stream.Batch, i int) (key []byte, ok bool) {
	if x.dealt != nil {
		x.dealt()
	}
	return b.Key(i), len(b.Key(i)) > 0
}

func (x *hall) Group(key []byte) int {
	n, err := strconv.Atoi(string(key))
	if err != nil {
		panic(err)
	}
	return n % x.groups
}

func (x *hall) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without groups")
}

func (x *hall) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	x.most.Store(max(x.most.Load(), x.now.Add(1)))
	time.Sleep(x.takes)
	x.now.Add(-1)
	for i, r := range in.Records {
		if r.Group != in.Records[0].Group {
			x.wrong.Add(1)
		}
		emit(out, in, i, in.Value(i), stream.Untagged)
	}
	return nil
}

func (x *hall) Advance(context.Context, int, int, stream.Watermark, int64, *stream.Batch, *stream.Output) error {
	return nil
}

// single is a hall whose groups are kept apart.
type single struct{ *hall }

func (single) Apart() {}

// TestACallThatTakesLongHoldsBackItsKeysOnly makes more and fewer slots while one is busy.
func TestACallThatTakesLongHoldsBackItsKeysOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := slow(func(n int) time.Duration {
			return map[bool]time.Duration{true: 30 * time.Second, false: time.Millisecond}[n == 0]
		})
		v, k, gate := usual("x", 2, x), &collect{}, make(chan struct{})
		v.Order, v.Call.Records, v.CallTime = OrderKey, 1, 0
		in := &withKeys{numbers{count: 10_000, batch: 50, gate: gate}, 200}
		u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		gate <- struct{}{}
		synctest.Wait() // the slow call has begun
		read := 50
		for _, n := range []int{16, 3, 64, 2, 5} {
			v.Concurrency = n
			if !u.Adjust(&v) {
				t.Fatal("refused")
			}
			for range 20 {
				gate <- struct{}{}
			}
			read += 1000
			time.Sleep(2 * time.Second)
			if got := k.count(); got < read*9/10 {
				t.Errorf("%d calls at once: %d of %d records came out", n, got, read)
			}
		}
		if slices.Contains(k.sorted(), 200) {
			t.Error("a record passed the one before of its key")
		}
		time.Sleep(30 * time.Second)
		u.end()
		if got := k.sorted(); !slices.Equal(got, upTo(read)) {
			t.Errorf("%d of %d records came out", len(got), read)
		}
		last := map[int]int{}
		for _, value := range k.values {
			n, _ := strconv.Atoi(value)
			if n < last[n%200] {
				t.Errorf("%d came after %d", n, last[n%200])
			}
			last[n%200] = n
		}
	})
}

// TestAVertexWithStateMakesMoreCallsThanItWasMadeFor, and fewer, and as many as its keys
// allow.
func TestAVertexWithStateMakesMoreCallsThanItWasMadeFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &hall{groups: 64, takes: 10 * time.Millisecond}
		v, k, gate := usual("x", 1, x), &collect{}, make(chan struct{})
		v.Call.Records, v.CallTime = 10, 0
		in := &withKeys{numbers{count: 1 << 20, batch: 1000, gate: gate}, 640}
		u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		for round, n := range []int{16, 2, 64, 0, 5} {
			v.Concurrency = n
			u.Adjust(&v)
			time.Sleep(time.Second)
			x.most.Store(0)
			gate <- struct{}{}
			gate <- struct{}{}
			time.Sleep(10 * time.Second)
			if got := int(x.most.Load()); got != n {
				t.Errorf("round %d: %d calls at once, of %d", round, got, n)
			}
		}
		u.end()
		if !slices.Equal(k.sorted(), upTo(10_000)) {
			t.Errorf("%d records came out", k.count())
		}
	})
}

// TestGroupsThatAreApartStaySo whatever the number of calls at once.
func TestGroupsThatAreApartStaySo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := single{&hall{groups: 8, takes: time.Millisecond}}
		v, k := usual("x", 8, x), &collect{}
		v.CallTime = 0
		u := run(t, mustNew(t, graph([]Vertex{source("in", &withKeys{numbers{count: 10_000, batch: 10}, 20}), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		for _, n := range []int{1, 0, 3, 100} {
			v.Concurrency = n
			u.Adjust(&v)
			time.Sleep(10 * time.Millisecond)
		}
		if err := <-u.done; err != nil || x.wrong.Load() > 0 || k.count() != 10_000 {
			t.Errorf("%v: %d calls had two groups; %d records", err, x.wrong.Load(), k.count())
		}
	})
}

// TestSlotsStayWhileRecordsAreDealt and change right after that; those of a vertex that is to
// rest stay.
func TestSlotsStayWhileRecordsAreDealt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &hall{groups: 64}
		v, k, gate := usual("x", 1, x), &collect{}, make(chan struct{})
		in := &withKeys{numbers{count: 1 << 20, batch: 100, gate: gate}, 640}
		u := run(t, mustNew(t, graph([]Vertex{source("in", in), v, sink("k", k)}, "in x", "x k"), Hooks{}))
		slots := func() int {
			u.transforms[0].in.mu.Lock()
			defer u.transforms[0].in.mu.Unlock()
			return len(u.transforms[0].in.keys.slots)
		}
		v.Concurrency = 8
		x.dealt = func() {
			u.Adjust(&v)
			if got := slots(); got != 4 {
				t.Errorf("%d slots while records are dealt to 4", got)
			}
		}
		gate <- struct{}{}
		synctest.Wait()
		if got := slots(); got != 32 || k.count() != 100 {
			t.Errorf("%d slots for 8 calls, %d records came out", got, k.count())
		}
		v.Concurrency = 0
		u.Adjust(&v)
		if got := slots(); got != 32 {
			t.Errorf("%d slots of a vertex that rests, and had 32", got)
		}
		u.end()
	})
}

// TestAVertexThatIsNotOpenIsNotAsked: its state may be being restored.
func TestAVertexThatIsNotOpenIsNotAsked(t *testing.T) {
	x := &hall{groups: 8}
	v := usual("x", 1, x)
	p := mustNew(t, graph([]Vertex{source("in", &numbers{count: 500, batch: 10}), v, sink("k", &collect{})}, "in x", "x k"), Hooks{})
	err := p.Run(t.Context(), func(context.Context) (map[stream.VertexID]Restored, error) {
		for n := range 5 {
			v.Concurrency = n
			p.Adjust(&v)
		}
		if x.asked.Load() > 0 {
			t.Error("asked for alarms while it is restored")
		}
		return nil, nil
	})
	if err != nil || x.asked.Load() == 0 {
		t.Errorf("%v; asked %d times in the end", err, x.asked.Load())
	}
}

// TestWhatWaitsGoesToTheSlotsThatHaveItsGroups looks at the slots, of which some are taken
// from in between.
func TestWhatWaitsGoesToTheSlotsThatHaveItsGroups(t *testing.T) {
	x := &hall{groups: 64}
	v := usual("x", 1, x)
	in := newInbox(&stream.BatchPool{}, nil, &counters{})
	in.keep(&v)
	in.addLane("", v.Queue, FullBlock)
	in.serve(&v)
	k, w := in.keys, &in.flight.watermarks
	b := &stream.Batch{}
	for n := range 3000 {
		b.Append(int64(100+n), []byte(strconv.Itoa(n%100)), []byte(strconv.Itoa(n)), nil)
		r := &b.Records[n]
		r.Seq, r.Group = stream.Seq(n), uint16(n%100%64)
		if n%7 == 0 {
			r.Port = stream.NoKey
		}
		k.restore(b, n, w)
	}
	w.promise(0, stream.EndOfTime)
	taken := map[string]bool{}
	last := map[string]int{}
	note := func(b *stream.Batch, s *slot) {
		for i, r := range b.Records {
			n, _ := strconv.Atoi(string(b.Value(i)))
			if int(r.Group) < s.from || int(r.Group) >= s.to {
				t.Fatalf("record %d of group %d is in the slot of %d to %d", n, r.Group, s.from, s.to)
			}
			if taken[string(b.Value(i))] {
				t.Fatalf("record %d is there twice", n)
			}
			taken[string(b.Value(i))] = true
			if key := string(b.Key(i)); r.Port != stream.NoKey {
				if n < last[key] {
					t.Fatalf("record %d comes after %d", n, last[key])
				}
				last[key] = n
			}
		}
	}
	least := func() stream.Watermark {
		at := stream.EndOfTime
		for n := range 3000 {
			if !taken[strconv.Itoa(n)] {
				return stream.Watermark(100 + n)
			}
		}
		return at
	}
	for _, n := range []int{8, 3, 100, 1, 2} {
		k.want = k.number(n)
		in.resize()
		if len(k.slots) != min(64, 4*n) || k.pending.Records != 3000-len(taken) {
			t.Fatalf("%d slots, %d records, want %d", len(k.slots), k.pending.Records, 3000-len(taken))
		}
		records, bytes := 0, 0
		for i := range k.slots {
			s := &k.slots[i]
			records += s.held()
			for i := range s.chunks.len() {
				bytes += s.chunks.at(i).b.Bytes()
			}
			if s.skip > 0 {
				t.Errorf("a slot begins with %d records that were taken", s.skip)
			}
			for _, c := range slices.Backward(upTo(s.chunks.len())) {
				if c := s.chunks.at(c); c.count != c.b.Len() || c.bytes != c.b.Bytes() {
					t.Errorf("a chunk counts %d records and %d bytes of %d and %d", c.count, c.bytes, c.b.Len(), c.b.Bytes())
				}
			}
		}
		if got := (Limit{records, bytes}); got != k.pending {
			t.Errorf("slots hold %v, and count %v", got, k.pending)
		}
		if got := stream.Watermark(w.flight[0].key); got != least() {
			t.Errorf("the least event time is %d, want %d", got, least())
		}
		for range 5 {
			s, b := k.take(Limit{20, 1 << 20}, w)
			note(b, s)
			in.release(s)
		}
	}
	for {
		s, b := k.take(Limit{1000, 1 << 20}, w)
		if s == nil {
			break
		}
		note(b, s)
		in.release(s)
	}
	if len(taken) != 3000 || k.pending != (Limit{}) || len(w.flight) > 0 {
		t.Errorf("%d records were there, %v is pending, %d are in flight", len(taken), k.pending, len(w.flight))
	}
}

// TestABarrierPassesAVertexThatRests and has records in its slots, which it takes along.
func TestABarrierPassesAVertexThatRests(t *testing.T) {
	for _, state := range []bool{false, true} {
		t.Run(fmt.Sprint("with state ", state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, gate := usual("x", 1, slow(func(int) time.Duration { return time.Second })), make(chan struct{})
				if v.Order = OrderKey; state {
					v.Transform = &hall{groups: 8, takes: time.Second}
				}
				v.Call.Records, v.CallTime = 1, 0
				in := &withKeys{numbers{count: 100, batch: 20, gate: gate}, 5}
				p, a, stop := launch(t, graph([]Vertex{source("in", in), v, sink("k", &collect{})}, "in x", "x k"), nil)
				gate <- struct{}{}
				time.Sleep(5500 * time.Millisecond)
				v.Concurrency = 0
				p.Adjust(&v)
				time.Sleep(time.Minute)
				p.Inject(&stream.Barrier{Epoch: 1})
				synctest.Wait()
				if got := len(a.inputs(1, "x")); a.count(1) != 3 || got != 14 {
					t.Errorf("%d snapshots, with %d records", a.count(1), got)
				}
				_ = stop()
			})
		})
	}
}
