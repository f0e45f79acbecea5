package pipeline

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Tapping says what a Tap observes, and which records of it.
type Tapping struct {
	Vertex stream.VertexID // what it emits; of a sink, what it is to write
	To     stream.VertexID // only what the edges from Vertex to it carry; empty = all

	Tag      string // that they leave Vertex with; empty = any or none
	Key      []byte // that they have, empty = none; nil = any or none
	Contains []byte // somewhere in the value; empty = anything

	Rate  int // records/s at most, of those that pass a fair sample; at least 1
	Bytes int // of a key, a value and the headers together, each, at most; at least 1
}

// Bounds of what a Tap costs the pipeline that it observes.
const (
	tapSpan    = 100 * time.Millisecond // at least, over which a sample is taken
	tapSamples = 4                      // that wait to be taken
	tapBytes   = 1 << 20                // of a sample, about
	tapSearch  = 4 << 20                // bytes in which Contains is looked for, in a tapSpan
)

// Seen is a copy of a record that passed, in parts as far as they are not longer than
// Tapping.Bytes.
type Seen struct {
	Time                               int64
	Key, Value                         []byte // the beginning
	Headers                            []byte // a header block as in the abi package; nil if it is longer
	KeyBytes, ValueBytes, HeadersBytes int    // of the whole
	Tag                                string // that it had; empty = none, or one that no edge asks for
	DeadLetter                         bool
	Unrouted                           bool // no edge takes it

	number uint64 // of those that passed in the time of a sample
}

// SeenHeader is a header of a record.
type SeenHeader struct {
	Name  string
	Value []byte
}

// HeaderList returns the headers that there are in Headers.
func (s *Seen) HeaderList() (all []SeenHeader) {
	for name, value, rest, ok := abi.NextHeader(s.Headers); ok; name, value, rest, ok = abi.NextHeader(rest) {
		all = append(all, SeenHeader{string(name), value})
	}
	return all
}

// Passed is what passed since the last time: samples in their order, and how many
// records are in none.
type Passed struct {
	Records []Seen
	LeftOut uint64 // for Rate
	Missed  uint64 // as they were not taken, or looked at, in time
	Absent  bool   // there is nothing to observe in the generation that runs
}

// Tap observes records as they pass, and holds up none: what there is no time or no
// room for is counted. It can be set to one generation of a pipeline after another.
// Any goroutine may call its methods.
type Tap struct {
	what   Tapping
	span   time.Duration // of a sample
	search int           // bytes in which Contains is looked for in that time
	absent atomic.Bool
	missed atomic.Uint64 // while mu was held

	mu       sync.Mutex // leaf; who moves records only tries to lock it
	sample   reservoir
	ends     time.Time // of sample
	searched int       // bytes, for sample
	waiting  []Seen    // earlier samples, at most tapSamples
	leftOut  uint64    // not in waiting
	late     uint64    // the same, but missed
}

// NewTap returns a tap that observes nothing before SetTaps.
func NewTap(what Tapping) *Tap {
	t := &Tap{what: what, span: max(tapSpan, time.Second/time.Duration(what.Rate))}
	t.search = tapSearch * int(t.span/tapSpan)
	size := max(1, int(time.Duration(what.Rate)*t.span/time.Second))
	t.sample = reservoir{size: max(1, min(size, tapBytes/(3*what.Bytes))), rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	return t
}

// Take returns what passed since it was last called. over says that nothing will pass any
// more, so that the last sample need not wait until its time is over.
func (t *Tap) Take(over bool) Passed {
	t.mu.Lock()
	defer t.mu.Unlock()
	if over {
		t.ends = time.Time{}
	}
	t.turn(time.Now())
	p := Passed{t.waiting, t.leftOut, t.late + t.missed.Swap(0), t.absent.Load()}
	t.waiting, t.leftOut, t.late = nil, 0, 0
	return p
}

// turn ends the sample whose time is over.
func (t *Tap) turn(now time.Time) {
	if now.Before(t.ends) {
		return
	}
	t.ends, t.searched = now.Add(t.span), 0
	picked, left := t.sample.take()
	t.leftOut += left
	fit := min(len(picked), tapSamples*t.sample.size-len(t.waiting))
	t.waiting = append(t.waiting, picked[:fit]...)
	t.late += uint64(len(picked) - fit)
}

// see looks at a batch that leaves a vertex. It does not wait, and keeps no part of it.
func (t *Tap) see(b *stream.Batch, at *tapped) {
	if !t.mu.TryLock() {
		n := 0
		for i := range b.Records {
			if at.takes == nil || at.takes[b.Records[i].Tag] {
				n++
			}
		}
		t.missed.Add(uint64(n))
		return
	}
	defer t.mu.Unlock()
	t.turn(time.Now())
	for i := range b.Records {
		r := &b.Records[i]
		if at.takes != nil && !at.takes[r.Tag] || t.what.Key != nil && !bytes.Equal(b.Of(r.Key), t.what.Key) || !t.contains(b.Of(r.Value)) {
			continue
		}
		if slot := t.sample.pass(); slot != nil {
			t.copy(slot, b, r, at)
		}
	}
}

// contains looks for what a value has to contain, as long as there is time for it.
func (t *Tap) contains(value []byte) bool {
	if len(t.what.Contains) == 0 {
		return true
	}
	if t.searched >= t.search {
		t.late++
		return false
	}
	t.searched += len(value)
	return bytes.Contains(value, t.what.Contains)
}

// copy makes s a copy of a record.
func (t *Tap) copy(s *Seen, b *stream.Batch, r *stream.Record, at *tapped) {
	key, value, headers := b.Of(r.Key), b.Of(r.Value), b.Of(r.Headers)
	s.Time, s.KeyBytes, s.ValueBytes, s.HeadersBytes = r.Time, len(key), len(value), len(headers)
	s.Key = append(s.Key[:0], key[:min(len(key), t.what.Bytes)]...)
	s.Value = append(s.Value[:0], value[:min(len(value), t.what.Bytes)]...)
	s.Headers = s.Headers[:0]
	if len(headers) <= t.what.Bytes {
		s.Headers = append(s.Headers, headers...)
	}
	s.Tag, s.DeadLetter, s.Unrouted = "", false, false
	if at.out != nil {
		s.Tag, s.DeadLetter, s.Unrouted = at.out.names[r.Tag], int(r.Tag) == len(at.out.names)-1, at.out.weights[r.Tag] == 0
	}
}

// point is where taps see what passes.
type point struct{ taps atomic.Pointer[[]tapped] } // nil while there is none

// tapped is a tap at a point.
type tapped struct {
	tap   *Tap
	takes []bool  // by tag: those that it sees; nil = all
	out   *router // what it is at; nil = at a sink
}

// see lets the taps see a batch. It costs one load while there are none.
func (p *point) see(b *stream.Batch) {
	if all := p.taps.Load(); all != nil {
		for i := range *all {
			(*all)[i].tap.see(b, &(*all)[i])
		}
	}
}

// SetTaps sets the taps that observe the pipeline, instead of those before. It may be
// called at any time.
func (p *Pipeline) SetTaps(taps []*Tap) {
	p.tapping.Lock()
	defer p.tapping.Unlock()
	placed := make(map[*Tap]bool)
	for _, v := range p.vertices {
		var atSink, atRouter []tapped
		for _, t := range taps {
			switch {
			case t.what.Vertex != v.name:
			case v.sink != nil && t.what.To == "":
				atSink = append(atSink, tapped{tap: t})
				placed[t] = t.what.Tag == "" // its records have none
			default:
				if takes, ok := v.out.tappable(&t.what); ok {
					atRouter = append(atRouter, tapped{t, takes, v.out})
					placed[t] = true
				}
			}
		}
		v.out.point.set(atRouter)
		if v.sink != nil {
			v.sink.point.set(atSink)
		}
	}
	for _, t := range taps {
		t.absent.Store(!placed[t])
	}
}

func (p *point) set(all []tapped) {
	if len(all) == 0 {
		p.taps.Store(nil)
		return
	}
	p.taps.Store(&all)
}

// tappable returns which tags a tap sees, nil for all, and whether there is something
// for it to see.
func (r *router) tappable(what *Tapping) (takes []bool, ok bool) {
	if what.To == "" && what.Tag == "" {
		return nil, true
	}
	takes = make([]bool, len(r.weights))
	for tag := range takes {
		if what.Tag != "" && r.names[tag] != what.Tag {
			continue
		}
		takes[tag] = what.To == ""
		for i := range r.outlets {
			takes[tag] = takes[tag] || r.to[i] == what.To && r.takes[i][tag]
		}
		ok = ok || takes[tag]
	}
	return takes, ok
}
