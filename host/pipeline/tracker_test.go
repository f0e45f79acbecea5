package pipeline

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// plainTracker is what ledger, inbox and watermarks of one vertex should say, by
// looking at every record each time.
type plainTracker struct {
	batches []int // how many records each has
	times   []int64
	place   []place
	copies  []int // downstream, by record
	low     stream.Watermark
}

type place int

const (
	inLane place = iota
	inProcessing
	inOutput
	gone
)

func (m *plainTracker) frontier() int {
	end := 0
	for _, n := range m.batches {
		for i := end; i < end+n; i++ {
			if m.place[i] != gone || m.copies[i] > 0 {
				return end
			}
		}
		end += n
	}
	return end
}

func (m *plainTracker) count(p place) (n int) {
	for _, at := range m.place {
		if at == p {
			n++
		}
	}
	return n
}

// tracked is an inbox that a test steps instead of workers.
type tracked struct {
	*plainTracker
	t       *rapid.T
	in      *inbox
	lane    *lane
	ledger  *ledger
	loop    *transformLoop
	high    int64
	running []*call // in calls
	sending *call
	down    []stream.Record // accepted downstream
}

func newTracked(t *rapid.T) *tracked {
	v := &Vertex{Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"), Call: Limit{rapid.IntRange(1, 8).Draw(t, "call"), 1 << 20}}
	v.Order = rapid.SampledFrom([]Order{OrderNone, OrderKey, OrderInput}).Draw(t, "order")
	v.Retry = Retry{Attempts: rapid.IntRange(1, 3).Draw(t, "attempts")}
	pool, stats, ledger := &stream.BatchPool{}, &counters{}, newLedger(&Latency{})
	in := newInbox(pool, ledgers{ledger}, stats)
	lane := in.addLane("", Limit{1 << 20, 1 << 20}, FullBlock)
	in.serve(v)
	v.OnError = OnErrorDrop
	loop := &transformLoop{in: in, pool: pool, ordered: v.Order != OrderNone, failures: failures{policy: new(atomic.Pointer[policy]), stats: stats}}
	loop.failures.policy.Store(policyOf(v))
	return &tracked{plainTracker: &plainTracker{low: stream.NoWatermark}, t: t, in: in, lane: lane, ledger: ledger, loop: loop}
}

// read enters a batch and sends it with the watermark after it.
func (m *tracked) read(t *rapid.T) {
	n, b := rapid.IntRange(1, 10).Draw(t, "records"), m.in.pool.New()
	first := m.ledger.enter(n, 1, time.Now(), func(dst []byte) stream.Position {
		return binary.BigEndian.AppendUint64(dst, uint64(len(m.times)+n))
	})
	for i := range n {
		at := m.high + rapid.Int64Range(0, 5).Draw(t, "time")
		b.Append(at, []byte{byte(rapid.IntRange(0, 3).Draw(t, "key"))}, []byte("v"), nil)
		b.Records[i].Seq = first + stream.Seq(i)
		m.times, m.place, m.copies = append(m.times, at), append(m.place, inLane), append(m.copies, 0)
	}
	m.batches = append(m.batches, n)
	_ = m.lane.Send(t.Context(), stream.Item{Batch: b})
	_ = m.lane.Send(t.Context(), stream.Item{Watermark: stream.Watermark(m.high)})
	m.high += 3
}

// begin starts a call if one may be made.
func (m *tracked) begin(*rapid.T) {
	m.in.rise()
	m.in.mu.Lock()
	m.in.absorb()
	for l := m.in.dealable(); l != nil; l = m.in.dealable() {
		m.in.deal(l)
		m.in.absorb()
	}
	c := m.in.start()
	m.in.mu.Unlock()
	if c == nil {
		return
	}
	for _, b := range c.more {
		c.in.AppendAll(b)
	}
	clear(c.more)
	c.more = c.more[:0]
	for _, r := range c.in.Records {
		m.place[r.Seq] = inProcessing
	}
	c.out.Batch, c.out.Failures = m.in.pool.New(), c.out.Failures[:0]
	m.running = append(m.running, c)
}

func (m *tracked) pick(t *rapid.T) *call {
	if len(m.running) == 0 {
		t.Skip("nothing is running")
	}
	i := rapid.IntRange(0, len(m.running)-1).Draw(t, "call")
	c := m.running[i]
	m.running = slices.Delete(m.running, i, i+1)
	return c
}

// finish ends a call, with none to two results for each record.
func (m *tracked) finish(t *rapid.T) {
	c := m.pick(t)
	for i := range c.in.Records {
		for range rapid.IntRange(0, 2).Draw(t, "results") {
			c.out.AppendFrom(c.in, i)
		}
	}
	m.done(c)
}

func (m *tracked) done(c *call) {
	for _, r := range c.in.Records {
		m.place[r.Seq] = inOutput
	}
	m.in.done(c)
}

// fail ends a call with an error, as a whole or for some records, which are tried
// again or dropped.
func (m *tracked) fail(t *rapid.T) {
	c, err := m.pick(t), error(nil)
	if rapid.Bool().Draw(t, "trap") {
		err = errors.New("trap")
	} else {
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, c.in.Len()-1), 1, c.in.Len(), rapid.ID).Draw(t, "failures") {
			c.out.Failures = append(c.out.Failures, stream.Failure{Input: i, Reason: "no"})
		}
	}
	again, parked, _ := m.loop.failed(c, err)
	switch {
	case parked:
	case again:
		c.out.Batch, c.out.Failures = m.in.pool.New(), c.out.Failures[:0]
		m.running = append(m.running, c)
	default:
		m.done(c)
	}
}

// send does one step of the duty to send.
func (m *tracked) send(*rapid.T) {
	m.in.mu.Lock()
	m.in.sending = true
	m.in.mu.Unlock()
	if c := m.sending; c != nil { // it is accepted
		for _, r := range c.out.Records {
			m.copies[r.Seq]++
		}
		for _, r := range c.in.Records {
			m.place[r.Seq] = gone
		}
		m.ledger.postAll(c.out.Records, []int{1})
		m.ledger.postAll(c.in.Records, onEdge)
		m.down = append(m.down, c.out.Records...)
	}
	c, mark, ok := m.in.next(m.sending)
	if m.sending = c; ok && c == nil {
		if mark.Watermark < m.low {
			m.t.Fatalf("watermark %d follows %d", mark.Watermark, m.low)
		}
		m.low = mark.Watermark
	}
}

// settle ends a record downstream.
func (m *tracked) settle(t *rapid.T) {
	if len(m.down) == 0 {
		t.Skip("nothing is downstream")
	}
	i := rapid.IntRange(0, len(m.down)-1).Draw(t, "record")
	r := m.down[i]
	m.down = slices.Delete(m.down, i, i+1)
	m.copies[r.Seq]--
	m.ledger.postAll([]stream.Record{r}, onEdge)
}

func (l *ledger) postAll(records []stream.Record, weights []int) { ledgers{l}.post(records, weights) }

// check compares with the plain tracker.
func (m *tracked) check(t *rapid.T) {
	got := 0
	if pos := m.ledger.frontier(nil); len(pos) > 0 {
		got = int(binary.BigEndian.Uint64(pos))
	}
	if want := m.frontier(); got != want {
		t.Fatalf("frontier %d, want %d", got, want)
	}
	m.in.mu.Lock()
	defer m.in.mu.Unlock()
	held, pending := m.in.processing.Records, 0
	if m.in.keys != nil {
		pending = m.in.keys.pending.Records
	}
	if n := m.count(inProcessing); held != n {
		t.Fatalf("%d records in processing, want %d", held, n)
	}
	if n := m.lane.queued.Records + pending; n != m.count(inLane) {
		t.Fatalf("%d records wait, want %d", n, m.count(inLane))
	}
	low, _ := m.in.flight.watermarks.low()
	for i, p := range m.place {
		if p != gone && stream.Watermark(m.times[i]) < low {
			t.Fatalf("watermark %d passed record %d of time %d", low, i, m.times[i])
		}
	}
	if m.in.empty() && low != m.lane.promised {
		t.Fatalf("watermark %d with nothing in flight, promised %d", low, m.lane.promised)
	}
}

func TestTheTrackerAgreesWithAListScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTracked(t)
		t.Repeat(map[string]func(*rapid.T){
			"read": m.read, "begin": m.begin, "finish": m.finish, "fail": m.fail, "send": m.send, "settle": m.settle, "": m.check,
		})
		for m.count(gone) < len(m.place) || len(m.down) > 0 { // everything comes to its end
			m.begin(t)
			if len(m.running) > 0 {
				c := m.running[0]
				m.running = m.running[1:]
				m.done(c)
			}
			m.send(t)
			if len(m.down) > 0 {
				m.settle(t)
			}
		}
		m.check(t)
		if n := m.ledger.open.len(); n != 0 {
			t.Fatalf("%d batches are open in the end", n)
		}
	})
}

func TestALedgerIsBoundedByWhatIsOnItsWay(t *testing.T) {
	var latency Latency
	l, at := newLedger(&latency), 0
	enter := func() stream.Record {
		at++
		return stream.Record{Seq: l.enter(1, 1, time.Now(), func(dst []byte) stream.Position {
			return binary.BigEndian.AppendUint64(dst, uint64(at))
		})}
	}
	stuck := []stream.Record{enter()}
	for i := range 100_000 {
		r := enter()
		if i == 500 {
			stuck = append(stuck, r)
			continue
		}
		l.postAll([]stream.Record{r}, onEdge)
	}
	if n := cap(l.open.buf); n > 512 {
		t.Errorf("memory for %d batches, 2 are open", n)
	}
	counts, _ := latency.Histogram(nil)
	if counts[0] != 99_999 {
		t.Errorf("the latency of %d records is known, all but 2 are settled", counts[0])
	}
	if after, back, open := l.position(stuck[1].Seq); !open || binary.BigEndian.Uint64(after) != 502 || back != 0 {
		t.Errorf("position %v, %d, %v", after, back, open)
	}
	for i, want := range []uint64{501, 100_001} {
		l.postAll(stuck[i:i+1], onEdge)
		if got := binary.BigEndian.Uint64(l.frontier(nil)); got != want {
			t.Errorf("frontier %d, want %d", got, want)
		}
	}
}
