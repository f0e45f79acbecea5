package dir

import (
	"context"
	"errors"
	"io/fs"
	"strconv"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

var (
	errNotFolder = errors.New("there is a file in the place of a folder")
	errTooLong   = errors.New("the file has more than " + strconv.Itoa(checkpoint.MaxObject) + " bytes, so it is no object")
)

// linkError says that a file cannot have a second name.
type linkError struct{ err error }

func (e *linkError) Error() string { return e.err.Error() }
func (e *linkError) Unwrap() error { return e.err }

// explain makes an error of the file system one that a person can act on.
func (s *Store) explain(doing string, err error) error { return explain(s.path, doing, err) }

func explain(folder, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, fs.ErrClosed):
		return err
	}
	e := &stream.Error{Code: stream.StoreUnavailable, Where: folder, Why: "cannot " + doing, Err: err}
	var link *linkError
	switch {
	case isReadOnly(err):
		e.Code, e.Fix = stream.StoreDenied, "mount the file system for writing, or choose another folder with checkpoint.storage"
	case isFull(err):
		e.Fix = "free space or raise the quota where the folder is; fewer checkpoints are kept with a smaller checkpoint.retain"
	case errors.As(err, &link):
		e.Code, e.Fix = stream.StoreNotAtomic, "choose a folder on a file system with hard links (not FAT, and not every network share): without them two processes could continue one pipeline at once"
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Fix = stream.StoreDenied, "let the user that runs wasmill read and write the folder and everything in it: chown -R <user> "+folder
	case errors.Is(err, fs.ErrExist):
		return checkpoint.ErrExists
	case errors.Is(err, errNotFolder), isNotFolder(err), isFolder(err):
		e.Code, e.Fix = stream.StoreMisconfigured, "a file stands where a folder has to be, or the other way round: choose a folder of its own with checkpoint.storage"
	case errors.Is(err, fs.ErrNotExist):
		e.Fix = "the folder was removed or its file system is no longer mounted: bring it back and start again"
	default:
		e.Fix = "look into the log of the machine (dmesg) for errors of the disk or of the network file system"
	}
	return e
}
