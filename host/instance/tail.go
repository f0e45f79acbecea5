package instance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// tailEvery is the time between two looks for more lines.
const tailEvery = 100 * time.Millisecond

// maxLine is where a line is cut that is longer, in bytes.
const maxLine = 1 << 20

// Tail gives the last lines of the log, all if lines is negative, without their line feeds, and with follow those that
// come, until ctx ends or the instance is deleted. It holds nobody up.
func (i *Instance) Tail(ctx context.Context, lines int, follow bool, give func(line []byte) error) error {
	f, err := os.Open(i.path(logFile))
	if errors.Is(err, fs.ErrNotExist) && !follow {
		return nil // nothing has run
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault(err)
	}
	t := &tail{give: give, file: f}
	defer func() { t.close() }()
	if err := t.last(i.path(olderLog), lines); err != nil {
		return fault(err)
	}
	for follow && pause(ctx, tailEvery) {
		if err := t.more(i.path(logFile)); err != nil {
			return fault(err)
		}
		if _, err := os.Stat(i.path(specFile)); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return nil
}

// tail reads a log.
type tail struct {
	give func([]byte) error
	file *os.File // nil = there is none yet
	rest []byte   // of a line that has not ended
}

// last gives the last lines of two files, the older one first, and what of the file has been
// written so far is read.
func (t *tail) last(older string, lines int) error {
	var all [][]byte
	keep := func(line []byte) error {
		if all = append(all, bytes.Clone(line)); lines >= 0 && len(all) > lines {
			all = all[1:]
		}
		return nil
	}
	if f, err := os.Open(older); err == nil {
		before := &tail{give: keep, file: f}
		err := before.read()
		if before.close(); err != nil {
			return err
		}
	}
	give := t.give
	t.give = keep
	err := t.read()
	t.give = give
	for _, line := range all {
		if err == nil {
			err = give(line)
		}
	}
	return err
}

// more gives what has come, also in a file that has taken the place of the one before.
func (t *tail) more(name string) error {
	there, err := os.Stat(name)
	if err != nil {
		return nil // it comes, or the instance goes
	}
	if err := t.read(); err != nil {
		return err
	}
	if t.file != nil {
		if ours, err := t.file.Stat(); err == nil && os.SameFile(ours, there) {
			return nil
		}
		if err := t.read(); err != nil { // what came before it was moved
			return err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil // as above
	}
	t.close()
	t.file = f
	return t.read()
}

// read gives the lines up to the end of the file.
func (t *tail) read() error {
	if t.file == nil {
		return nil
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := t.file.Read(buffer)
		t.rest = append(t.rest, buffer[:n]...)
		for {
			line, rest, ok := bytes.Cut(t.rest, []byte("\n"))
			if !ok && len(t.rest) > maxLine {
				line, rest, ok = t.rest[:maxLine], t.rest[maxLine:], true
			}
			if !ok {
				break
			}
			if err := t.give(line); err != nil {
				return err
			}
			t.rest = rest
		}
		if errors.Is(err, io.EOF) {
			t.rest = bytes.Clone(t.rest)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tail) close() {
	if t.file != nil {
		t.file.Close()
	}
}
