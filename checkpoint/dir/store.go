package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/wasmill/wasmill/checkpoint"
)

// atOnce bounds the calls that are in the file system at the same time, and with
// them what a disk that does not answer can hold in memory.
const atOnce = 4

// Store is a checkpoint.Store of files.
type Store struct {
	path  string
	root  *os.Root
	slots chan struct{}
	disk  disk
	sync  func(f *os.File) error // disk.sync

	mu      sync.Mutex             // guards the rest
	settled map[string]fs.FileInfo // folders that are known to keep their names
	gone    int                    // how many were not any more
}

var _ checkpoint.Store = (*Store)(nil)

// Open returns the store of a folder, which it makes if it is not there. It
// tries that the folder can be written and its file system can link files, and
// removes what processes have left half written more than an hour ago.
func Open(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, explain(path, "open the folder", err)
	}
	if err := makeFolder(path); err != nil {
		return nil, explain(path, "make the folder", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explain(path, "open the folder", err)
	}
	s := &Store{path: path, root: root, slots: make(chan struct{}, atOnce), settled: make(map[string]fs.FileInfo)}
	s.sync = s.disk.sync
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Create links the complete file to its name.
func (s *Store) Create(ctx context.Context, name string, data []byte) error {
	return s.store(ctx, name, data, s.link)
}

// Put renames the complete file to its name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.store(ctx, name, data, s.rename)
}

func (s *Store) store(ctx context.Context, name string, data []byte, publish func(temp, name string) error) error {
	if err := checkpoint.CheckObject(name, len(data)); err != nil {
		return err
	}
	err := s.do(ctx, func() error {
		temp, err := s.writeTemp(data)
		if err != nil {
			return err
		}
		defer s.root.Remove(temp)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := publish(temp, name); err != nil {
			return err
		}
		return s.syncFolders(name)
	})
	return s.explain("store "+name, err)
}

// Get reads a file.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	if err := checkpoint.CheckName(name); err != nil {
		return nil, err
	}
	read := make(chan []byte, 1)
	err := s.do(ctx, func() error {
		data, err := s.read(name)
		read <- data
		return err
	})
	if missing(err) {
		return nil, checkpoint.ErrNotFound
	}
	if err != nil {
		return nil, s.explain("read "+name, err)
	}
	return <-read, nil
}

func (s *Store) read(name string) ([]byte, error) {
	// Without O_NONBLOCK, opening a named pipe that somebody has put there waits.
	f, err := s.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fs.ErrNotExist
	case info.Size() > checkpoint.MaxObject:
		return nil, errTooLong
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

// Delete removes files, and the folders that are empty then.
func (s *Store) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := checkpoint.CheckName(name); err != nil {
			return err
		}
	}
	err := s.do(ctx, func() error { return s.remove(ctx, names) })
	return s.explain("delete objects", err)
}

// Close lets the folder go.
func (s *Store) Close() error {
	s.disk.close()
	return s.root.Close()
}

// do runs work in a slot and a goroutine of its own, and returns what it returns,
// or the error of ctx when that ends before.
func (s *Store) do(ctx context.Context, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.slots }()
		done <- work()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// missing reports whether an error says that there is no such object: also where
// a part of its path is a file, or nothing of it was ever there.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotFolder(err)
}
