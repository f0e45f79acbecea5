package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// examine looks at a file. It reads it if it must, or if it is not as it was before.
func (t *Target) examine(ctx context.Context, name string, before sight, must bool) sight {
	info, err := os.Stat(name)
	switch {
	case missing(err):
		return sight{}
	case err == nil && !info.Mode().IsRegular():
		err = errNotRegular(info.Mode())
	case err == nil && !must && before.fresh(info):
		return before
	}
	if err != nil {
		return t.unreadable(name, err)
	}
	s, err := t.read(ctx, name)
	switch {
	case missing(err):
		return sight{}
	case err != nil:
		return t.unreadable(name, err)
	}
	return s.sharing(before)
}

// read returns the sight of a regular file.
func (t *Target) read(ctx context.Context, name string) (sight, error) {
	f, err := t.open(name)
	if err != nil {
		return sight{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return sight{}, err
	case !info.Mode().IsRegular():
		return sight{}, errNotRegular(info.Mode())
	case info.Size() > t.MaxBytes:
		return sight{}, errTooLarge
	}
	s := sight{state: Present, time: info.ModTime()}
	if err := t.digest(io.LimitReader(reader{ctx, f}, t.MaxBytes+1), &s); err != nil {
		return sight{}, err
	}
	after, err := f.Stat()
	if err != nil {
		return sight{}, err
	}
	s.torn = !same(info, after) || s.size != after.Size()
	return s.rested(after, time.Now()), nil
}

// digest reads all there is, and keeps it where the caller wants it.
func (t *Target) digest(r io.Reader, s *sight) (err error) {
	if !t.Large {
		s.data, err = io.ReadAll(r)
		s.size, s.hash = int64(len(s.data)), sha256.Sum256(s.data)
		return err
	}
	h := sha256.New()
	s.size, err = io.Copy(h, r)
	h.Sum(s.hash[:0])
	return err
}

// reader ends a long read when its context ends.
type reader struct {
	ctx context.Context
	f   *os.File
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.f.Read(p)
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

var errTooLarge = errors.New("it is too large")

// errNotRegular is a file of a mode that holds no content of its own.
type errNotRegular fs.FileMode

func (m errNotRegular) Error() string {
	switch m := fs.FileMode(m); {
	case m.IsDir():
		return "it is a folder"
	case m&fs.ModeNamedPipe != 0:
		return "it is a named pipe"
	case m&fs.ModeSocket != 0:
		return "it is a socket"
	}
	return "it is a device"
}

func (t *Target) unreadable(name string, err error) sight {
	return sight{state: Unreadable, err: t.fault(name, err)}
}

// fault says why a file or folder is of no use, in words that stay the same as long as
// the reason does.
func (t *Target) fault(name string, err error) *stream.Error {
	code := stream.ConfigFile
	if t.Large {
		code = stream.PluginFile
	}
	e := &stream.Error{Code: code, Where: name, Fix: "check the disk or the share it is on"}
	var irregular errNotRegular
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Why, e.Fix = stream.Environment, "this user may not read it", "give the user that runs wasmill the right to read it"
	case errors.Is(err, errTooLarge):
		e.Why, e.Fix = fmt.Sprintf("it has more than the %d bytes that are allowed", t.MaxBytes), "check that this is the right file"
		if t.Large {
			e.Code = stream.PluginTooLarge
		}
	case errors.As(err, &irregular):
		e.Why, e.Fix = irregular.Error()+", not a regular file", "put the file itself there"
		if t.Large {
			e.Code = stream.PluginName
		}
	case errors.Is(err, errNotFolder):
		e.Why, e.Fix = "it is a file, not a folder", "name the folder that holds it"
	case errors.Is(err, errTooMany):
		e.Why, e.Fix = fmt.Sprintf("it holds more than %d files like %s", maxFiles, t.Pattern), "move those that are not used elsewhere"
	default:
		e.Why = "it cannot be read: " + cause(err)
	}
	return e
}

// cause is an error of package os without the operation and the path.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}
