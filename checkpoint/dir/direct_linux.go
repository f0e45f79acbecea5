package dir

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// What is written past the kernel's cache is as large, and begins where a page does, in
// memory and in the file.
const (
	direct = 1 << 20
	page   = 1 << 12
)

// write writes a file from its beginning. Large data goes to the disk past the cache,
// where the file system can: to copy it there costs more than all else, for bytes that
// nobody reads soon.
func write(f *os.File, data []byte) error {
	if uintptr(unsafe.Pointer(unsafe.SliceData(data)))%page == 0 && len(data) >= direct && flag(f, syscall.O_DIRECT) == nil {
		n, err := f.Write(data[:len(data)/page*page])
		if err != nil && !errors.Is(err, syscall.EINVAL) {
			return err
		}
		data = data[n:]
		if err := flag(f, 0); err != nil {
			return err
		}
	}
	_, err := f.Write(data)
	return err
}

// flag sets the flags of a file.
func flag(f *os.File, flags uintptr) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = c.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETFL, flags) })
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}
