package file

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wasmill/wasmill/host/connector/internal/envelope"
	"github.com/wasmill/wasmill/host/stream"
)

// Sink writes the value of each record and a line end to a file, or all of the
// record as JSON. A value with line ends in it is written as it is, and reads back
// as several lines; in JSON it is one.
type Sink struct {
	cfg  SinkConfig
	line []byte        // scratch
	file *os.File      // nil while there is none at the path
	out  *bufio.Writer // nil until the first Write or Flush
}

// NewSink returns a sink with valid settings.
func NewSink(cfg SinkConfig) *Sink { return &Sink{cfg: cfg} }

// Open implements stream.Sink. It makes sure that the file can be written, but
// changes and creates nothing.
func (s *Sink) Open(context.Context) error {
	path := s.cfg.Path
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.probe()
	case err != nil:
		return s.fault("the file cannot be written", err)
	case info.IsDir():
		return &stream.Error{Code: stream.OutputFile, Where: path, Why: "this is a directory, not a file", Fix: "name a file in it, such as " + filepath.Join(path, "out.txt")}
	}
	if s.file, err = os.OpenFile(path, s.flags(), 0); err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// probe finds out whether a file can be created.
func (s *Sink) probe() error {
	dir := filepath.Dir(s.cfg.Path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return &stream.Error{Code: stream.OutputFile, Where: s.cfg.Path, Why: "the folder " + dir + " does not exist", Fix: "mkdir -p " + dir}
	}
	file, err := os.CreateTemp(dir, ".wasmill-*")
	if err != nil {
		return s.fault("no file can be created in "+dir, err)
	}
	file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return s.fault("no file can be removed in "+dir, err)
	}
	return nil
}

// begin creates or empties the file, once.
func (s *Sink) begin() error {
	if s.out != nil {
		return nil
	}
	if s.file == nil {
		perm, err := s.cfg.perm()
		if err == nil {
			s.file, err = os.OpenFile(s.cfg.Path, s.flags()|os.O_CREATE, os.FileMode(perm))
		}
		if err != nil {
			return s.fault("the file cannot be created", err)
		}
	}
	info, err := s.file.Stat()
	if err == nil && !s.cfg.Append && info.Mode().IsRegular() {
		err = s.file.Truncate(0)
	}
	if err != nil {
		return s.fault("the file cannot be emptied", err)
	}
	s.out = bufio.NewWriterSize(s.file, s.cfg.BufferBytes)
	return nil
}

// Write implements stream.Sink.
func (s *Sink) Write(_ context.Context, b *stream.Batch) error {
	if err := s.begin(); err != nil {
		return err
	}
	for i := range b.Records {
		v := b.Value(i)
		if s.cfg.Format == envelope.JSON {
			s.line = envelope.Append(s.line[:0], b, i)
			v = s.line
		}
		if s.out.Available() <= len(v) { // so that no line is cut if the process ends here
			s.out.Flush()
		}
		s.out.Write(v)
		if err := s.out.WriteByte('\n'); err != nil { // keeps the errors of Flush and Write
			return s.fault("the file cannot be written", err)
		}
	}
	return nil
}

// Flush implements stream.Sink: the file has all data afterwards, and with the
// setting sync the disk too. A run without records makes an empty file.
func (s *Sink) Flush(context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	err := s.out.Flush()
	if err == nil && s.cfg.Sync {
		err = s.file.Sync()
	}
	if err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// Close implements stream.Sink. What was not flushed is lost.
func (s *Sink) Close() error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return s.fault("the file cannot be closed", err)
	}
	return nil
}

func (s *Sink) flags() int {
	if s.cfg.Append {
		return os.O_WRONLY | os.O_APPEND
	}
	return os.O_WRONLY
}

func (s *Sink) fault(why string, err error) error {
	e := &stream.Error{Code: stream.OutputFile, Where: s.cfg.Path, Why: why, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Fix = "give write permission to the user that runs wasmill, or choose another path"
	case errors.Is(err, syscall.ENOSPC):
		e.Fix = "free space on the disk, or choose another path"
	}
	return e
}
