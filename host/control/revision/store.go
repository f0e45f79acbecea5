package revision

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Store is the revisions of a pipeline in a folder. Its methods may be called by any
// goroutines, of any processes.
type Store struct {
	dir  string
	keep int
}

// NewStore returns the store in a folder, which Add makes. keep is how many revisions
// stay, at least 1.
func NewStore(dir string, keep int) *Store { return &Store{dir, keep} }

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// Add keeps a revision under the next number, which it returns, and lets go of those that
// are too many. It stands for the newest one if that has the same content: a plugin was
// another one, say, and configs are what is kept. least is the lowest number that it may get; 0 = any. An error with a number
// is about the letting go.
func (s *Store) Add(r Revision, least Number) (Number, error) {
	if len(r.Content) > maxContent {
		return 0, fmt.Errorf("the content has %d bytes, which no config has", len(r.Content))
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return 0, s.fault(err)
	}
	all, err := s.numbers()
	if err != nil {
		return 0, err
	}
	r.Number = max(least, 1)
	before := Number(0) // with the same content
	if len(all) > 0 {
		last := all[len(all)-1]
		r.Number = max(r.Number, last+1)
		if same, err := s.Read(last); err == nil && bytes.Equal(same.Content, r.Content) {
			before = last
		}
	}
	for {
		err := whole.Create(filepath.Join(s.dir, nameOf(r.Number)), encode(r), 0o600)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return 0, s.fault(err)
		}
		r.Number++ // another process has taken it
	}
	if before > 0 {
		if err := os.Remove(filepath.Join(s.dir, nameOf(before))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r.Number, s.fault(err)
		}
	}
	return r.Number, s.sweep()
}

// sweep removes what is too much, and what writers that are gone have left.
func (s *Store) sweep() error {
	all, err := s.numbers()
	if err != nil {
		return err
	}
	readable := func(n Number) bool { _, err := s.Read(n); return err == nil }
	for _, n := range surplus(all, readable, s.keep) {
		if err := os.Remove(filepath.Join(s.dir, nameOf(n))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.fault(err)
		}
	}
	if err := whole.Sweep(s.dir); err != nil {
		return s.fault(err)
	}
	return nil
}

// numbers lists the revisions that there are, whatever is in them, in their order. None
// is no error.
func (s *Store) numbers() ([]Number, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.fault(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return numbersOf(names), nil
}

// Read returns a revision with its content.
func (s *Store) Read(n Number) (Revision, error) {
	name := filepath.Join(s.dir, nameOf(n))
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Revision{}, &stream.Error{Code: stream.RevisionUnknown, Where: name, Why: fmt.Sprintf("there is no revision %d", n), Fix: "wasmill revisions PIPELINE lists those that are kept"}
	}
	if err != nil {
		return Revision{}, s.fault(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxHead+maxContent+1))
	if err != nil {
		return Revision{}, s.fault(err)
	}
	r, err := decode(data)
	if err == nil && r.Number != n {
		err = fmt.Errorf("it says that it is revision %d", r.Number)
	}
	if err != nil {
		return Revision{}, &stream.Error{Code: stream.RevisionDamaged, Where: name, Why: "the file is damaged: " + err.Error(), Fix: "take another revision, and delete this file"}
	}
	return r, nil
}

// Newest returns the revision with the highest number. ok is false if there is none, or
// that one cannot be read, when err says why.
func (s *Store) Newest() (r Revision, ok bool, err error) {
	all, err := s.numbers()
	if err != nil || len(all) == 0 {
		return r, false, err
	}
	r, err = s.Read(all[len(all)-1])
	return r, err == nil, err
}

// List returns the revisions that can be read, the newest first, with their contents.
// damaged are those that cannot, an error each; err is why there is no list.
func (s *Store) List() (all []Revision, damaged []error, err error) {
	numbers, err := s.numbers()
	if err != nil {
		return nil, nil, err
	}
	for _, n := range slices.Backward(numbers) {
		switch r, err := s.Read(n); {
		case err == nil:
			all = append(all, r)
		case stream.CodeOf(err) != stream.RevisionUnknown: // else it went meanwhile
			damaged = append(damaged, err)
		}
	}
	return all, damaged, nil
}

// fault says that the disk does not do what it should.
func (s *Store) fault(err error) error {
	where := s.dir
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		where, err = cmp.Or(e.Path, where), e.Err
	}
	return &stream.Error{Code: stream.Environment, Where: where, Why: "revisions cannot be kept or read there", Fix: "check the disk and the rights of the folder, or set data.dir to another one", Err: err}
}
