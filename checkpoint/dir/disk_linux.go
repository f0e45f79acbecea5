//go:build linux && (amd64 || arm64)

package dir

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// What is written past the kernel's cache is as large, and begins where a page does, in
// memory and in the file.
const (
	direct = 1 << 20
	page   = 1 << 12
)

// disk writes files without holding a processor meanwhile, where the system can. Its
// zero value is ready.
type disk struct {
	mu   sync.Mutex // guards
	idle []*queue   // as many as were in use at once
	none bool       // the system has none, or the disk is closed
}

// write writes a file that is empty, and has it on the disk when it returns. Large
// data goes there past the cache, where the file system can: to copy it costs more
// than all else, for bytes that nobody reads soon.
func (d *disk) write(f *os.File, data []byte) error {
	n := 0
	if uintptr(unsafe.Pointer(unsafe.SliceData(data)))%page == 0 && len(data) >= direct && flag(f, syscall.O_DIRECT) == nil {
		err := reserve(f, len(data))
		if err == nil {
			n, err = d.writePages(f, data[:len(data)/page*page])
		}
		if err != nil {
			return err
		}
		if err := flag(f, 0); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(data[n:], int64(n)); err != nil {
		return err
	}
	return d.sync(f)
}

// writePages returns how much was written: nothing where the file system cannot.
func (d *disk) writePages(f *os.File, data []byte) (int, error) {
	err := errNoQueue
	if q := d.get(); q != nil {
		err = q.write(f, data, 0)
		d.put(q)
	}
	if errors.Is(err, errNoQueue) {
		_, err = f.WriteAt(data, 0)
	}
	switch {
	case errors.Is(err, syscall.EINVAL):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return len(data), nil
}

// sync makes a file, or the names in a folder, durable.
func (d *disk) sync(f *os.File) error {
	err := errNoQueue
	if q := d.get(); q != nil {
		err = q.sync(f)
		d.put(q)
	}
	if errors.Is(err, errNoQueue) {
		err = f.Sync()
	}
	return err
}

// get returns a queue that nobody else uses; nil: there is none to be had.
func (d *disk) get() *queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.none {
		return nil
	}
	if n := len(d.idle); n > 0 {
		q := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return q
	}
	q, err := newQueue()
	if err != nil {
		d.none = true
		return nil
	}
	return q
}

func (d *disk) put(q *queue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.none {
		q.close()
		return
	}
	d.idle = append(d.idle, q)
}

// close lets go of the queues: of one that is in use when that comes back.
func (d *disk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range d.idle {
		q.close()
	}
	d.idle, d.none = nil, true
}

// reserve gives a file its size, without which ext4 waits for what makes one longer.
func reserve(f *os.File, size int) error {
	return control(f, func(fd uintptr) error {
		err := syscall.Fallocate(int(fd), 0, 0, int64(size))
		if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EINTR) {
			err = nil
		}
		return err
	})
}

// flag sets the flags of a file.
func flag(f *os.File, flags uintptr) error {
	return control(f, func(fd uintptr) error {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETFL, flags); errno != 0 {
			return errno
		}
		return nil
	})
}

// control calls do with the number of a file.
func control(f *os.File, do func(fd uintptr) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if e := c.Control(func(fd uintptr) { err = do(fd) }); e != nil {
		return e
	}
	return err
}
