package host

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/config/watch"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/pipeline"
)

// follow reloads what changes, until the function that it returns is called, which
// waits for a reload under way.
func (h *Host) follow(ctx context.Context) (stop func()) {
	if !h.options.Follow {
		return func() {}
	}
	targets := []watch.Target{{Path: h.Settings.Plugins.Dir, Pattern: "*.wasm", Large: true}}
	targets = append(targets, h.admissions()...)
	if h.folder != nil {
		for _, pattern := range patterns() {
			targets = append(targets, watch.Target{Path: h.folder.dir, Pattern: pattern})
		}
	} else {
		for _, s := range h.crew.all() {
			targets = append(targets, watch.Target{Path: s.file})
		}
	}
	w := watch.New(watch.Options{Targets: targets, Notice: h.notice})
	ctx, cancel := context.WithCancel(ctx)
	news := make(chan watch.Snapshot)
	var all sync.WaitGroup
	all.Go(func() { w.Run(ctx) })
	all.Go(func() { pass(ctx, w, news) })
	all.Go(func() { h.reloadChanged(ctx, news) })
	return func() { cancel(); all.Wait() }
}

// pass passes on what a watcher sees, until ctx ends.
func pass(ctx context.Context, w *watch.Watcher, news chan<- watch.Snapshot) {
	var last watch.Snapshot
	for {
		next, err := w.Next(ctx, last)
		if err != nil {
			return
		}
		select {
		case news <- next:
		case <-ctx.Done():
			return
		}
		last = next
	}
}

// reloadChanged reloads the pipelines that changes concern, and lets pipelines come and go.
func (h *Host) reloadChanged(ctx context.Context, news <-chan watch.Snapshot) {
	var last watch.Snapshot
	var again <-chan struct{} // not before the first news
	due := time.NewTimer(0)
	due.Stop()
	defer due.Stop()
	for {
		next := last
		select {
		case next = <-news:
		case <-again:
		case <-due.C:
		case <-ctx.Done():
			return
		}
		if at := h.changed(ctx, last, next); at.IsZero() {
			due.Stop()
		} else {
			due.Reset(time.Until(at))
		}
		if last = next; h.folder != nil {
			again = h.folder.again
		}
	}
}

// changed reloads what is different between two snapshots, and says when to look again
// if nothing happens; zero = not at all. Errors are told by ConfigRefused, and in the
// status.
func (h *Host) changed(ctx context.Context, last, next watch.Snapshot) (due time.Time) {
	h.reloads.Lock()
	defer h.reloads.Unlock()
	files, plugins := make(map[string]bool), make(map[string]bool)
	for _, c := range next.Since(last) {
		if name, ok := strings.CutSuffix(strings.TrimSuffix(filepath.Base(c.Name), ".sig"), ".wasm"); ok {
			plugins[name] = true
		} else {
			files[c.Name] = true
		}
	}
	concerns := func(s *seat) bool { return s.uses(plugins) || files[h.Settings.Plugins.Lock] }
	if h.folder == nil {
		due = h.missing(next, time.Now())
		_, _ = h.reload(ctx, revision.File, readerOf(next), func(s *seat) bool {
			return files[s.file] && next.Files[s.file].State != watch.Missing || concerns(s)
		})
		return due
	}
	for _, s := range h.crew.all() {
		if p, _ := s.look(); concerns(s) && s.seated().over && p.Phase() != pipeline.PhaseStopped {
			s.sum = "" // with another plugin it may go well
		}
	}
	h.survey(ctx, h.folder.seen(next), change)
	_, _ = h.reload(ctx, revision.File, readerOf(next), func(s *seat) bool { return concerns(s) && !s.leaving && !s.seated().over })
	return h.folder.due
}

// missing tells once of each pipeline whose file has been gone for a while. It goes on.
func (h *Host) missing(now watch.Snapshot, at time.Time) (due time.Time) {
	for _, s := range h.crew.all() {
		switch {
		case now.Files[s.file].State != watch.Missing:
			s.gone, s.told = time.Time{}, false
			continue
		case s.gone.IsZero():
			s.gone = at
		}
		switch end := s.gone.Add(goneFor); {
		case s.told:
		case !at.Before(end):
			s.told = true
			p, _ := s.look()
			h.tell(p.Name, s.file+" is gone: the pipeline goes on as it is, until wasmill ends")
		case due.IsZero() || end.Before(due):
			due = end
		}
	}
	return due
}

// readerOf reads files as a snapshot has them, and others from the disk.
func readerOf(s watch.Snapshot) reader {
	return func(name string) (config.File, error) {
		switch f := s.Files[name]; f.State {
		case watch.Present:
			return config.File{Name: name, Data: f.Data}, nil
		case watch.Unreadable:
			return config.File{Name: name}, f.Err
		}
		return config.ReadFile(name)
	}
}

// uses says whether the pipeline has a plugin out of some, or may wait for one.
func (s *seat) uses(plugins map[string]bool) bool {
	p, c := s.look()
	if c.Error != nil && len(plugins) > 0 {
		return true
	}
	for name := range p.plugins {
		if plugins[name] {
			return true
		}
	}
	return false
}

// notice tells each pipeline of something about the files of all.
func (h *Host) notice(text string) {
	for _, p := range h.Pipelines() {
		h.tell(p.Name, text)
	}
}
