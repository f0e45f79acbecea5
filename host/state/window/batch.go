package window

import (
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Warmer is what a Store may be as well: Warm gets ready for calls with these keys,
// each in the group at its index, by loading what they need from memory at once
// instead of one after the other. It changes nothing.
type Warmer interface {
	Warm(groups []state.Group, keys [][]byte)
}

// warmStep is how many records are warmed together: few enough for what is loaded
// to be there still when the last one's turn comes.
const warmStep = 64

// AddBatch is Add for one record after the other, each in the group at its index,
// and faster: with a million keys most of the time of a record goes into waiting for
// memory. It calls refused for each record that is late, without an error, or has
// one of its own; another error ends it.
func (o *Operator) AddBatch(groups []state.Group, records []Record, watermark stream.Watermark, refused func(i int, err error), emit func(Result)) error {
	for i, r := range records {
		if i%warmStep == 0 && o.warmer != nil {
			end := min(i+warmStep, len(records))
			o.warm(groups[i:end], records[i:end])
		}
		late, err := o.Add(groups[i], r, watermark, emit)
		if err != nil && stream.CodeOf(err) != stream.RecordError {
			return err
		}
		if late || err != nil {
			refused(i, err)
		}
	}
	return nil
}

// warm names the entries that records will ask for first: the newest window, or the
// list of sessions.
func (o *Operator) warm(groups []state.Group, records []Record) {
	var ends [warmStep]int
	o.name = o.name[:0]
	for i, r := range records {
		switch o.spec.Kind {
		case Session:
			o.name = append(append(o.name, isList), r.Key...)
		case Global:
			o.name = appendName(o.name, isEntry, r.Key, allTime.Start)
		default:
			if r.Time < o.last.Start || r.Time >= o.last.End {
				o.last, _ = o.spec.newest(r.Time)
			}
			o.name = appendName(o.name, isEntry, r.Key, o.last.Start)
		}
		ends[i] = len(o.name)
	}
	var names [warmStep][]byte
	from := 0
	for i, end := range ends[:len(records)] {
		names[i] = o.name[from:end:end]
		from = end
	}
	o.warmer.Warm(groups, names[:len(records)])
}
