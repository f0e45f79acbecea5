package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/connector/internal/lines"
	"github.com/wasmill/wasmill/host/stream"
)

// sequence reads files one after the other, each to its end.
type sequence struct {
	cfg    SourceConfig
	notice func(string)
	split  *lines.Splitter

	files   []string // not begun
	in      *input   // nil between files
	rotated bool     // in has another name by now, and its path another file
	ended   bool     // in was read to its end
	last    mark     // where the last record ended
	header  []byte   // of the record being made, reused
}

func (q *sequence) open(after *position) error {
	if after == nil {
		names, err := findChecked(q.cfg.Path)
		if err != nil {
			return err
		}
		q.files, q.last = names, mark{Path: names[0]}
		return nil
	}
	names, err := find(q.cfg.Path)
	if err != nil {
		return err
	}
	q.last = after.mark
	if after.Done {
		err = q.grown(after.mark)
	} else {
		err = q.resume(after.mark)
	}
	if err != nil {
		return err
	}
	q.files = slices.DeleteFunc(names, func(name string) bool {
		return name < after.Path || name == after.Path && !q.rotated || q.rotated && q.isOpen(name)
	})
	for _, name := range q.files {
		if err := check(name); err != nil {
			return err
		}
	}
	return nil
}

func (q *sequence) resume(m mark) error {
	var err error
	q.in, q.rotated, err = reopen(m)
	if errors.Is(err, fs.ErrNotExist) {
		return changedError(m.Path, "the file is gone, and was not read to its end")
	}
	if q.rotated && err == nil {
		q.notice(m.Path + " was rotated: the old file is finished first")
	}
	return err
}

// grown goes on with a file that was read to its end, if lines were added to it since.
func (q *sequence) grown(m mark) error {
	if q.cfg.Mode == ModeWhole || compression(m.Path) != plain {
		return nil
	}
	in, err := openAt(m.Path, m)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it is done
	case err != nil:
		return err
	case in == nil:
		q.notice(m.Path + " is another file than the one that was read: it is not read, unless by a fresh start")
		return nil
	}
	more := in.info.Size() > m.Offset
	if whole := len(in.window) == 0 || in.window[len(in.window)-1] == '\n'; more && whole {
		q.in, q.last.Done = in, false
		return nil
	} else if more {
		q.notice(m.Path + " has grown behind its last line, which had no end: what was added is not read, unless by a fresh start")
	}
	in.Close()
	return nil
}

// isOpen says whether a name stands for the file that is being read.
func (q *sequence) isOpen(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return false
	}
	dev, ino := identify(info)
	return dev == q.in.Dev && ino == q.in.Ino
}

func (q *sequence) read(ctx context.Context, b *stream.Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if q.in == nil {
			if len(q.files) == 0 {
				return io.EOF
			}
			if err := q.begin(); err != nil {
				return err
			}
		}
		take := q.readLines
		if q.cfg.Mode == ModeWhole {
			take = q.readWhole
		}
		if err := take(b, time.Now().UnixNano()); err != nil {
			return err
		}
		if b.Len() > 0 {
			q.last = q.in.mark
			return nil
		}
		if q.ended {
			q.finish()
		}
	}
}

// begin opens the next file.
func (q *sequence) begin() error {
	name := q.files[0]
	in, err := openInput(name, name, compression(name))
	if err != nil {
		return personal(name, err)
	}
	q.files, q.in = q.files[1:], in
	return nil
}

// finish closes the current file. A rotated one is not called done, because its
// path stands for the next file by now.
func (q *sequence) finish() {
	if !q.rotated {
		q.last = q.in.mark
		q.last.Done = true
	}
	q.in.Close()
	q.in, q.rotated, q.ended = nil, false, false
	q.split.Reset()
}

// readLines takes the lines at hand; it reads on only if there are none. None
// taken and ended means that none are left.
func (q *sequence) readLines(b *stream.Batch, now int64) error {
	cut, err := q.split.Cut(b, now)
	if err == nil && len(cut) == 0 && q.ended {
		cut, err = q.split.Last(b, now)
	}
	if err != nil {
		return tooLargeError(at(q.in.Path, q.in.Line+1), "line", q.cfg.MaxRecordBytes)
	}
	if len(cut) > 0 || q.ended {
		q.in.advance(cut, b.Len())
		return nil
	}
	n, err := q.in.content.Read(q.split.Space())
	q.split.Filled(n)
	if err == io.EOF {
		q.ended = true
		return q.readLines(b, now)
	}
	if err != nil && n == 0 {
		return q.in.readError(err)
	}
	return nil
}

// readWhole takes the whole file as one record.
func (q *sequence) readWhole(b *stream.Batch, now int64) error {
	if q.ended || q.in.Done {
		q.ended = true
		return nil
	}
	limit := q.cfg.MaxRecordBytes
	expected := int(min(q.in.info.Size(), int64(limit))) + 1 // the last read finds the end
	for {
		size := b.Bytes()
		if size > limit {
			b.Reset()
			return tooLargeError(q.in.Path, "file", limit)
		}
		n, err := q.in.content.Read(b.Reserve(min(max(expected-size, 512), limit+1-size)))
		b.Commit(n)
		if err == io.EOF {
			break
		}
		if err != nil && n == 0 {
			b.Reset()
			return q.in.readError(err)
		}
	}
	q.in.advance(b.Arena(), 0)
	q.in.Done = true
	value := stream.Span{Len: uint32(b.Bytes())}
	q.header = abi.AppendHeader(q.header[:0], "path", []byte(q.in.Path))
	b.Records = append(b.Records, stream.Record{Time: now, Value: value, Headers: b.Store(q.header)})
	return nil
}

func (q *sequence) appendPosition(dst []byte) []byte { return appendPosition(dst, &q.last, nil) }

func (q *sequence) close() {
	if q.in != nil {
		q.in.Close()
	}
}
