package window

import (
	"encoding/binary"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Warmer is what a Store may be as well: Warm gets ready for calls with these keys,
// each in the group at its index, by loading what they need from memory at once
// instead of one after the other. It changes nothing.
type Warmer interface {
	Warm(groups []state.Group, keys [][]byte)
}

// Finder is what a Store may be as well: Find is Edit of an Editor for many keys at
// once, each in the group at its index. It sets values that are not there to nil.
// The others may be written to until they are put or deleted, or until Moves of
// their group changes.
type Finder interface {
	Find(groups []state.Group, keys, values [][]byte)
	Moves(g state.Group) uint64
}

// warmStep is how many records are warmed together: few enough for what is loaded
// to be there still when the last one's turn comes.
const warmStep = 64

// AddBatch is Add for one record after the other, each in the group at its index,
// and faster: with a million keys most of the time of a record goes into waiting for
// memory. It calls refused for each record that is late, without an error, or has
// one of its own; another error ends it.
func (o *Operator) AddBatch(groups []state.Group, records []Record, watermark stream.Watermark, refused func(i int, err error), emit func(Result)) error {
	for from := 0; from < len(records); from += warmStep {
		to := min(from+warmStep, len(records))
		o.moved = true
		switch {
		case o.finder != nil && (o.spec.Kind == Fixed || o.spec.Kind == Global):
			o.find(groups[from:to], records[from:to])
			o.moved = false
		case o.warmer != nil:
			o.warm(groups[from:to], records[from:to])
		}
		for i := from; i < to; i++ {
			var late bool
			var err error
			if at := i - from; !o.moved && o.entries[at] != nil {
				late, err = o.addTo(o.entries[at], groups[i], &records[i], o.names[at], watermark, emit)
			} else {
				late, err = o.addNew(groups[i], records[i], watermark, emit)
			}
			if err != nil && stream.CodeOf(err) != stream.RecordError {
				return err
			}
			if late || err != nil {
				refused(i, err)
			}
		}
	}
	return nil
}

// addNew is Add for a record that most likely opens a window: what was found for
// others is good for as long as it stays where it is.
func (o *Operator) addNew(g state.Group, r Record, watermark stream.Watermark, emit func(Result)) (late bool, err error) {
	if o.moved {
		return o.Add(g, r, watermark, emit)
	}
	moves := o.finder.Moves(g)
	late, err = o.Add(g, r, watermark, emit)
	o.moved = o.moved || o.finder.Moves(g) != moves
	return late, err
}

// addTo is Add for a record that is in one window, whose entry was found under a
// name.
func (o *Operator) addTo(entry []byte, g state.Group, r *Record, name []byte, watermark stream.Watermark, emit func(Result)) (late bool, err error) {
	now, w := int64(watermark), allTime
	if o.spec.Kind == Fixed {
		w = o.fixed(r.Time)
	}
	if o.over(w, now) {
		return true, nil
	}
	own := o.name
	o.name = name
	err = o.edit(g, w, *r, entry, now, emit)
	o.name = own
	return false, err
}

// fixed returns the fixed window of a time.
func (o *Operator) fixed(t int64) Window {
	if t < o.last.Start || t >= o.last.End {
		o.last, _ = o.spec.newest(t)
	}
	return o.last
}

// warm loads the entries that records will ask for first: the newest window, or the
// list of sessions.
func (o *Operator) warm(groups []state.Group, records []Record) {
	o.nameAll(records)
	o.warmer.Warm(groups, o.names[:len(records)])
}

// find reads the entries of records into o.entries.
func (o *Operator) find(groups []state.Group, records []Record) {
	o.nameAll(records)
	o.finder.Find(groups, o.names[:len(records)], o.entries[:len(records)])
}

// nameAll writes what records will ask for first to o.names.
func (o *Operator) nameAll(records []Record) {
	if o.names == nil {
		o.names, o.entries = make([][]byte, warmStep), make([][]byte, warmStep)
	}
	size := 0
	for i := range records {
		size += 1 + len(records[i].Key) + idSize
	}
	if cap(o.text) < size {
		o.text = make([]byte, size)
	}
	rest := o.text[:cap(o.text)]
	for i := range records {
		r, start := &records[i], allTime.Start
		n := 1 + len(r.Key)
		rest[0] = isEntry
		copy(rest[1:], r.Key)
		switch o.spec.Kind {
		case Session:
			rest[0] = isList
			o.names[i], rest = rest[:n:n], rest[n:]
			continue
		case Global:
		default:
			start = o.fixed(r.Time).Start
		}
		binary.BigEndian.PutUint64(rest[n:], uint64(start)^1<<63)
		o.names[i], rest = rest[:n+idSize:n+idSize], rest[n+idSize:]
	}
}
