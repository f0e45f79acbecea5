package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host/whole"
)

// prepare makes the hidden folder.
func (l *place) prepare() error {
	err := os.Mkdir(l.hidden(), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = whole.Sync(filepath.Dir(l.path))
	}
	if err != nil {
		return l.fault("the folder "+l.hidden()+" cannot be created", err)
	}
	return nil
}

// sweep removes what is in the hidden folder, apart from one file.
func (l *place) sweep(keep string) error {
	return l.remove(l.hidden(), func(name string) bool { return name != keep && hiddenName.MatchString(name) })
}

// takeBack removes the parts that were shown after an epoch.
func (l *place) takeBack(after uint64) error {
	base := filepath.Base(l.path)
	return l.remove(filepath.Dir(l.path), func(name string) bool {
		epoch, ok := partEpoch(base, name)
		return ok && epoch > after
	})
}

func (l *place) remove(dir string, which func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if err == nil && entry.Type().IsRegular() && which(entry.Name()) {
			if err = l.disk.at("recover: remove"); err == nil {
				err = os.Remove(filepath.Join(dir, entry.Name()))
			}
		}
	}
	if err != nil {
		return l.fault("what is left of an earlier run cannot be removed", err)
	}
	return nil
}

// newest returns the last epoch in the names of parts that are shown.
func (l *place) newest() (uint64, error) {
	entries, err := os.ReadDir(filepath.Dir(l.path))
	if err != nil {
		return 0, l.fault("the folder cannot be read", err)
	}
	newest := uint64(0)
	for _, entry := range entries {
		if epoch, ok := partEpoch(filepath.Base(l.path), entry.Name()); ok {
			newest = max(newest, epoch)
		}
	}
	return newest, nil
}

// cut takes back what the single file got after a size.
func (l *place) cut(size int64) error {
	info, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && size == 0:
		return nil
	case err == nil && info.Size() == size:
		return nil
	case errors.Is(err, fs.ErrNotExist), err == nil && info.Size() < size:
		return l.changed("the file is shorter than what was written to it")
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err == nil {
		defer f.Close()
		err = l.disk.at("recover: cut")
	}
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return l.fault("the file cannot be cut back", err)
	}
	return nil
}

// reopen opens a part that goes on, as it was when it was prepared. One that was
// shown since, as it was, is at its end: the answer is nil. One that was shown
// with more is hidden again.
func (l *place) reopen(p part) (*os.File, error) {
	f, err := os.OpenFile(l.file(p.File), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		info, statErr := os.Stat(l.named(p))
		if errors.Is(statErr, fs.ErrNotExist) || statErr == nil && info.Size() == p.Len {
			return nil, l.shown(p)
		}
		if err = l.disk.at("recover: hide"); err == nil {
			err = os.Rename(l.named(p), l.file(p.File))
		}
		if err == nil {
			err = errors.Join(whole.Sync(l.hidden()), whole.Sync(filepath.Dir(l.path)))
		}
		if err == nil {
			f, err = os.OpenFile(l.file(p.File), os.O_RDWR, 0)
		}
	}
	if err != nil {
		return nil, l.fault("a part cannot be opened", err)
	}
	same, err := holds(f, p)
	if err == nil && !same {
		err = l.changed("the hidden file " + p.File + " is damaged")
	} else if err == nil {
		err = f.Truncate(p.Len)
	}
	if err != nil {
		f.Close()
		return nil, personalOutput(l.path, err)
	}
	return f, nil
}
