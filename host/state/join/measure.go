package join

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// What the results of one call may come to. A call for more is refused, so that its
// records come again in smaller calls; a record alone may make more.
const (
	maxResults      = 64 << 10
	maxResultBytes  = 64 << 20
	maxResultsOfOne = 1 << 20
	maxBytesOfOne   = 1 << 30
)

// errLarge asks for smaller calls.
var errLarge = errors.New("the records of one call make more pairs than it may give")

// crowd counts the records of a call by pane: those with the same hash. Where panes
// share one it counts too much.
type crowd struct {
	count, bytes [2]uint64
}

const maxCrowds = 1 << 16

// render makes the texts of the records of a call.
func (l *lane) render(in *stream.Batch) {
	for i := range in.Records {
		from, base64 := len(l.texts), false
		l.texts, base64 = appendText(l.texts, in.Value(i))
		r := record{from: from, size: len(l.texts) - from}
		if base64 {
			r.flags = flagBase64
		}
		l.records = append(l.records, r)
	}
}

// text returns what render made of a record.
func (l *lane) text(i int) []byte {
	r := &l.records[i]
	return l.texts[r.from : r.from+r.size]
}

// measure counts the panes of each record, and sees to it that the results are no
// more than a call may give, before anything is changed.
func (l *lane) measure(in *stream.Batch, out *stream.Output) (err error) {
	n := 64
	for n < 2*in.Len() && n < maxCrowds {
		n *= 2
	}
	l.crowds = slices.Grow(l.crowds[:0], n)[:n]
	clear(l.crowds)
	l.longest = 0
	var results, bytes uint64
	for i := range in.Records {
		if i%warmStep == 0 {
			l.warm(in, i)
		}
		r, my := &in.Records[i], &l.records[i]
		g, key, side := state.Group(r.Group), in.Key(i), l.side(r)
		fixed := uint64(my.size + 6*len(key) + 2*longestName + 128)
		look := func(w window.Window) (c *crowd, found bool) {
			h, found, bad := l.load(g, key, w)
			if bad != nil {
				err = bad
			}
			c = &l.crowds[maphash.Bytes(l.seed, l.name)&uint64(n-1)]
			count := uint64(h[1-side].count()) + c.count[1-side]
			results += count
			bytes += h[1-side].bytes + c.bytes[1-side] + count*fixed
			return c, found
		}
		l.each(r.Time, l.groups[r.Group].reached, func(w window.Window) bool {
			my.panes++
			c, found := look(w)
			if l.longest = max(l.longest, len(key)); !found {
				l.longest = max(l.longest, l.first(g, w))
			}
			c.count[side]++
			c.bytes[side] += uint64(my.size)
			my.nearby[0] = len(l.nearby)
			l.beside(r.Time, w, func(w window.Window) {
				if c, found := look(w); found || c.count[1-side] > 0 {
					l.nearby = append(l.nearby, w)
				}
			})
			my.nearby[1] = len(l.nearby)
			return true
		})
	}
	switch {
	case err != nil:
		return err
	case in.Len() > 1 && (results > maxResults || bytes > maxResultBytes):
		return errLarge
	case results > maxResultsOfOne || bytes > maxBytesOfOne:
		out.Failures = append(out.Failures, stream.Failure{Reason: fmt.Sprintf(
			"the record meets up to %d others of its key, for results of %d MiB, more than the %d and %d MiB that one may make: join by a key that says more, or in shorter windows",
			results, bytes>>20, maxResultsOfOne, maxBytesOfOne>>20)})
	}
	return nil
}

// first returns the length of the first key in the list of a window.
func (l *lane) first(g state.Group, w window.Window) int {
	l.list = appendList(l.list[:0], w.Start)
	key, _ := l.store.Value(g, l.list)
	return len(key)
}

// warmStep is how many records are warmed together.
const warmStep = 64

// warm loads the heads that the next records will ask for first.
func (l *lane) warm(in *stream.Batch, from int) {
	var groups [warmStep]state.Group
	var ends [warmStep]int
	var names [warmStep][]byte
	n := min(warmStep, in.Len()-from)
	l.value = l.value[:0]
	for i := range n {
		r := &in.Records[from+i]
		groups[i] = state.Group(r.Group)
		l.each(r.Time, stream.NoWatermark, func(w window.Window) bool {
			l.value = appendHead(l.value, in.Key(from+i), w.Start)
			return false
		})
		ends[i] = len(l.value)
	}
	at := 0
	for i := range n {
		names[i] = l.value[at:ends[i]]
		at = ends[i]
	}
	l.store.Warm(groups[:n], names[:n])
}
