package project

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/config/watch"
)

// Dev builds a project at each change of its sources.
type Dev struct {
	Project *Project
	// Build is called at first, and after each change of a source, by one goroutine; what
	// changes meanwhile is built after it.
	Build func(ctx context.Context)
	// Edited is called after a change of the pipeline's file, by the same goroutine.
	Edited func()
}

// Run watches the folders that there are when it begins until ctx ends, whose cause is the
// error.
func (d *Dev) Run(ctx context.Context) error {
	targets, err := d.targets()
	if err != nil {
		return err
	}
	w := watch.New(watch.Options{Targets: targets})
	watching, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { w.Run(watching) })
	defer all.Wait()
	defer end()
	last, err := w.Next(ctx, watch.Snapshot{})
	if err != nil {
		return err
	}
	d.Build(ctx)
	for {
		next, err := w.Next(ctx, last)
		if err != nil {
			return err
		}
		source, pipeline := d.changed(next.Since(last))
		last = next
		if source {
			d.Build(ctx)
		}
		if pipeline {
			d.Edited()
		}
	}
}

// changed says what some changes are of.
func (d *Dev) changed(changes []watch.Change) (source, pipeline bool) {
	for _, c := range changes {
		if c.Name == d.Project.Pipeline() {
			pipeline = true
		} else {
			source = true
		}
	}
	return source, pipeline
}

// targets are the sources, also in folders, and the pipeline.
func (d *Dev) targets() ([]watch.Target, error) {
	p := d.Project
	targets := []watch.Target{{Path: p.Pipeline()}}
	err := filepath.WalkDir(p.Dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !e.IsDir():
			return nil
		case path != p.Dir && (strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules"):
			return filepath.SkipDir
		}
		targets = append(targets, watch.Target{Path: path, Pattern: "*" + p.Language.ext()})
		if also := p.Language.headers(); also != "" {
			targets = append(targets, watch.Target{Path: path, Pattern: "*" + also})
		}
		return nil
	})
	if p.Language == Go {
		targets = append(targets, watch.Target{Path: filepath.Join(p.Dir, "go.mod")})
	}
	if err != nil {
		return nil, unreadable(p.Dir, err)
	}
	return targets, nil
}
