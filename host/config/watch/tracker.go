package watch

import (
	"slices"
	"time"
)

// maxGone bounds how many missing files of folders a tracker remembers.
const maxGone = 1024

// tracker decides what of that which looks find has settled, and whether it is news.
// It is stepped by hear and look, and knows no clock and no file.
//
//	          heard, or seen to differ
//	settled ───────────────────────────▶ unsettled ─┐ heard, or seen to differ:
//	   ▲                                     │  ▲   │ the rest begins anew
//	   └───── it rested for long enough ─────┘  └───┘
type tracker struct {
	settle time.Duration // how long a content rests until it is told
	grace  time.Duration // the same for what is doubtful
	cap    time.Duration // how long a content that does not rest stays untold
	twice  bool          // a content settles only when two looks agree on it, and not by cap

	tracks  map[string]*track
	started bool      // there was a look
	looked  time.Time // when the last one was
}

// track is what a tracker knows of one name.
type track struct {
	seen  sight     // at the last look
	heard bool      // something, after that look
	rest  time.Time // since when nothing was heard or seen to change
	since time.Time // when the first change was that has not settled; zero = settled
	named bool      // the caller asked for this name, so that it is never forgotten
	told  File
}

func (t *tracker) track(name string) *track {
	k := t.tracks[name]
	if k == nil {
		k = &track{}
		t.tracks[name] = k
	}
	return k
}

// hear takes note that a name may have changed at a time.
func (t *tracker) hear(name string, now time.Time) {
	k := t.track(name)
	k.heard = true
	k.disturb(now)
}

// hearAll takes note that every name may have.
func (t *tracker) hearAll(now time.Time) {
	for name := range t.tracks {
		t.hear(name, now)
	}
}

func (k *track) disturb(now time.Time) {
	k.rest = now
	if k.since.IsZero() {
		k.since = now
	}
}

// unsettled says whether a name has to be read whatever it looks like.
func (t *tracker) unsettled(name string) bool {
	k := t.tracks[name]
	return k != nil && !k.since.IsZero()
}

// look takes what there is at a time; a name without a sight is missing. It says
// whether there is something to tell.
func (t *tracker) look(sights map[string]sight, now time.Time) bool {
	for name := range sights {
		t.track(name)
	}
	news := false
	for name, k := range t.tracks {
		k.see(sights[name], t.twice, now)
		if t.settles(k, now) && k.tell() {
			news = true
		}
		if !k.named && k.since.IsZero() && k.told.State == Missing && k.told.Hash == (Hash{}) {
			delete(t.tracks, name) // a file beside, which came and went
		}
	}
	t.started, t.looked = true, now
	t.forget()
	return news
}

// see takes the sight of a look. A change that was heard of lasted until then; one
// that was not may still go on.
func (k *track) see(s sight, twice bool, now time.Time) {
	switch differs := s.differs(k.seen); {
	case s.torn, differs && (twice || !k.heard):
		k.disturb(now)
	}
	k.seen, k.heard = s, false
}

// settles says whether what was just seen is to be told, if it is news. The first look
// has nothing to compare with, and takes small files as they are.
func (t *tracker) settles(k *track, now time.Time) bool {
	first := !t.started && (!t.twice || k.seen.doubtful())
	switch {
	case k.seen.torn:
		return false
	case first, now.Sub(k.rest) >= t.quiet(k.seen):
		k.since = time.Time{}
		return true
	case !t.twice && !k.seen.doubtful() && now.Sub(k.since) >= t.cap:
		k.since = now
		return true
	}
	return false
}

func (t *tracker) quiet(s sight) time.Duration {
	if s.doubtful() {
		return t.grace
	}
	return t.settle
}

func (k *track) tell() bool {
	news := k.seen.news(k.told)
	if news {
		k.told = k.seen.file(k.told)
	}
	return news
}

// due says when the next look can settle something; ok is false if nothing is open.
func (t *tracker) due() (at time.Time, ok bool) {
	for _, k := range t.tracks {
		if k.since.IsZero() {
			continue
		}
		next := k.rest.Add(t.quiet(k.seen))
		if k.heard { // what it is now is not known
			next = k.rest.Add(t.settle)
		}
		if !t.twice {
			next = earlier(next, later(k.since.Add(t.cap), t.looked.Add(t.settle)))
		}
		if !ok || next.Before(at) {
			at, ok = next, true
		}
	}
	return at, ok
}

// open says whether a content that is there, as far as is known, has still to settle.
func (t *tracker) open() bool {
	for _, k := range t.tracks {
		if !k.since.IsZero() && (k.heard || !k.seen.doubtful()) {
			return true
		}
	}
	return false
}

// torn says whether a file changed while it was read by the last look.
func (t *tracker) torn() bool {
	for _, k := range t.tracks {
		if k.seen.torn {
			return true
		}
	}
	return false
}

// forget drops the files of folders that have been missing for longest, where there
// are too many.
func (t *tracker) forget() {
	var gone []string
	for name, k := range t.tracks {
		if !k.named && k.since.IsZero() && k.told.State == Missing {
			gone = append(gone, name)
		}
	}
	if len(gone) <= maxGone {
		return
	}
	slices.SortFunc(gone, func(a, b string) int { return t.tracks[a].rest.Compare(t.tracks[b].rest) })
	for _, name := range gone[:len(gone)-maxGone] {
		delete(t.tracks, name)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
