package control

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// StoreTrial is what a store does when it is tried.
type StoreTrial struct {
	Folder string        // that is not there yet, so that nothing was tried; empty = all was
	Ahead  time.Duration // of the clock of a bucket's server before ours; 0 = the same, or unknown
	Kept   int           // checkpoints of the pipeline
}

// Try opens a store as a start does, which makes sure that of several who create an object
// exactly one succeeds and that it can be read and deleted, and lists the checkpoints of a
// pipeline. It makes no folder.
func (s *Stores) Try(ctx context.Context, at StoreAt, pipeline string) (t StoreTrial, err error) {
	if at.Storage.Bucket == "" {
		if _, err := os.Stat(at.folder()); errors.Is(err, fs.ErrNotExist) {
			t.Folder = at.folder()
			return t, nil
		}
	}
	store, err := s.open(&at)
	if err != nil {
		return t, at.place(err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if server, ok := store.(interface {
		Ahead(context.Context) (time.Duration, error)
	}); ok {
		if t.Ahead, err = server.Ahead(ctx); err != nil {
			t.Ahead = 0 // what else is asked of it says why
		}
	}
	if err := s.probe(ctx, &at, store); err != nil {
		return t, at.place(err)
	}
	t.Kept, err = (&Checkpoints{Pipeline: pipeline, at: at, store: store}).Count(ctx)
	return t, err
}
