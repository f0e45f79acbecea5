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

// owns says whether the folder for data is the instance's own.
func (i *Instance) owns() bool {
	owner, err := host.OwnerOf(i.Spec.Data)
	return err == nil && owner == i.Name
}

// empty removes what is in the folder for data, and then the folder if create has made it.
// The mark of whom it belongs to goes last, so that what was begun can go on.
func (i *Instance) empty() error {
	entries, err := os.ReadDir(i.Spec.Data)
	if err != nil {
		return fault(err)
	}
	for _, e := range entries {
		if e.Name() != host.OwnerFile {
			if err := os.RemoveAll(filepath.Join(i.Spec.Data, e.Name())); err != nil {
				return fault(err)
			}
		}
	}
	i.home.at("data emptied")
	if err := host.DisownData(i.Spec.Data, i.Name); err != nil || !i.Spec.MadeData {
		return err
	}
	return fault(os.Remove(i.Spec.Data))
}
