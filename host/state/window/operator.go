package window

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Store holds the windows and sessions of a vertex by key group and key, as
// state.Store does. What Value returns is valid until the next change of the group.
type Store interface {
	Value(g state.Group, key []byte) ([]byte, bool)
	Put(g state.Group, key, value []byte, expires int64) error
	Delete(g state.Group, key []byte)
}

// Editor is what a Store may be as well. Edit is as Value, counts as a change of the
// group, and lets the value be written to until the next Put or Delete there: a
// record then costs one search instead of two.
type Editor interface {
	Edit(g state.Group, key []byte) ([]byte, bool)
}

// Timers holds when windows have something to do, in event time, as state.Timers
// does: one for each key and name, moved where it is set again. Due takes out the
// earliest up to a time; what it returns is valid until the next change of the group.
type Timers interface {
	Set(g state.Group, at int64, key, name []byte) error
	Due(g state.Group, until int64) (at int64, key, name []byte, ok bool)
}

// Operator folds the records of one vertex into windows. What it knows is in Store
// and Timers alone: an operator over copies of them goes on from there. One
// goroutine may use it; operators over the same Store may be used by one goroutine
// each, as long as those use different groups.
type Operator struct {
	spec   Spec
	agg    Aggregator
	store  Store
	editor Editor // the store, or nil
	warmer Warmer // the store, or nil
	finder Finder // the store, or nil
	timers Timers

	last Window // a fixed window, to save a division per record

	// Of the records in hand, of a step of a batch.
	text           []byte
	names, entries [][]byte
	moved          bool // one was put elsewhere since they were found

	// Buffers, empty between calls.
	name, list []byte // keys in the store, of an entry and of a list
	acc        []byte // an accumulator
	entry      []byte // where acc was changed in the store, nil if it is to be put
	sessions   []byte // a list
	result     []byte
	due        []byte // keys and names of timers
	wakes      []wake
	page       []byte // of a list of members
	keys       []byte // of members
	members    []wake
}

// New returns an operator. An error is that of Spec.Validate.
func New(spec Spec, agg Aggregator, store Store, timers Timers) (*Operator, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	o := &Operator{spec: spec, agg: agg, store: store, timers: timers}
	o.editor, _ = store.(Editor)
	o.warmer, _ = store.(Warmer)
	o.finder, _ = store.(Finder)
	return o, nil
}

// Keys in the store: what it is, the key of the record and, but for lists, the id
// of the window: its start, for a session the start that it had at first. Timers
// have the key of the record, and as name the id and what they are. An id is
// big-endian with its sign bit turned, so that it sorts.
const (
	idSize = 8

	isEntry = 'w' // value: accumulator, then the tail
	isList  = 's' // value: the sessions of a key

	isEarly = 'E' // a result is wanted as the watermark gets here
	isEnd   = 'F' // the window ends, at the earliest
	isLate  = 'L' // records came after the end
	isOver  = 'P' // the lateness ends
)

// The tail of an entry is how many records came since the last result, and whether
// a timer for an early one is set.
const (
	tailSize = 4
	maxCount = 1<<31 - 1
	early    = 1 << 31
)

func appendName(dst []byte, is byte, key []byte, id int64) []byte {
	dst = append(append(dst, is), key...)
	return binary.BigEndian.AppendUint64(dst, uint64(id)^1<<63)
}

// Add folds a record into the windows that its time is in, in group g, which is
// that of its key. The watermark is the last one that Advance was given for the
// group, at first stream.NoWatermark. Add calls emit for each window that has its
// share of records for an early result.
//
// It returns true, and has done nothing, if each of the windows ended so long ago
// that its lateness is over too: the record is late. An error with code
// record-error is the record's own and has changed nothing either. After any other
// error, which is one of the store or ErrCorrupt, the record may be folded in half:
// go on from a snapshot, or give Store and Timers whose changes can be discarded.
func (o *Operator) Add(g state.Group, r Record, watermark stream.Watermark, emit func(Result)) (late bool, err error) {
	now := int64(watermark)
	switch o.spec.Kind {
	case Fixed:
		w := o.fixed(r.Time)
		if o.over(w, now) {
			return true, nil
		}
		return false, o.fold(g, w, r, now, emit)
	case Sliding:
		late = true
		w, into := o.spec.newest(r.Time)
		for !o.over(w, now) {
			if err := o.fold(g, w, r, now, emit); err != nil {
				return false, err
			}
			late = false
			into += int64(o.spec.Slide)
			if into >= int64(o.spec.Size) || r.Time-into > r.Time {
				break
			}
			w = o.spec.before(r.Time, into)
		}
		return late, nil
	case Session:
		return o.join(g, r, now, emit)
	}
	if o.over(allTime, now) {
		return true, nil
	}
	return false, o.fold(g, allTime, r, now, emit)
}

// over says whether a window takes no more records.
func (o *Operator) over(w Window, now int64) bool {
	return plus(w.End, int64(o.spec.Lateness)) <= now
}

// fold adds a record to one window that is not a session.
func (o *Operator) fold(g state.Group, w Window, r Record, now int64, emit func(Result)) error {
	o.name = appendName(o.name[:0], isEntry, r.Key, w.Start)
	if o.editor != nil {
		if entry, found := o.editor.Edit(g, o.name); found {
			return o.edit(g, w, r, entry, now, emit)
		}
		return o.open(g, w, r, now, emit)
	}
	tail, found, err := o.load(g)
	if err != nil {
		return err
	}
	if o.acc, err = o.agg.Add(o.acc, r); err != nil {
		return err
	}
	return o.save(g, w, r, tail, change{found, w.End}, now, emit)
}

// open is fold for a window that is not there.
func (o *Operator) open(g state.Group, w Window, r Record, now int64, emit func(Result)) (err error) {
	if o.acc, err = o.agg.Add(o.agg.Init(o.acc[:0]), r); err != nil {
		return err
	}
	moved := o.moved
	err = o.save(g, w, r, 0, change{false, w.End}, now, emit)
	o.moved = moved // others stay where they are
	return err
}

// edit is fold for a window whose entry can be written to.
func (o *Operator) edit(g state.Group, w Window, r Record, entry []byte, now int64, emit func(Result)) error {
	acc, tail, err := split(entry)
	if err != nil {
		return err
	}
	changed, err := o.agg.Add(acc[:len(acc):len(acc)], r)
	if err != nil {
		return err
	}
	inPlace := len(changed) == len(acc) && (len(acc) == 0 || &changed[0] == &acc[0])
	if inPlace && w.End > now && o.spec.EveryRecords == 0 && o.spec.Every == 0 {
		binary.LittleEndian.PutUint32(entry[len(acc):], counted(tail))
		return nil
	}
	own := o.acc
	o.acc = changed
	if inPlace {
		o.entry = entry
	}
	err = o.save(g, w, r, tail, change{true, w.End}, now, emit)
	o.acc, o.entry = own, nil
	return err
}

// load reads the entry o.name into o.acc, which is made if it is not there, and
// returns its tail.
func (o *Operator) load(g state.Group) (tail uint32, found bool, err error) {
	entry, found := o.store.Value(g, o.name)
	if !found {
		o.acc = o.agg.Init(o.acc[:0])
		return 0, false, nil
	}
	acc, tail, err := split(entry)
	o.acc = append(o.acc[:0], acc...)
	return tail, true, err
}

func split(entry []byte) (acc []byte, tail uint32, err error) {
	at := len(entry) - tailSize
	if at < 0 {
		return nil, 0, fmt.Errorf("window of %d bytes: %w", len(entry), ErrCorrupt)
	}
	return entry[:at], binary.LittleEndian.Uint32(entry[at:]), nil
}

// put writes o.acc with a tail to the entry o.name.
func (o *Operator) put(g state.Group, tail uint32) error {
	n := len(o.acc)
	if o.entry != nil {
		binary.LittleEndian.PutUint32(o.entry[n:], tail)
		return nil
	}
	o.acc = binary.LittleEndian.AppendUint32(o.acc, tail)
	o.moved = true
	err := o.store.Put(g, o.name, o.acc, 0)
	o.acc = o.acc[:n]
	return err
}

// change says what a window was before a record came.
type change struct {
	found bool
	end   int64
}

// step is what one more record makes of a window.
type step struct {
	tail  uint32
	fresh bool  // it is the first since the last result
	fires bool  // an early result is due now
	alarm bool  // one is due later, at a time that needs a timer
	at    int64 // of the alarm
}

// counted returns a tail with one more record.
func counted(tail uint32) uint32 {
	if tail&maxCount < maxCount {
		tail++
	}
	return tail
}

// step returns what a record of some time makes of a window with a tail.
func (s *Spec) step(tail uint32, w Window, time, now int64) step {
	n := step{tail: counted(tail), fresh: tail&maxCount == 0}
	open := w.End > now
	if n.fires = open && s.EveryRecords > 0 && n.tail&maxCount >= uint32(s.EveryRecords); n.fires {
		n.tail &= early
	}
	if s.Every > 0 && open && !n.fires && n.tail&early == 0 {
		from := now
		if watermark := stream.Watermark(now); watermark == stream.NoWatermark {
			from = time
		}
		every := int64(s.Every)
		if n.at = plus(from, every-modulo(from, every)); n.at < w.End {
			n.tail |= early
			n.alarm = true
		}
	}
	return n
}

// save writes a window back that has one more record, and sets its timers.
func (o *Operator) save(g state.Group, w Window, r Record, tail uint32, was change, now int64, emit func(Result)) error {
	n := o.spec.step(tail, w, r.Time, now)
	if n.alarm {
		if err := o.set(g, isEarly, n.at); err != nil {
			return err
		}
	}
	if err := o.put(g, n.tail); err != nil {
		return err
	}
	if err := o.arm(g, w, r.Key, was, n.fresh, now); err != nil {
		return err
	}
	if n.fires {
		return o.fire(r.Key, w, Early, emit)
	}
	return nil
}

// arm sets the timers of the window of the entry o.name, which has records that it
// had not before, the first of them since the last result if fresh.
func (o *Operator) arm(g state.Group, w Window, key []byte, was change, fresh bool, now int64) error {
	shared, open := o.spec.Kind != Session, w.End > now
	switch {
	case shared && open:
	case open && (!was.found || was.end <= now):
		if err := o.set(g, isEnd, w.End); err != nil {
			return err
		}
	case !open && !shared && (!was.found || was.end != w.End):
		if err := o.set(g, isOver, plus(w.End, int64(o.spec.Lateness))); err != nil {
			return err
		}
		fallthrough
	case !open && fresh:
		if err := o.set(g, isLate, w.End); err != nil {
			return err
		}
	}
	if shared && !was.found {
		return o.enlist(g, w, key, now)
	}
	return nil
}

// set sets a timer for the window of the entry o.name.
func (o *Operator) set(g state.Group, is byte, at int64) error {
	id := len(o.name) - idSize
	o.name = append(o.name, is)
	err := o.timers.Set(g, at, o.name[1:id], o.name[id:])
	o.name = o.name[:id+idSize]
	return err
}

// fire gives the result of o.acc.
func (o *Operator) fire(key []byte, w Window, f Firing, emit func(Result)) (err error) {
	if o.result, err = o.agg.Result(o.result[:0], o.acc); err != nil {
		return err
	}
	emit(Result{Key: key, Window: w, Value: o.result, Fired: f})
	return nil
}
