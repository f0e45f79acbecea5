package pipeline

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// ledger tracks what of one source is still on its way. Records are entered in
// batches as they are read; each batch counts the records that it led to and
// that are not settled yet. The frontier is the end of the longest prefix of
// batches that count zero.
//
// Entries in the middle that count zero are merged with their neighbours, so that
// a ledger has at most about twice as many entries as records are on their way,
// however long the oldest takes.
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
	mergeAt int             // guarded by mu; how many entries are merged next
	moved   chan struct{}   // capacity 1: the frontier is past what was acknowledged
	latency *Latency

	acknowledged atomic.Uint64 // the records before this Seq are, without checkpoints
}

const minMergeAt = 64

// entry is one batch of a source.
type entry struct {
	first   stream.Seq
	n       int
	pending int             // records of it that are not settled
	pos     stream.Position // of the source after it
	born    time.Time       // when it was read
}

func newLedger(latency *Latency) *ledger {
	return &ledger{mergeAt: minMergeAt, moved: make(chan struct{}, 1), latency: latency}
}

// enter opens an entry for n records just read, which will be sent to weight
// places each, and after which the source stands where position says. It
// returns the first one's number.
func (l *ledger) enter(n, weight int, now time.Time, position func(dst []byte) stream.Position) stream.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.len() >= l.mergeAt {
		l.merge()
		l.mergeAt = max(minMergeAt, 2*l.open.len())
	}
	e := l.open.push()
	first := l.next
	*e = entry{first: first, n: n, pending: n * weight, pos: position(e.pos[:0]), born: now}
	l.next += stream.Seq(n)
	return first
}

// merge joins neighbours that count zero.
func (l *ledger) merge() {
	n := 0
	for i := 1; i < l.open.len(); i++ {
		last, e := l.open.at(n), l.open.at(i)
		if last.pending == 0 && e.pending == 0 {
			last.n += e.n
			last.pos, e.pos = e.pos, last.pos
			continue
		}
		n++
		if next := l.open.at(n); next != e {
			*next, *e = *e, *next
		}
	}
	l.open.cut(n + 1)
}

// post adds weights[tag] to what the entries of records count, for the records
// of one source at the front, and returns the rest.
func (l *ledger) post(records []stream.Record, weights []int) (rest []stream.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	source, now := records[0].Source, time.Now()
	for len(records) > 0 && records[0].Source == source {
		e := l.find(records[0].Seq)
		if e == nil {
			panic("BUG: record settled twice")
		}
		sum, i := 0, 0
		for i < len(records) && records[i].Source == source && uint64(records[i].Seq-e.first) < uint64(e.n) {
			sum += weights[records[i].Tag]
			i++
		}
		if e.pending += sum; e.pending == 0 {
			l.latency.observe(now.Sub(e.born), e.n)
		}
		records = records[i:]
	}
	l.advance()
	return records
}

// find returns the entry of a record, nil if the frontier is past it.
func (l *ledger) find(seq stream.Seq) *entry {
	i := sort.Search(l.open.len(), func(i int) bool { return l.open.at(i).first > seq }) - 1
	if i < 0 {
		return nil
	}
	return l.open.at(i)
}

// advance moves the frontier over settled entries.
func (l *ledger) advance() {
	if l.open.len() == 0 || l.open.at(0).pending != 0 {
		return
	}
	for l.open.len() > 0 && l.open.at(0).pending == 0 {
		e := l.open.at(0)
		l.pos, e.pos = e.pos, l.pos
		l.open.pop()
	}
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// seqs returns the number of the next record, and up to which one all are settled.
func (l *ledger) seqs() (next, settled stream.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.len() > 0 {
		return l.next, l.open.at(0).first
	}
	return l.next, l.next
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
	e := l.find(seq)
	if e == nil || e.pending == 0 {
		return nil, 0, false
	}
	return append(stream.Position(nil), e.pos...), e.n - 1 - int(seq-e.first), true
}

// ledgers are those of a pipeline, by SourceID.
type ledgers []*ledger

// post adds weights[tag] for each record to the ledger of its source.
func (ls ledgers) post(records []stream.Record, weights []int) {
	for len(records) > 0 {
		if records[0].Source == stream.NoSource {
			records = records[1:]
			continue
		}
		records = ls[records[0].Source].post(records, weights)
	}
}
