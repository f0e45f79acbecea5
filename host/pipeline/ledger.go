package pipeline

import (
	"sort"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// ledger tracks what of one source is still on its way. Records are entered in
// batches as they are read; each batch counts the records that it led to and
// that are not settled yet. The frontier is the end of the longest prefix of
// batches that count zero.
//
// Protocol: enter a batch before it is sent. When a record leads to others, post
// +1 for each place that each of them goes to, send them, and post -1 for the
// record they came from. So a batch never counts zero while something of it is
// alive.
type ledger struct {
	mu      sync.Mutex
	open    ring[entry]     // guarded by mu; consecutive in Seq
	next    stream.Seq      // guarded by mu; of the next record to enter
	pos     stream.Position // guarded by mu; the frontier
	moved   chan struct{}   // capacity 1: the frontier is past what was acknowledged
	latency *Latency
}

// entry is one batch of a source.
type entry struct {
	first   stream.Seq
	n       int
	pending int             // records of it that are not settled
	pos     stream.Position // of the source after it
	born    time.Time       // when it was read
}

func newLedger(latency *Latency) *ledger {
	return &ledger{moved: make(chan struct{}, 1), latency: latency}
}

// enter opens an entry for n records just read, which will be sent to weight
// places each, and after which the source stands where position says. It
// returns the first one's number.
func (l *ledger) enter(n, weight int, now time.Time, position func(dst []byte) stream.Position) stream.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.open.push()
	first := l.next
	*e = entry{first: first, n: n, pending: n * weight, pos: position(e.pos[:0]), born: now}
	l.next += stream.Seq(n)
	l.advance() // over records that go nowhere
	return first
}

// post adds weights[tag] to what the entries of records count, for the records
// of one source at the front, and returns the rest.
func (l *ledger) post(records []stream.Record, weights []int) (rest []stream.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	source := records[0].Source
	for len(records) > 0 && records[0].Source == source {
		e := l.find(records[0].Seq)
		sum, i := 0, 0
		for i < len(records) && records[i].Source == source && uint64(records[i].Seq-e.first) < uint64(e.n) {
			sum += weights[records[i].Tag]
			i++
		}
		e.pending += sum
		records = records[i:]
	}
	l.advance()
	return records
}

// find returns the entry of a record that is not settled.
func (l *ledger) find(seq stream.Seq) *entry {
	i := sort.Search(l.open.len(), func(i int) bool { return l.open.at(i).first > seq }) - 1
	if i < 0 {
		panic("BUG: record settled twice")
	}
	return l.open.at(i)
}

// advance moves the frontier over settled entries.
func (l *ledger) advance() {
	if l.open.len() == 0 || l.open.at(0).pending != 0 {
		return
	}
	now := time.Now()
	for l.open.len() > 0 && l.open.at(0).pending == 0 {
		e := l.open.at(0)
		l.pos, e.pos = e.pos, l.pos
		l.latency.observe(now.Sub(e.born), e.n)
		l.open.pop()
	}
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// frontier appends to dst the position up to which everything is settled.
func (l *ledger) frontier(dst []byte) stream.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(dst, l.pos...)
}

// position returns where the source stood after the batch of a record, and how
// many records back from there it is. False if the record is settled.
func (l *ledger) position(seq stream.Seq) (after stream.Position, back int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.open.len() {
		if e := l.open.at(i); uint64(seq-e.first) < uint64(e.n) {
			return append(stream.Position(nil), e.pos...), e.n - 1 - int(seq-e.first), true
		}
	}
	return nil, 0, false
}

// ledgers are those of a pipeline, by SourceID.
type ledgers []*ledger

// post adds weights[tag] for each record to the ledger of its source.
func (ls ledgers) post(records []stream.Record, weights []int) {
	for len(records) > 0 {
		records = ls[records[0].Source].post(records, weights)
	}
}
