package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFiles bounds the files of one folder that are watched.
const maxFiles = 1024

// survey is which files there are to look at, and where to listen for what happens to
// them. It reads folders and links, and no content.
type survey struct {
	files   map[string]*Target   // by name
	folders map[string]sight     // by Path
	dirs    map[string]bool      // by real path: where to listen
	entries map[string][]subject // by real path: what an entry leads to
	inside  map[string][]*Target // by real path: whose files a folder holds
}

// subject is a file, or with no target a folder.
type subject struct {
	name   string
	target *Target
}

// take surveys the targets. A folder that cannot be listed has the files it had before.
func take(targets []Target, before *survey) *survey {
	s := &survey{
		files: map[string]*Target{}, folders: map[string]sight{},
		dirs: map[string]bool{}, entries: map[string][]subject{}, inside: map[string][]*Target{},
	}
	for i := range targets {
		if t := &targets[i]; t.Pattern == "" {
			s.add(t.Path, t)
		} else {
			s.folder(t, before)
		}
	}
	return s
}

// add takes up a file and each entry on its way.
func (s *survey) add(name string, t *Target) {
	if s.files[name] != nil {
		return
	}
	s.files[name] = t
	for _, e := range routeOf(name).entries {
		s.listen(e, subject{name, t})
	}
}

// listen takes up an entry that matters to a file or folder.
func (s *survey) listen(entry string, about subject) {
	s.dirs[filepath.Dir(entry)] = true
	s.entries[entry] = append(s.entries[entry], about)
}

func (s *survey) folder(t *Target, before *survey) {
	r := routeOf(t.Path)
	for _, e := range r.entries {
		if e != r.real { // the folder itself says when it goes
			s.listen(e, subject{name: t.Path})
		}
	}
	if r.real != "" {
		s.dirs[r.real] = true
		s.inside[r.real] = append(s.inside[r.real], t)
	}
	names, err := t.list(r.real)
	switch {
	case err == nil:
		s.folders[t.Path] = sight{state: Present}
	case errors.Is(err, fs.ErrNotExist):
		s.folders[t.Path] = sight{}
	default:
		s.folders[t.Path] = sight{state: Unreadable, err: t.fault(t.Path, err)}
		for name, of := range before.files {
			if of == t {
				s.add(name, t)
			}
		}
	}
	for _, e := range names {
		name := filepath.Join(t.Path, e.Name())
		if e.Type()&fs.ModeSymlink != 0 {
			s.add(name, t)
		} else if s.files[name] == nil {
			s.files[name] = t
		}
	}
}

// list returns what in a folder may be a file of the target.
func (t *Target) list(real string) ([]fs.DirEntry, error) {
	if real == "" {
		return nil, fs.ErrNotExist
	}
	if info, err := os.Stat(real); err == nil && !info.IsDir() {
		return nil, errNotFolder
	}
	all, err := os.ReadDir(real)
	if err != nil {
		return nil, err
	}
	var names []fs.DirEntry
	for _, e := range all {
		if !e.IsDir() && t.matches(e.Name()) {
			names = append(names, e)
		}
	}
	if len(names) > maxFiles {
		return nil, errTooMany
	}
	return names, nil
}

var (
	errNotFolder = errors.New("it is not a folder")
	errTooMany   = errors.New("it holds too many files")
)

// matches says whether a file in the folder is meant. Hidden ones are not: editors
// leave such behind.
func (t *Target) matches(base string) bool {
	ok, err := filepath.Match(t.Pattern, base)
	return ok && err == nil && !strings.HasPrefix(base, ".")
}

// subjects lists the files and folders that an event is about; all says that it may be
// any of them.
func (s *survey) subjects(event string) (about []subject, all bool) {
	about = s.entries[event]
	base := filepath.Base(event)
	for _, t := range s.inside[filepath.Dir(event)] {
		if name := filepath.Join(t.Path, base); t.matches(base) {
			if first := s.files[name]; first != nil {
				t = first
			}
			about = append(about[:len(about):len(about)], subject{name, t})
		}
	}
	return about, s.dirs[event]
}
