package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// marker is a file in data.dir that names the instance it belongs to.
const marker = "instance"

// usable makes sure that a folder for data that was asked for is new or empty. made says
// that there is none yet.
func usable(dir string) (made bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, &stream.Error{Code: stream.InstanceData, Where: dir, Why: "it cannot be a folder for data", Err: err, Fix: "name a new or an empty folder with --data-dir"}
	}
	if len(entries) > 0 {
		why := "the folder is not empty"
		if owner, err := os.ReadFile(filepath.Join(dir, marker)); err == nil {
			why = "the folder belongs to the instance " + strings.TrimSpace(string(owner))
		}
		return false, &stream.Error{Code: stream.InstanceData, Where: dir, Why: why, Fix: "name a new or an empty folder with --data-dir"}
	}
	return false, nil
}

// claim makes the folder for an instance's data its own. It may be called again.
func (i *Instance) claim() error {
	if err := os.MkdirAll(i.Spec.Data, 0o700); err != nil {
		return fault(err)
	}
	name := filepath.Join(i.Spec.Data, marker)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if owner, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(owner)) != i.dir {
			return &stream.Error{
				Code: stream.InstanceData, Where: i.Spec.Data, Why: fmt.Sprintf("the folder belongs to the instance %.300s", strings.TrimSpace(string(owner))),
				Fix: "delete this instance, and create it with another --data-dir",
			}
		}
		return nil
	}
	if err != nil {
		return fault(err)
	}
	_, err = f.WriteString(i.dir + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fault(errors.Join(err, os.Remove(name)))
	}
	return fault(syncFolder(i.Spec.Data))
}

// owns says whether the folder for data is the instance's own.
func (i *Instance) owns() bool {
	owner, err := os.ReadFile(filepath.Join(i.Spec.Data, marker))
	return err == nil && strings.TrimSpace(string(owner)) == i.dir
}

// unclaim removes the folder, or what is in it if it was there before. What is not the
// instance's own is left alone. The marker goes last.
func (i *Instance) unclaim() error {
	if !i.owns() {
		return nil
	}
	entries, err := os.ReadDir(i.Spec.Data)
	if err != nil {
		return fault(err)
	}
	for _, e := range entries {
		if e.Name() != marker {
			if err := os.RemoveAll(filepath.Join(i.Spec.Data, e.Name())); err != nil {
				return fault(err)
			}
		}
	}
	if !i.Spec.MadeData {
		return fault(os.Remove(filepath.Join(i.Spec.Data, marker)))
	}
	return fault(os.RemoveAll(i.Spec.Data))
}
