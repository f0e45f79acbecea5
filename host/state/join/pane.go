package join

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
)

// A pane is what the store has of one key in one window: a head, and an entry for
// each record. The panes of a window in a group form a list, from the newest to the
// oldest, and share a timer with the start as name. Keys in the store are
//
//	h key start              value: head, and the next key of the list after a 1
//	r key start side number  value: flags 1 B, time 8 B, text
//	l start                  value: the first key of the list
//
// Start and number are big-endian, start with its sign bit turned; what values hold
// is little-endian. Adding a record changes the head in its place and puts one entry,
// however many there are.
const (
	isHead   = 'h'
	isRecord = 'r'
	isList   = 'l'

	startSize  = 8
	numberSize = 1 + 4 // side and number
	headSize   = 2 * (4 + 4 + 8)
	entryHead  = 1 + 8

	flagMatched = 1 // a left record that is in a result
	flagBase64  = 2 // the text is that of a value that is not UTF-8
)

// The sides.
const (
	left  = 0
	right = 1
)

// head counts the records of a pane by side: those with the numbers from first up
// to next, which may come round to 0 again.
type head [2]span

type span struct {
	first, next uint32
	bytes       uint64 // of their texts
}

func (s span) count() int { return int(s.next - s.first) }

func (h *head) encode(d []byte) {
	for i, s := range h {
		at := d[i*headSize/2:]
		binary.LittleEndian.PutUint32(at, s.first)
		binary.LittleEndian.PutUint32(at[4:], s.next)
		binary.LittleEndian.PutUint64(at[8:], s.bytes)
	}
}

func (h *head) decode(d []byte) error {
	if len(d) < headSize {
		return fmt.Errorf("head of %d bytes: %w", len(d), ErrCorrupt)
	}
	for i := range h {
		at := d[i*headSize/2:]
		h[i] = span{binary.LittleEndian.Uint32(at), binary.LittleEndian.Uint32(at[4:]), binary.LittleEndian.Uint64(at[8:])}
	}
	return nil
}

// appendHead appends the key of a head.
func appendHead(dst, key []byte, start int64) []byte {
	dst = append(append(dst, isHead), key...)
	return appendStart(dst, start)
}

func appendList(dst []byte, start int64) []byte { return appendStart(append(dst, isList), start) }

func appendStart(dst []byte, start int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(start)^1<<63)
}

// appendRecord appends the key of an entry.
func appendRecord(dst, key []byte, start int64, side int, number uint32) []byte {
	dst = appendStart(append(append(dst, isRecord), key...), start)
	return binary.BigEndian.AppendUint32(append(dst, byte(side)), number)
}

// renumber turns the key of an entry into that of another one of its side.
func renumber(name []byte, number uint32) { binary.BigEndian.PutUint32(name[len(name)-4:], number) }

// entry is a record as it is stored.
type entry struct {
	flags byte
	time  int64
	text  []byte
}

func (e entry) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(append(dst, e.flags), uint64(e.time))
	return append(dst, e.text...)
}

// load returns the head of a pane, nothing if it is not there.
func (l *lane) load(g state.Group, key []byte, w window.Window) (h head, found bool, err error) {
	l.name = appendHead(l.name[:0], key, w.Start)
	d, found := l.store.Value(g, l.name)
	if found {
		err = h.decode(d)
	}
	return h, found, err
}

// entry returns the entry with the key l.name.
func (l *lane) entry(g state.Group) (entry, error) {
	d, found := l.store.Value(g, l.name)
	if !found || len(d) < entryHead {
		return entry{}, fmt.Errorf("record of %d bytes: %w", len(d), ErrCorrupt)
	}
	return entry{d[0], int64(binary.LittleEndian.Uint64(d[1:])), d[entryHead:]}, nil
}

// enter counts one more record on a side of a pane, which is made if it is not there.
// It returns the head as it was before.
func (l *lane) enter(g state.Group, key []byte, w window.Window, side, size int) (was head, err error) {
	l.name = appendHead(l.name[:0], key, w.Start)
	d, found := l.store.Edit(g, l.name)
	if found {
		if err := was.decode(d); err != nil {
			return was, err
		}
	}
	now := was
	now[side].next++
	now[side].bytes += uint64(size)
	if found {
		now.encode(d)
		return was, nil
	}
	return was, l.found(g, key, w, now)
}

// found makes the pane with the key l.name, and puts it at the front of its list.
func (l *lane) found(g state.Group, key []byte, w window.Window, h head) error {
	l.list = appendList(l.list[:0], w.Start)
	next, others := l.store.Value(g, l.list)
	l.value = append(l.value[:0], make([]byte, headSize)...)
	h.encode(l.value)
	if others {
		l.value = append(append(l.value, 1), next...)
	}
	if err := l.store.Put(g, l.name, l.value, 0); err != nil {
		return err
	}
	if err := l.store.Put(g, l.list, key, 0); err != nil || others {
		return err
	}
	return l.timers.Set(g, l.panes.Over(w), nil, l.list[1:])
}

// roomFor returns the most that a record takes of the store: entries and bytes.
func (l *lane) roomFor(key int, r *record) (entries, bytes int) {
	head := 1 + key + startSize + headSize + 1 + l.longest
	list := 1 + startSize + key
	own := 1 + key + startSize + numberSize + entryHead + r.size
	return 3 * r.panes, (head + list + own) * r.panes
}
