package file

import (
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// place is where a sink shows its records: a file, or the parts of a rolling
// sink, and beside it the hidden folder of what is not shown yet. Its methods may
// be called again after any of them was cut off, also by another process.
type place struct {
	path string // without links; may have partMark
	perm fs.FileMode
	disk *disk
}

func (l *place) rolling() bool { return strings.Contains(filepath.Base(l.path), partMark) }

// hidden returns the path of the hidden folder.
func (l *place) hidden() string {
	dir, base := filepath.Split(l.path)
	return filepath.Join(dir, "."+strings.Replace(base, partMark, "part", 1)+".wasmill")
}

// file returns the path of a file in the hidden folder.
func (l *place) file(name string) string { return filepath.Join(l.hidden(), name) }

// named returns the path under which a part is shown.
func (l *place) named(p part) string {
	if p.Name == "" {
		return l.path
	}
	return filepath.Join(filepath.Dir(l.path), p.Name)
}

// show shows the parts of a commit in order, apart from one that is open.
func (l *place) show(parts []part) error {
	if len(parts) == 0 {
		return nil
	}
	for _, p := range parts {
		if p.Open {
			continue
		}
		hidden, err := os.Open(l.file(p.File))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = l.shown(p)
		case err != nil:
			err = l.fault("a part cannot be read", err)
		case p.Name != "" || p.Replace:
			err = l.rename(hidden, p)
		default:
			err = l.extend(hidden, p)
		}
		if hidden != nil {
			hidden.Close()
		}
		if err != nil {
			return err
		}
	}
	if err := whole.Sync(filepath.Dir(l.path)); err != nil {
		return l.fault("the folder cannot be written", err)
	}
	return nil
}

// shown makes sure that a part that is not hidden any more was shown. A reader
// may have taken a file of its own away by now.
func (l *place) shown(p part) error {
	f, err := os.Open(l.named(p))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(l.hidden()); p.Name != "" && err == nil {
			return nil
		}
		return l.changed("the file is gone, and with it what was written to it")
	}
	if err != nil {
		return l.fault("the file cannot be read", err)
	}
	defer f.Close()
	same, err := holds(f, p)
	if err != nil {
		return l.fault("the file cannot be read", err)
	}
	if !same {
		return l.changed("the file does not hold what was written to it")
	}
	return nil
}

// rename gives a part its name, or that of the single file.
func (l *place) rename(hidden *os.File, p part) error {
	if err := l.whole(hidden, p); err != nil {
		return err
	}
	old, err := os.Stat(l.named(p))
	if err == nil && p.Name != "" {
		return l.changed("a file that is to be written, " + p.Name + ", is there already")
	}
	if err == nil {
		err = hidden.Chmod(old.Mode().Perm())
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = l.disk.at("commit: rename")
	}
	if err == nil {
		if err = os.Rename(hidden.Name(), l.named(p)); errors.Is(err, fs.ErrNotExist) { // another process may have shown it meanwhile
			return l.shown(p)
		}
	}
	if err == nil {
		err = l.disk.at("commit: renamed")
	}
	if err != nil {
		return l.fault("a part cannot be shown", err)
	}
	return nil
}

// extend adds a part to the single file. What is there of it from a time before
// is written over with the same bytes, so a reader never sees the file shrink.
func (l *place) extend(hidden *os.File, p part) error {
	if err := l.whole(hidden, p); err != nil {
		return err
	}
	flags := os.O_RDWR
	if p.Base == 0 {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(l.path, flags, l.perm)
	if errors.Is(err, fs.ErrNotExist) {
		return l.changed("the file is gone, and with it what was written to it")
	}
	if err != nil {
		return l.fault("the file cannot be written", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return l.fault("the file cannot be written", err)
	}
	size := info.Size()
	if size < p.Base {
		return l.changed("the file is shorter than what was written to it")
	}
	same, err := holds(f, p)
	if err == nil && !same {
		same, err = resembles(f, hidden, p, size)
	}
	if err != nil {
		return l.fault("the file cannot be read", err)
	}
	if !same {
		return l.changed("somebody else has written to the file")
	}
	if err = l.copy(f, hidden, p); err != nil {
		f.Truncate(size)
	} else {
		err = l.disk.sync(f, "commit: sync")
	}
	if err == nil && p.Base == 0 {
		err = whole.Sync(filepath.Dir(l.path))
	}
	if err == nil {
		err = l.disk.at("commit: remove")
	}
	if err == nil {
		if err = os.Remove(hidden.Name()); errors.Is(err, fs.ErrNotExist) { // another process has shown it meanwhile
			err = nil
		}
	}
	if err != nil {
		return l.fault("the file cannot be written", err)
	}
	return nil
}

func (l *place) copy(f, hidden *os.File, p part) error {
	buf := make([]byte, 128<<10)
	for off := int64(0); off < p.Len; {
		n, err := hidden.ReadAt(buf[:min(int64(len(buf)), p.Len-off)], off)
		if n == 0 {
			return err
		}
		if err := l.disk.at("commit: copy"); err != nil {
			return err
		}
		if err := l.disk.writeAt(f, buf[:n], p.Base+off); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// whole makes sure that a hidden file is what was prepared.
func (l *place) whole(hidden *os.File, p part) error {
	p.Base = 0
	if same, err := holds(hidden, p); err != nil {
		return l.fault("a part cannot be read", err)
	} else if info, err := hidden.Stat(); err != nil || !same || info.Size() != p.Len {
		return l.changed("the hidden file " + p.File + " is damaged")
	}
	return nil
}

// holds says whether a file has the content of a part at its place.
func holds(f *os.File, p part) (bool, error) {
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, io.NewSectionReader(f, p.Base, p.Len))
	return n == p.Len && sum.Sum32() == p.Sum, err
}

// resembles says whether what a file of a size has from the base of a part on can
// be left from writing that part: its first bytes, or zeros that came of a lost
// write.
func resembles(f, hidden *os.File, p part, size int64) (bool, error) {
	if size > p.Base+p.Len {
		return false, nil
	}
	var there, want [4096]byte
	for off := int64(0); p.Base+off < size; off += int64(len(there)) {
		n := min(int64(len(there)), size-p.Base-off)
		if _, err := f.ReadAt(there[:n], p.Base+off); err != nil {
			return false, err
		}
		if _, err := hidden.ReadAt(want[:n], off); err != nil {
			return false, err
		}
		for i := range n {
			if there[i] != want[i] && there[i] != 0 {
				return false, nil
			}
		}
	}
	return true, nil
}

func (l *place) fault(why string, err error) error { return writeError(l.path, why, err) }

func (l *place) changed(why string) error {
	return &stream.Error{
		Code:  stream.OutputFile,
		Where: l.path,
		Why:   why,
		Fix:   "put the file back as it was, or make a fresh start; with checkpoints nobody else may write here",
	}
}
