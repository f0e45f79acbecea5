package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock is the right to an instance, or to be its worker. Of several processes that want it
// one gets it: flock decides, which the system takes back when the process is gone, however
// it went. What is written in the file is for those that look, who take no lock: by it they
// tell a live owner from one that is gone, and know whom to signal.
type lock struct{ file *os.File }

// errHeld says that another process has a lock.
var errHeld = errors.New("another process has it")

// lockBytes is the size of what is written: always as much, with one write, so that
// who reads meanwhile finds the old or the new.
const lockBytes = 256

// take takes the lock in a file for this process, or returns errHeld, or an error with
// fs.ErrNotExist below if the folder goes meanwhile.
func take(name string) (*lock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) // close-on-exec: children do not hold it
	if err != nil {
		return nil, err
	}
	return claim(f, name)
}

// claim is take of an open file. What has another file, or none, in its place by now is the lock
// of nothing: the instance was deleted, and there may be another one.
func claim(f *os.File, name string) (*lock, error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, &os.PathError{Op: "flock", Path: name, Err: err}
	}
	locked, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(name); err == nil && !os.SameFile(locked, there) {
			err = &os.PathError{Op: "lock", Path: name, Err: fs.ErrNotExist}
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &lock{f}
	text, err := json.Marshal(self())
	if err == nil {
		err = l.write(text)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

func (l *lock) write(text []byte) error {
	data := append(bytes.Clone(text), bytes.Repeat([]byte{' '}, lockBytes-len(text)-1)...)
	_, err := l.file.WriteAt(append(data, '\n'), 0)
	return err
}

// release gives the lock back.
func (l *lock) release() {
	_ = l.write(nil) // else the owner is found to be gone
	_ = l.file.Close()
}

// ownerOf returns who has the lock in a file, if that process is alive.
func ownerOf(name string) (Owner, bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Owner{}, false
	}
	var o Owner
	if json.Unmarshal(data, &o) != nil {
		return Owner{}, false
	}
	if !o.alive() || o.Start == "" && !held(name) {
		return Owner{}, false
	}
	return o, true
}

// held says whether some process has a lock, by trying. It is for systems that do not tell
// when a process began; who takes the lock meanwhile has to try again.
func held(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
