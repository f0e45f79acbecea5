//go:build linux && (amd64 || arm64)

package dir

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// queue asks the kernel for one operation at a time (io_submit(2)) and parks its
// goroutine until that has ended. A system call that waits for a disk keeps a
// processor of the scheduler for up to 10 ms instead, and with it whatever else
// would run there.
type queue struct {
	context uintptr // aio_context_t
	ended   *os.File
	request iocb
	list    [1]*iocb
	event   ioEvent
	counter [8]byte // of ended
}

// iocb is struct iocb of linux/aio_abi.h on a little-endian machine.
type iocb struct {
	_       uint64 // for the caller
	_       uint32
	_       uint32 // further flags
	opcode  uint16
	_       int16 // priority
	fd      uint32
	buf     uint64
	bytes   uint64
	offset  int64
	_       uint64
	flags   uint32
	eventFD uint32
}

// ioEvent is struct io_event.
type ioEvent struct {
	_, _   uint64 // what the request has, and its address
	result int64
	_      int64
}

const (
	opWrite    = 1 // IOCB_CMD_PWRITE
	opSync     = 2 // IOCB_CMD_FSYNC
	useEventFD = 1 // IOCB_FLAG_RESFD

	eventNonBlock = syscall.O_NONBLOCK
	eventCloExec  = syscall.O_CLOEXEC
)

// errNoQueue is of a system, or a file of it, that has no such operation.
var errNoQueue = errors.New("no asynchronous operations")

func newQueue() (*queue, error) {
	q := &queue{}
	if _, _, errno := syscall.Syscall(syscall.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&q.context)), 0); errno != 0 {
		return nil, errno
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, eventNonBlock|eventCloExec, 0)
	if errno != 0 {
		q.destroy()
		return nil, errno
	}
	q.ended = os.NewFile(fd, "eventfd")
	q.list[0] = &q.request
	return q, nil
}

func (q *queue) destroy() {
	syscall.Syscall(syscall.SYS_IO_DESTROY, q.context, 0, 0)
}

// close lets go of a queue that does nothing.
func (q *queue) close() {
	q.destroy()
	q.ended.Close()
}

// write writes data that lies in whole pages, at an offset that is one.
func (q *queue) write(f *os.File, data []byte, offset int64) error {
	for len(data) > 0 {
		n, err := q.do(f, opWrite, data, offset)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		data, offset = data[n:], offset+int64(n)
	}
	return nil
}

// sync makes what was written durable.
func (q *queue) sync(f *os.File) error {
	_, err := q.do(f, opSync, nil, 0)
	return err
}

// do runs an operation until its end: meanwhile the kernel reads data.
func (q *queue) do(f *os.File, opcode uint16, data []byte, offset int64) (int, error) {
	q.request = iocb{opcode: opcode, bytes: uint64(len(data)), flags: useEventFD, offset: offset}
	if len(data) > 0 {
		q.request.buf = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data))))
	}
	err := control(f, func(fd uintptr) error {
		q.request.fd = uint32(fd)
		return control(q.ended, q.submit)
	})
	if err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(q.ended, q.counter[:]); err != nil {
		panic("BUG: the memory of an operation that may go on is let go of: " + err.Error())
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_IO_GETEVENTS, q.context, 1, 1, uintptr(unsafe.Pointer(&q.event)), 0, 0)
	runtime.KeepAlive(data)
	switch {
	case errno != 0:
		return 0, errno
	case n != 1:
		return 0, io.ErrUnexpectedEOF
	case q.event.result == -int64(syscall.EINVAL) || q.event.result == -int64(syscall.EOPNOTSUPP):
		return 0, errNoQueue
	case q.event.result < 0:
		return 0, syscall.Errno(-q.event.result)
	}
	return int(q.event.result), nil
}

// submit begins the operation that q.request has.
func (q *queue) submit(ended uintptr) error {
	q.request.eventFD = uint32(ended)
	for {
		switch _, _, errno := syscall.Syscall(syscall.SYS_IO_SUBMIT, q.context, 1, uintptr(unsafe.Pointer(&q.list))); errno {
		case 0:
			return nil
		case syscall.EINTR:
		case syscall.EINVAL, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EAGAIN:
			return errNoQueue
		default:
			return errno
		}
	}
}
