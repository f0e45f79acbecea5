package watch

import (
	"context"
	"maps"
	"time"
)

// maxSurveys bounds how often one look follows links that change under its eyes.
const maxSurveys = 4

// Run watches until its context ends, and not a moment less.
func (w *Watcher) Run(ctx context.Context) {
	defer w.deafen()
	w.begun = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var wake <-chan struct{}
		if w.ears != nil {
			wake = w.ears.wake
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
			w.hear()
		case <-w.ask:
			w.hearAll()
		case <-timer.C:
			w.look(ctx)
		}
		timer.Reset(time.Until(w.next()))
	}
}

// next says when to look again.
func (w *Watcher) next() time.Time {
	if w.looked.IsZero() {
		return w.begun
	}
	at := w.looked.Add(w.o.Poll)
	if w.deaf != nil {
		at = earlier(at, w.looked.Add(deafPoll))
	}
	if !w.news.IsZero() {
		at = earlier(at, w.news.Add(w.o.Settle))
	}
	for _, t := range []*tracker{w.small, w.large, w.folders} {
		if due, ok := t.due(); ok {
			at = earlier(at, due)
		}
	}
	return later(at, w.looked.Add(w.o.Settle/4)) // of many files, several in one look
}

// hear takes the news and tells the trackers what they are about.
func (w *Watcher) hear() {
	if w.ears == nil {
		return
	}
	now, heard := time.Now(), w.ears.take()
	if heard.dead != nil {
		w.deafen()
		w.setDeaf(heard.dead)
		w.retry = now.Add(deafRetry)
	}
	if heard.lost || heard.dead != nil {
		w.hearAll()
		return
	}
	for path := range heard.paths {
		subjects, all := w.survey.subjects(path)
		if all {
			w.hearAll()
			return
		}
		for _, s := range subjects {
			w.of(s.target).hear(s.name, now)
		}
	}
}

func (w *Watcher) hearAll() {
	for _, t := range []*tracker{w.small, w.large, w.folders} {
		t.hearAll(time.Now())
	}
}

// look surveys and examines everything, and publishes what is news.
func (w *Watcher) look(ctx context.Context) {
	if w.ears == nil && !time.Now().Before(w.retry) {
		w.openEars()
	}
	w.resurvey()
	small, large := map[string]sight{}, map[string]sight{}
	for name, t := range w.survey.files {
		sights := small
		if t.Large {
			sights = large
		}
		sights[name] = w.sight(ctx, name, t)
	}
	if ctx.Err() != nil {
		return // some were not read to the end
	}
	w.hear() // of what happened meanwhile
	now := time.Now()
	w.looked = now
	news := w.small.look(small, now)
	news = w.large.look(large, now) || news
	news = w.folders.look(w.survey.folders, now) || news
	if (news || w.current.serial == 0) && w.news.IsZero() {
		w.news = now
	}
	if !w.news.IsZero() && !w.waits(now) {
		w.publish()
		w.news = time.Time{}
	}
}

func (w *Watcher) sight(ctx context.Context, name string, t *Target) sight {
	tracker := w.of(t)
	var before sight
	if k := tracker.tracks[name]; k != nil {
		before = k.seen
	}
	return t.examine(ctx, name, before, tracker.unsettled(name))
}

// waits says whether to publish later, so that small files that were written together
// are told together, and the first snapshot has no file that is half written.
func (w *Watcher) waits(now time.Time) bool {
	if w.current.serial == 0 {
		return w.small.torn() && now.Sub(w.begun) < w.o.Cap
	}
	return w.small.open() && now.Sub(w.news) < w.o.Settle
}

// resurvey surveys until the folders that are listened to are those that matter, so
// that what happens after the survey is heard.
func (w *Watcher) resurvey() {
	for i := range maxSurveys {
		before := w.survey
		w.survey = take(w.o.Targets, before)
		if i > 0 && maps.Equal(w.survey.dirs, before.dirs) {
			return
		}
		w.listen(w.survey.dirs)
	}
	w.hearAll() // so that it is tried again
}
