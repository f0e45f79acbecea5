package host

import (
	"context"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/config/watch"
)

// follow reloads what changes, until the function that it returns is called, which
// waits for a reload under way.
func (h *Host) follow(ctx context.Context) (stop func()) {
	if !h.options.Follow {
		return func() {}
	}
	targets := []watch.Target{{Path: h.Settings.Plugins.Dir, Pattern: "*.wasm", Large: true}}
	targets = append(targets, h.admissions()...)
	for _, s := range h.seats {
		targets = append(targets, watch.Target{Path: s.file})
	}
	w := watch.New(watch.Options{Targets: targets, Notice: h.notice})
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { w.Run(ctx) })
	both.Go(func() { h.reloadChanged(ctx, w) })
	return func() { cancel(); both.Wait() }
}

// reloadChanged reloads the pipelines that changes concern.
func (h *Host) reloadChanged(ctx context.Context, w *watch.Watcher) {
	var last watch.Snapshot
	for {
		next, err := w.Next(ctx, last)
		if err != nil {
			return
		}
		files, plugins := make(map[string]bool), make(map[string]bool)
		for _, c := range next.Since(last) {
			if name, ok := strings.CutSuffix(strings.TrimSuffix(filepath.Base(c.Name), ".sig"), ".wasm"); ok {
				plugins[name] = true
			} else {
				files[c.Name] = true
			}
		}
		last = next
		// Errors are told by ConfigRefused, and in the status.
		_, _ = h.reload(ctx, func(s *seat) bool { return files[s.file] || files[h.Settings.Plugins.Lock] || s.uses(plugins) })
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
		if e := h.eventsOf(p.Name); e.ConfigNotice != nil {
			e.ConfigNotice(text)
		}
	}
}
