package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// StoreAt says where a store is, and where that was said.
type StoreAt struct {
	Storage config.Storage
	Dir     string // that a relative folder is relative to
	Where   string // in the config, or the flag
}

// StoreOf returns where a pipeline has its checkpoints; false = it has none. dir is
// the folder of its file.
func StoreOf(p *config.Pipeline, dir string) (StoreAt, bool) {
	if p.Checkpoint == nil {
		return StoreAt{}, false
	}
	return StoreAt{Storage: p.Checkpoint.Storage, Dir: dir, Where: p.Where("checkpoint.storage")}, true
}

// folder is the path of a store of files.
func (at *StoreAt) folder() string {
	if filepath.IsAbs(at.Storage.Folder) {
		return at.Storage.Folder
	}
	return filepath.Join(at.Dir, at.Storage.Folder)
}

// place puts the place in the config before that of an error of the store.
func (at *StoreAt) place(err error) error {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok {
		if err != nil {
			err = fmt.Errorf("%s: %w", at.Where, err)
		}
		return err
	}
	placed := *e
	if placed.Where = at.Where; e.Where != "" {
		placed.Where += ": " + e.Where
	}
	return &placed
}

// Stores opens the stores of checkpoints of a process. Its methods may be called at
// any time; each store belongs to the caller.
type Stores struct {
	settings config.S3
	env      []string

	mu     sync.Mutex      // guards probed, and is held by a probe
	probed map[string]bool // those of which it is known that they can fence
}

// NewStores returns the stores that the settings lead to. Secrets are fetched from env
// (KEY=value) and files when a bucket is opened.
func NewStores(s *config.Process, env []string) *Stores {
	return &Stores{settings: s.S3, env: env, probed: make(map[string]bool)}
}

// Open opens a store to write to. The first time it makes sure that of several who
// create an object exactly one succeeds.
func (s *Stores) Open(ctx context.Context, at StoreAt) (checkpoint.Store, error) {
	store, err := s.open(&at)
	if err != nil {
		return nil, at.place(err)
	}
	if err := s.probe(ctx, &at, store); err != nil {
		return nil, errors.Join(at.place(err), store.Close())
	}
	return store, nil
}

// Inspect opens a store to look at what is in it. It makes no folder: where there is
// none, the store is empty.
func (s *Stores) Inspect(at StoreAt) (checkpoint.Store, error) {
	if at.Storage.Bucket == "" {
		if _, err := os.Stat(at.folder()); errors.Is(err, fs.ErrNotExist) {
			return emptyStore{}, nil
		}
	}
	store, err := s.open(&at)
	return store, at.place(err)
}

func (s *Stores) probe(ctx context.Context, at *StoreAt, store checkpoint.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := at.Storage.String()
	if at.Storage.Bucket == "" {
		key = identity(at.folder())
	}
	if s.probed[key] {
		return nil
	}
	if err := checkpoint.Probe(ctx, store); err != nil {
		return err
	}
	s.probed[key] = true
	return nil
}

func (s *Stores) open(at *StoreAt) (checkpoint.Store, error) {
	if at.Storage.Bucket == "" {
		return opened(dir.Open(at.folder()))
	}
	c := s3.Config{
		Endpoint: s.settings.Endpoint, Region: s.settings.Region,
		Bucket: at.Storage.Bucket, Prefix: at.Storage.Prefix, PathStyle: s.settings.PathStyle,
		TLS:            s3.TLS{Off: s.settings.TLS.Off, CAFile: s.settings.TLS.CAFile, Insecure: s.settings.TLS.Insecure},
		Encryption:     s3.Encryption{SSE: string(s.settings.Encryption.SSE), KMSKey: s.settings.Encryption.KMSKey},
		RequestTimeout: s.settings.RequestTimeout, TrailingChecksums: s.settings.TrailingChecksums,
	}
	for _, secret := range []struct {
		from config.SecretRef
		to   *string
	}{
		{s.settings.AccessKey, &c.Credentials.AccessKey},
		{s.settings.SecretKey, &c.Credentials.SecretKey},
		{s.settings.SessionToken, &c.Credentials.SessionToken},
	} {
		value, err := secret.from.Resolve(s.env)
		if err != nil {
			return nil, err
		}
		*secret.to = value.Reveal()
	}
	return opened(s3.New(c))
}

// opened makes a store of one kind one of any, and nil if there is none.
func opened[S checkpoint.Store](store S, err error) (checkpoint.Store, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}

// emptyStore is one that is not there. Nobody writes to it.
type emptyStore struct{ checkpoint.Store }

func (emptyStore) Get(context.Context, string) ([]byte, error) { return nil, checkpoint.ErrNotFound }
func (emptyStore) Delete(context.Context, ...string) error     { return nil }
func (emptyStore) Close() error                                { return nil }
func (emptyStore) List(context.Context, string) iter.Seq2[checkpoint.Object, error] {
	return func(func(checkpoint.Object, error) bool) {}
}
