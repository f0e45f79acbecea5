package join

import (
	"math"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// parts are what the results of one record in one pane have in common.
type parts struct {
	window      window.Window
	made        bool // the rest, for window
	stored      bool // key
	key         stream.Span
	front, back []byte // what comes before the record of the other side, and after it

	of    window.Window // of times
	times []byte        // the end of a result, with its start and end
}

// begin is for the next record.
func (p *parts) begin() { p.made, p.stored = false, false }

// appendFront appends the beginning of a result, up to its first record.
func appendFront(dst, key []byte) []byte {
	if utf8.Valid(key) {
		dst = appendString(append(dst, `{"key":`...), key)
	} else {
		dst = appendBase64(append(dst, `{"keyBase64":`...), key)
	}
	return append(dst, ',')
}

// appendBack appends the end of a result, from behind its last record.
func (l *lane) appendBack(dst []byte, w window.Window) []byte {
	p := &l.parts
	if len(p.times) == 0 || p.of != w {
		p.of = w
		p.times = append(w.AppendJSON(append(p.times[:0], ',')), '}')
	}
	return append(dst, p.times...)
}

// appendMember appends a record as the member of a result.
func appendMember(dst []byte, side int, flags byte, text []byte) []byte {
	dst = append(dst, [...]string{`"left`, `"right`}[side]...)
	if flags&flagBase64 != 0 {
		dst = append(dst, "Base64"...)
	}
	return append(append(dst, `":`...), text...)
}

// longestName is the most that a member has besides its text.
const longestName = len(`"rightBase64":`)

// shown is what results say of a pane: its window.
func (l *lane) shown(pane window.Window) window.Window {
	if l.cfg.Within > 0 {
		return window.All()
	}
	return pane
}

// prepare makes the parts of a record's results.
func (l *lane) prepare(in *stream.Batch, i, side int, w window.Window, out *stream.Output) {
	p := &l.parts
	if p.made && p.window == w {
		return
	}
	key, my, own := in.Key(i), &l.records[i], l.text(i)
	if !p.stored {
		p.stored, p.key = true, out.Store(key)
	}
	p.made, p.window = true, w
	p.front, p.back = appendFront(p.front[:0], key), p.back[:0]
	if side == left {
		p.front = append(appendMember(p.front, left, my.flags, own), ',')
	} else {
		p.back = appendMember(append(p.back, ','), right, my.flags, own)
	}
	p.back = l.appendBack(p.back, w)
}

// pair gives the result of record i, which is of a side, and one of the other side.
func (l *lane) pair(in *stream.Batch, i, side int, pane window.Window, other entry, out *stream.Output) {
	l.prepare(in, i, side, l.shown(pane), out)
	p, r := &l.parts, &in.Records[i]
	b := append(out.Reserve(len(p.front) + longestName + len(other.text) + len(p.back))[:0], p.front...)
	b = append(appendMember(b, 1-side, other.flags, other.text), p.back...)
	out.Records = append(out.Records, stream.Record{
		Time: max(r.Time, other.time), Key: p.key, Value: out.Commit(len(b)), Source: r.Source, Seq: r.Seq,
	})
}

// alone gives the result of a left record that found no right one. Its time is the
// last moment at which one could have come, lateness aside, so that it is not late
// for what comes after; that of the record if that is the end of the stream.
func (l *lane) alone(key []byte, pane window.Window, e entry, out *stream.Output) {
	l.value = appendMember(appendFront(l.value[:0], key), left, e.flags, e.text)
	l.value = l.appendBack(append(l.value, `,"right":null`...), l.shown(pane))
	at := e.time
	if over := l.panes.Over(pane); over < math.MaxInt64-1 {
		at = max(at, over-int64(l.cfg.Spec.Lateness)-1)
	}
	out.Append(at, key, l.value, nil)
	out.Records[out.Len()-1].Source = stream.NoSource
}
