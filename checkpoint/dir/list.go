package dir

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/checkpoint"
)

// List walks the folders. It reads one folder at a time, when it comes to it.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[checkpoint.Object, error] {
	return func(yield func(checkpoint.Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(checkpoint.Object{}, err)
			return
		}
		folder := "."
		if cut := strings.LastIndexByte(prefix, '/'); cut >= 0 {
			folder = prefix[:cut]
			if checkpoint.CheckName(folder) != nil {
				return // no object has such a name
			}
		}
		w := walk{s: s, ctx: ctx, prefix: prefix, yield: yield}
		w.folder(folder)
	}
}

// walk is one listing.
type walk struct {
	s      *Store
	ctx    context.Context
	prefix string
	yield  func(checkpoint.Object, error) bool
}

// folder yields what is in a folder and below, and reports whether to go on.
func (w *walk) folder(folder string) bool {
	read := make(chan []fs.FileInfo, 1)
	err := w.s.do(w.ctx, func() error {
		entries, err := w.s.entries(filepath.FromSlash(folder))
		read <- entries
		return err
	})
	switch {
	case missing(err) && folder != ".":
		return true // never there, or gone with its last object
	case err != nil:
		return w.fail("list "+folder, err)
	}
	for _, e := range inOrder(<-read) {
		name := path.Join(folder, e.Name())
		if checkpoint.CheckName(name) != nil {
			continue // of somebody else, or temps
		}
		if e.IsDir() {
			if below := name + "/"; strings.HasPrefix(below, w.prefix) || strings.HasPrefix(w.prefix, below) {
				if !w.folder(name) {
					return false
				}
			}
			continue
		}
		if !strings.HasPrefix(name, w.prefix) || !e.Mode().IsRegular() {
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return w.fail("", err)
		}
		if !w.yield(checkpoint.Object{Name: name, Bytes: e.Size(), Changed: e.ModTime()}, nil) {
			return false
		}
	}
	return true
}

func (w *walk) fail(doing string, err error) bool {
	w.yield(checkpoint.Object{}, w.s.explain(doing, err))
	return false
}

// inOrder sorts the entries of a folder so that a walk meets the full names of
// objects in the order of their bytes: a folder's begin with its own and a "/",
// which is after "-" and "." and before digits and letters.
func inOrder(entries []fs.FileInfo) []fs.FileInfo {
	key := func(e fs.FileInfo) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int { return cmp.Compare(key(a), key(b)) })
	return entries
}

// entries reads a folder. What goes meanwhile may be missing.
func (s *Store) entries(folder string) ([]fs.FileInfo, error) {
	f, err := s.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdir(-1)
}
