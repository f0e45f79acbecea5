package instance

import (
	"os"
	"sync"
)

// maxLog is the size in bytes at which a log becomes the older one.
const maxLog = 10 << 20

// Log is the log of an instance, for one of its processes to write to. Lines go where the
// name of the file leads, so that all write to the same one; only the worker makes a file
// that is too large the older one, of which there is one.
type Log struct {
	name, older string
	most        int64 // bytes; 0 = another process looks after that
	standard    []int // descriptors that are to be the file, too

	mu   sync.Mutex // guards
	file *os.File
}

// Log opens the log. The worker's is also what its standard output and error are, so that
// what Go's runtime says at the end of the process is in the newest file.
func (i *Instance) Log() (*Log, error) { return openLog(i.path(logFile), i.path(olderLog), 0, nil) }

// Log is Instance.Log, of a worker.
func (w *Worker) Log() (*Log, error) {
	return openLog(w.path(logFile), w.path(olderLog), maxLog, []int{1, 2})
}

func openLog(name, older string, most int64, standard []int) (*Log, error) {
	l := &Log{name: name, older: older, most: most, standard: standard}
	return l, fault(l.open())
}

// open opens the file of that name in place of the one that there is.
func (l *Log) open() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		_ = l.file.Close() // nothing is buffered
	}
	l.file = f
	for _, to := range l.standard {
		_ = duplicate(int(f.Fd()), to) // else what it was before goes on
	}
	return nil
}

// Write implements io.Writer. It does not fail for want of a newer file.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ours, err := l.file.Stat()
	there, gone := os.Stat(l.name)
	switch {
	case err == nil && l.most > 0 && ours.Size() > 0 && ours.Size()+int64(len(line)) > l.most:
		if os.Rename(l.name, l.older) == nil {
			_ = l.open() // else the older one goes on
		}
	case gone != nil || !os.SameFile(ours, there):
		_ = l.open()
	}
	return l.file.Write(line)
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
