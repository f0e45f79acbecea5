package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// unixPrefix is before the path of a socket, instead of a host and a port.
const unixPrefix = "unix:"

// listen listens on the loopback interface, or on a socket that only the user of this
// process can connect to.
func listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		return listenUnix(path)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return l, nil
	}
	return nil, errors.Join(&stream.Error{
		Code: stream.ConfigValue, Where: "admin.listen", Why: address + " is not a loopback address",
		Fix: "only loopback addresses are accepted, such as 127.0.0.1:7676",
	}, l.Close())
}

// socket is a listener at a path, which goes when it is closed.
type socket struct {
	net.Listener
	path string
	once sync.Once
	err  error
}

// listenUnix makes a socket. It is made in a folder of its own and moved to its place
// when its mode is right, so that at no time others can connect.
func listenUnix(path string) (net.Listener, error) {
	if err := vacate(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s") // mode 0700
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("listen %s: %w", path, p.Err) // not the name that was made up
	}
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	l, err := net.Listen("unix", made)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socket{Listener: l, path: path}, nil
}

// vacate makes sure that a path is free, or has a socket that a process has left which
// is gone.
func vacate(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("listen %s: there is something else", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("listen %s: another process listens there", path), c.Close())
	}
	return nil
}

// Close stops listening and removes the socket.
func (s *socket) Close() error {
	s.once.Do(func() {
		if s.err = os.Remove(s.path); errors.Is(s.err, os.ErrNotExist) {
			s.err = nil
		}
		s.err = errors.Join(s.err, s.Listener.Close())
	})
	return s.err
}
