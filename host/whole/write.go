package whole

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Replace writes a file, and takes the name from one that has it.
func Replace(name string, data []byte, mode fs.FileMode) error {
	return Fill(name, mode, content(data))
}

// Fill is Replace of what fill writes. If fill fails, that is the error, and the old file stays.
func Fill(name string, mode fs.FileMode, fill func(io.Writer) error) error {
	return durable().write(name, mode, fill, os.Rename)
}

// Create writes a file if nobody has the name; else the error is fs.ErrExist.
func Create(name string, data []byte, mode fs.FileMode) error {
	return durable().write(name, mode, content(data), os.Link) // a rename would take the name from another
}

// Show is Replace for what is of no use after a crash of the machine.
func Show(name string, data []byte, mode fs.FileMode) error {
	return fleeting().write(name, mode, content(data), os.Rename)
}

// Sync makes the names in a folder durable.
func Sync(folder string) error { return durable().keep(folder) }

func content(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// disk is how a file or a folder is made durable.
type disk struct{ sync func(*os.File) error }

func durable() disk { return disk{(*os.File).Sync} }

func fleeting() disk { return disk{func(*os.File) error { return nil }} }

// write has give give a file its name once all of it is on the disk.
func (d disk) write(name string, mode fs.FileMode, fill func(io.Writer) error, give func(from, to string) error) error {
	temp := filepath.Join(filepath.Dir(name), prefix+rand.Text())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return renamed(err, temp, name)
	}
	if err = fill(f); err == nil {
		err = errors.Join(f.Chmod(mode), d.sync(f))
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = give(temp, name)
	}
	if e := os.Remove(temp); !errors.Is(e, fs.ErrNotExist) { // after a rename it is not there
		err = errors.Join(err, e)
	}
	if err != nil {
		return renamed(err, temp, name)
	}
	return d.keep(filepath.Dir(name))
}

// keep is Sync.
func (d disk) keep(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = d.sync(f)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || runtime.GOOS == "windows" {
		err = nil // a file system that keeps names without being asked, or cannot be
	}
	return errors.Join(err, f.Close())
}

// renamed is an error of the file temp as one of the file name.
func renamed(err error, temp, name string) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok && p.Path == temp {
		return &fs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok && l.Old == temp {
		return &fs.PathError{Op: l.Op, Path: name, Err: l.Err}
	}
	return err
}
