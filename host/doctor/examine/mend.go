package examine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/stream"
)

// settled is how long what is half made has to be left alone before it is removed.
const settled = time.Hour

// Mend does what a finding proposes, if all is still as when it was found.
func Mend(r doctor.Repair) error {
	err := mend(r)
	if err == nil {
		return nil
	}
	return &stream.Error{Code: stream.Environment, Where: r.Path, Why: "cannot " + string(r.Action) + " it", Err: errors.New(cause(err)), Fix: "do it as a user who may"}
}

func mend(r doctor.Repair) error {
	info, err := os.Lstat(r.Path)
	switch r.Action {
	case doctor.Make:
		return os.MkdirAll(r.Path, r.Mode)
	case doctor.Chmod:
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New("it is no file")
		}
		if err != nil {
			return err
		}
		return os.Chmod(r.Path, r.Mode)
	case doctor.Unlink:
		if held, why := socketHeldBy(r.Path); held != doctor.Stale {
			return fmt.Errorf("it is in use: %s", why)
		}
		return os.Remove(r.Path)
	case doctor.Remove:
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !isHalf(filepath.Base(r.Path)) || time.Since(info.ModTime()) < settled:
			return errors.New("it is in use")
		}
		return os.RemoveAll(r.Path)
	}
	panic("BUG: doctor: there is no repair " + string(r.Action))
}
