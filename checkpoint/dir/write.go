package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"time"
)

// temps is the folder of files that have no name of an object yet. It begins
// with a dot, which no part of a name does.
const temps = ".tmp"

// abandoned is the age at which a file in temps belongs to no living call.
const abandoned = time.Hour

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// makeFolder makes a folder and those above it, each known to its parent for good.
func makeFolder(name string) error {
	info, err := os.Stat(name)
	if err == nil {
		if !info.IsDir() {
			return errNotFolder
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(name)
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(name, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	return syncFolder(f, (*os.File).Sync)
}

// prepare makes temps, tries what storing needs, and removes abandoned files.
func (s *Store) prepare() error {
	if err := s.root.Mkdir(temps, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return s.explain("make "+temps, err)
	}
	temp, err := s.writeTemp(nil)
	if err != nil {
		return s.explain("write into the folder", err)
	}
	defer s.root.Remove(temp)
	second := temp + "-link"
	if err := s.root.Link(temp, second); err != nil {
		return s.explain("link a file", &linkError{err})
	}
	if err := s.root.Remove(second); err != nil {
		return s.explain("remove a file", err)
	}
	return s.explain("sweep "+temps, s.sweep(temp))
}

// sweep removes the abandoned files of temps: those that are an hour older, by
// the clock of the file system, than one just written.
func (s *Store) sweep(fresh string) error {
	now, err := s.root.Stat(fresh)
	if err != nil {
		return err
	}
	entries, err := s.entries(temps)
	if err != nil {
		return err
	}
	for _, info := range entries {
		if !info.Mode().IsRegular() || now.ModTime().Sub(info.ModTime()) <= abandoned {
			continue // of somebody else, or in use
		}
		if err := s.root.Remove(filepath.Join(temps, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeTemp writes a file that is on the disk when it returns, and returns its
// path. It leaves none behind after an error. It is not package host/whole, which writes
// by paths and through the kernel's cache: what is in root stays below it, whatever
// links are there, and a large snapshot goes past the cache.
func (s *Store) writeTemp(data []byte) (string, error) {
	temp := filepath.Join(temps, rand.Text())
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	err = s.disk.write(f, data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		s.root.Remove(temp)
		return "", err
	}
	return temp, nil
}

// link gives a file its name if nothing has it.
func (s *Store) link(temp, name string) error {
	err := s.inFolder(name, func(target string) error { return s.root.Link(temp, target) })
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	// A network file system may ask its server twice, after a lost answer, and get
	// this for its own success.
	mine, e1 := s.root.Lstat(temp)
	there, e2 := s.root.Lstat(filepath.FromSlash(name))
	if e1 == nil && e2 == nil && os.SameFile(mine, there) {
		return nil
	}
	return err
}

// rename gives a file its name, and takes it from the one that has it.
func (s *Store) rename(temp, name string) error {
	return s.inFolder(name, func(target string) error { return s.root.Rename(temp, target) })
}

// inFolder calls give with the path of an object in a folder that exists.
func (s *Store) inFolder(name string, give func(target string) error) error {
	target := filepath.FromSlash(name)
	for attempt := 0; ; attempt++ {
		err := give(target)
		// A delete of the last object of a folder takes the folder along, perhaps
		// between the two calls here.
		if !errors.Is(err, fs.ErrNotExist) || attempt == 100 {
			return err
		}
		if folder := filepath.Dir(target); folder != "." {
			s.unsettleMissing(path.Dir(name))
			if err := s.root.MkdirAll(folder, folderMode); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
}

// syncFolders makes sure that an object and the folders above it keep their names
// when the machine stops: up to one of which that is known, for another process may
// just have made the others.
func (s *Store) syncFolders(name string) error {
	found, gone := make(map[string]fs.FileInfo), s.countGone()
	for folder := path.Dir(name); ; folder = path.Dir(folder) {
		known := false
		f, err := s.root.Open(filepath.FromSlash(folder))
		switch {
		case err == nil:
			if found[folder], err = f.Stat(); err != nil {
				f.Close()
				return err
			}
			known = s.isSettled(folder, found[folder])
			err = syncFolder(f, s.sync)
		case errors.Is(err, fs.ErrNotExist):
			err = nil // the object was deleted meanwhile, and the folder with it
		}
		if err != nil {
			return err
		}
		if known || folder == "." {
			s.settle(found, gone)
			return nil
		}
	}
}

// maxSettled bounds the folders that are known to keep their names.
const maxSettled = 100

// isSettled says whether a folder is known to keep its name.
func (s *Store) isSettled(folder string, info fs.FileInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.settled[folder]
	return ok && os.SameFile(known, info)
}

func (s *Store) countGone() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// settle notes that folders keep their names, if none has gone meanwhile.
func (s *Store) settle(found map[string]fs.FileInfo, gone int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != gone {
		return
	}
	if len(s.settled) > maxSettled {
		clear(s.settled)
	}
	maps.Copy(s.settled, found)
}

// unsettleMissing notes which of a folder and those above it are gone.
func (s *Store) unsettleMissing(folder string) {
	for ; folder != "."; folder = path.Dir(folder) {
		if _, err := s.root.Lstat(filepath.FromSlash(folder)); err == nil {
			return
		}
		s.unsettle(folder)
	}
}

// unsettle notes that a folder is gone: another one may come by its name, and its
// number.
func (s *Store) unsettle(folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.settled, folder)
	s.gone++
}

// remove deletes files, and folders that are empty then.
func (s *Store) remove(ctx context.Context, names []string) error {
	changed := map[string]bool{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if info, err := s.root.Lstat(filepath.FromSlash(name)); err == nil && info.IsDir() {
			continue // a folder of objects is none itself
		}
		err := s.root.Remove(filepath.FromSlash(name))
		if err != nil && !missing(err) {
			return err
		}
		folder := path.Dir(name)
		if info, e := s.root.Lstat(filepath.FromSlash(folder)); e == nil && info.IsDir() {
			changed[folder] = true
		}
	}
	for folder := range changed {
		for folder != "." && s.root.Remove(filepath.FromSlash(folder)) == nil {
			s.unsettle(folder)
			folder = path.Dir(folder)
		}
		f, err := s.root.Open(filepath.FromSlash(folder))
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := syncFolder(f, s.sync); err != nil {
			return err
		}
	}
	return nil
}
