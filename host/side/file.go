package side

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// every is how often a file is looked at. A change is seen at the second look after it.
const every = 500 * time.Millisecond

// coarse is how far the times of two changes may lie apart and look the same, on the
// coarsest file system there is: FAT has 2 s.
const coarse = 3 * time.Second

// File is a file whose content is a value. One goroutine uses it.
type File struct {
	path   string
	max    int64
	set    func(value []byte)
	notice func(text string)

	value  []byte
	taken  fs.FileInfo // of the file as value was read; nil = it may have changed since, unseen
	seen   fs.FileInfo // at the last look; nil = it was not there
	failed bool
}

// NewFile returns a file of at most max bytes. set is called with each new content, which
// it owns; notice, which may be nil, with what goes wrong and is gone on from.
func NewFile(path string, max int64, set func(value []byte), notice func(text string)) *File {
	if notice == nil {
		notice = func(string) {}
	}
	return &File{path: path, max: max, set: set, notice: notice}
}

// Read hands the first content on, or says why it cannot.
func (f *File) Read() error {
	value, info, err := f.read()
	if err != nil {
		return err
	}
	f.take(value, info)
	f.set(value)
	return nil
}

// Run hands on each further content, until ctx ends.
func (f *File) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look()
		}
	}
}

// look takes the file if it is not as it was taken, but was like this at the last look.
func (f *File) look() {
	info, err := os.Stat(f.path)
	if err != nil {
		f.seen, f.taken = nil, nil
		f.fail(err)
		return
	}
	rests := same(f.seen, info)
	if f.seen = info; !rests || same(f.taken, info) {
		return
	}
	value, info, err := f.read()
	switch {
	case errors.Is(err, errChanging):
		return
	case err != nil:
		f.fail(err)
		return
	}
	if f.failed {
		f.failed = false
		f.notice(f.path + " can be read again")
	}
	changed := !bytes.Equal(value, f.value)
	if f.take(value, info); changed {
		f.set(value)
	}
}

// fail says what is wrong, once.
func (f *File) fail(err error) {
	if !f.failed {
		f.failed = true
		f.notice(fmt.Sprintf("%v; the last content stays", err))
	}
}

func (f *File) take(value []byte, info fs.FileInfo) {
	f.value, f.taken = value, info
	if age := time.Since(info.ModTime()); age >= 0 && age < coarse {
		f.taken = nil
	}
}

var errChanging = errors.New("the file is being written to")

// read returns all of the file.
func (f *File) read() ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(f.path) // before it is opened, which with a pipe may take for ever
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", f.path)
	}
	if info.Size() > f.max {
		return nil, nil, fmt.Errorf("%s has %d bytes, more than the %d of maxBytes", f.path, info.Size(), f.max)
	}
	return f.readAs(info)
}

// readAs returns all of a file that looked like this a moment ago, and still does.
func (f *File) readAs(info fs.FileInfo) ([]byte, fs.FileInfo, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	value, err := io.ReadAll(io.LimitReader(file, f.max+1))
	if err != nil {
		return nil, nil, err
	}
	after, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !same(info, after) || int64(len(value)) != after.Size() {
		return nil, nil, fmt.Errorf("%s: %w", f.path, errChanging)
	}
	return value, after, nil
}

// same says whether two looks found the same file, unchanged as far as they can tell.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
