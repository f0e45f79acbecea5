package instance

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// usable makes sure that a folder for data that was asked for is new or empty. made says
// that there is none yet.
func usable(dir string) (made bool, err error) {
	const fix = "name a new or an empty folder with --data-dir"
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, &stream.Error{Code: stream.DataOwned, Where: dir, Why: "it cannot be a folder for data", Err: err, Fix: fix}
	}
	if len(entries) > 0 {
		why := "the folder is not empty"
		if owner, err := host.OwnerOf(dir); err == nil && owner != "" {
			why = "the folder belongs to instance " + owner
		}
		return false, &stream.Error{Code: stream.DataOwned, Where: dir, Why: why, Fix: fix}
	}
	return false, nil
}

// below says whether a path is a folder or leads into it. Both are whole.
func below(path, dir string) bool {
	to, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(to)
}

// owns says whether the folder for data is the instance's own.
func (i *Instance) owns() bool {
	owner, err := host.OwnerOf(i.Spec.Data)
	return err == nil && owner == i.Name
}

// empty removes what wasmill has put into the folder for data, and then the folder if create
// has made it and nothing else is in it. One in the instance's own folder has nothing else,
// and goes whole. The mark of whom it belongs to goes last, so that what was begun can go on.
func (i *Instance) empty() (r Removed, err error) {
	r = Removed{What: "data", Where: i.Spec.Data}
	entries, err := os.ReadDir(i.Spec.Data)
	if err != nil {
		return r, fault(err)
	}
	for _, e := range entries {
		path := filepath.Join(i.Spec.Data, e.Name())
		if i.Spec.Custom && !host.OwnEntry(e.Name()) {
			r.Left++
			continue
		}
		r.Bytes += sizeOf(path)
		if e.Name() != host.OwnerFile {
			if err := os.RemoveAll(path); err != nil {
				return r, fault(err)
			}
		}
	}
	i.home.at("data emptied")
	if err := host.DisownData(i.Spec.Data, i.Name); err != nil || !i.Spec.MadeData || r.Left > 0 {
		return r, err
	}
	return r, fault(os.Remove(i.Spec.Data))
}
