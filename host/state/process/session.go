package process

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Clocks of a timer.
const (
	EventTime = 0
	WallClock = 1
)

// Session is the state and the timers of the keys of the records of one call, by their
// index in its batch. One goroutine uses it, until the call returns. It keeps nothing
// of what it is given; what it gives is valid until the next change.
type Session struct {
	t      *Transform
	staged *state.Staged
	in     *stream.Batch // of the call under way

	record int    // whose key entry begins with; -1 = nobody's
	head   int    // how much of entry that is
	entry  []byte // the key of an entry of the store

	visit func(name, value []byte) bool // of the List under way
	named func(key, value []byte) bool  // the same by keys of the store

	seen map[uint64]struct{} // hashes of keys that Advance took a timer of
}

func newSession(t *Transform) *Session {
	s := &Session{
		t: t, record: -1, seen: make(map[uint64]struct{}),
		staged: state.NewStaged(t.store, string(t.cfg.Vertex), t.cfg.CallBytes),
	}
	s.named = func(key, value []byte) bool { return s.visit(key[s.head:], value) }
	return s
}

// Get returns the value under a name for the key of a record, as the call sees it.
func (s *Session) Get(record int, name []byte) (value []byte, ok bool) {
	return s.staged.Value(s.group(record), s.key(record, name))
}

// Put sets it, for ttl ns of event time from the record on; 0 is for ever. It is
// refused with a *stream.Error state-full if the call writes too much.
func (s *Session) Put(record int, name, value []byte, ttl int64) error {
	g, until := s.group(record), s.expires(record, ttl)
	if until != 0 && until <= s.t.reached[g] {
		return s.limit(s.staged.Delete(g, s.key(record, name)))
	}
	return s.limit(s.staged.Put(g, s.key(record, name), value, until))
}

// Delete removes it, and is refused like Put. A name that is not there is no error.
func (s *Session) Delete(record int, name []byte) error {
	return s.limit(s.staged.Delete(s.group(record), s.key(record, name)))
}

// List visits the names that begin with a prefix, in byte order, until visit returns
// false. visit must not change anything.
func (s *Session) List(record int, prefix []byte, visit func(name, value []byte) bool) {
	s.visit = visit
	s.staged.Range(s.group(record), s.key(record, prefix), s.named)
	s.visit = nil
}

// SetTimer sets the timer of a name, or moves it, and is refused like Put.
func (s *Session) SetTimer(record, clock int, name []byte, at int64) error {
	at = min(at, math.MaxInt64-1) // the last moment of state.Timers
	return s.limit(s.staged.SetTimer(s.t.timers(clock), s.group(record), at, s.in.Key(record), name))
}

// DeleteTimer removes it, and is refused like Put. One that is not there is no error.
func (s *Session) DeleteTimer(record, clock int, name []byte) error {
	return s.limit(s.staged.DeleteTimer(s.t.timers(clock), s.group(record), s.in.Key(record), name))
}

// begin opens the session for a call.
func (s *Session) begin(in *stream.Batch) { s.in, s.record = in, -1 }

// end closes it. What it wrote was committed, or is forgotten.
func (s *Session) end() {
	s.staged.Discard()
	s.in = nil
}

func (s *Session) group(record int) state.Group { return state.Group(s.in.Records[record].Group) }

// key returns the key of an entry of the store: uvarint(len key) key name. So the
// names of a key are a range of their own.
func (s *Session) key(record int, name []byte) []byte {
	if s.record != record {
		key := s.in.Key(record)
		s.entry = append(binary.AppendUvarint(s.entry[:0], uint64(len(key))), key...)
		s.record, s.head = record, len(s.entry)
	}
	s.entry = append(s.entry[:s.head], name...)
	return s.entry
}

// expires returns until when a value is kept, 0 for ever.
func (s *Session) expires(record int, ttl int64) int64 {
	if ttl == 0 {
		return 0
	}
	r := &s.in.Records[record]
	from := r.Time
	if w := s.in.Watermark; r.Port == stream.ClockTimer && w != stream.NoWatermark {
		from = int64(w) // its own time is none of events
	}
	if from > math.MaxInt64-ttl {
		return math.MaxInt64
	}
	if from+ttl == 0 {
		return 1
	}
	return from + ttl
}

// limit says of a refusal how to raise the limit of a call.
func (s *Session) limit(err error) error {
	if err == nil {
		return nil
	}
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	over := *e
	over.Fix = "write less state in a call: lower batch.maxRecords of the vertex, or raise its limits.stateBytes"
	return &over
}

// again says whether it was called with this key since forget, or may have been.
func (s *Session) again(key []byte) bool {
	h := maphash.Bytes(s.t.seed, key)
	_, ok := s.seen[h]
	s.seen[h] = struct{}{}
	return ok
}

func (s *Session) forget() { clear(s.seen) }
