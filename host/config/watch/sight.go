package watch

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"os"
	"time"
)

// coarse is how far the times of two changes may lie apart and look the same, on the
// coarsest file system there is: FAT has 2 s.
const coarse = 3 * time.Second

// sight is what one look found under a name. The zero sight is of nothing.
type sight struct {
	state State
	torn  bool // it changed while it was read
	data  []byte
	hash  Hash
	size  int64
	time  time.Time // of the last change, as the file says
	err   error
	info  fs.FileInfo // of what was read; nil = a later change may leave it the same
}

var hashOfNothing = Hash(sha256.Sum256(nil))

// doubtful says whether a file looks as one does in the middle of a save.
func (s sight) doubtful() bool { return s.state != Present || s.hash == hashOfNothing }

// differs says whether anything at all is otherwise than at the look before.
func (s sight) differs(before sight) bool {
	return s.size != before.size || !s.time.Equal(before.time) || s.news(before.file(File{}))
}

// news says whether people should hear of it who were told of f.
func (s sight) news(f File) bool { return !s.file(f).equal(f) }

// file is what to tell of a sight, after was.
func (s sight) file(was File) File {
	switch s.state {
	case Present:
		return File{State: Present, Data: s.data, Hash: s.hash, Size: s.size}
	case Unreadable:
		return File{State: Unreadable, Hash: was.Hash, Size: was.Size, Err: s.err}
	}
	return File{Hash: was.Hash, Size: was.Size}
}

// fresh says whether a file that now looks like this holds what was read from it.
func (s sight) fresh(now fs.FileInfo) bool {
	return s.state == Present && !s.torn && same(s.info, now)
}

// rested returns the sight of a file that was read at a time. One that was changed a
// moment ago may be changed once more and look the same.
func (s sight) rested(info fs.FileInfo, read time.Time) sight {
	if age := read.Sub(info.ModTime()); age < 0 || age >= coarse {
		s.info = info
	}
	return s
}

// sharing returns the sight with the bytes of one before, where they are the same.
func (s sight) sharing(before sight) sight {
	if bytes.Equal(s.data, before.data) {
		s.data = before.data
	}
	return s
}

// same says whether two looks found the same file, unchanged as far as they can tell.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
