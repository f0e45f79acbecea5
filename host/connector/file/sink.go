package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/wasmill/wasmill/host/connector/internal/envelope"
	"github.com/wasmill/wasmill/host/stream"
)

// Sink writes the value of each record and a line end to a file, or all of the
// record as JSON. A value with line ends in it is written as it is, and reads back
// as several lines; in JSON it is one.
//
// It is a stream.Transactional from the call of Recover or Prepare on, which has
// to come before the first Write.
type Sink struct {
	cfg    SinkConfig
	disk   disk
	path   string // that of the settings, without links
	device bool   // the path is that of a device or a pipe
	begun  bool   // there was a Write or Flush
	direct tray   // of the file at the path; its file is nil while there is none
	parts  *parts // nil = direct is written to

	transactional bool
	showing       sync.Mutex // one commit at a time
}

// NewSink returns a sink with valid settings.
func NewSink(cfg SinkConfig) *Sink {
	s := &Sink{cfg: cfg, path: cfg.Path}
	s.direct.disk = &s.disk
	if real, err := filepath.EvalSymlinks(s.path); err == nil {
		s.path = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(s.path)); err == nil {
		s.path = filepath.Join(dir, filepath.Base(s.path))
	}
	if at := s.placeAt(s.path); at.rolling() {
		s.parts = newParts(at, cfg.Roll)
	}
	return s
}

func (s *Sink) placeAt(path string) place {
	perm, _ := s.cfg.perm()
	return place{path: path, perm: fs.FileMode(perm), disk: &s.disk}
}

// Open implements stream.Sink. It makes sure that the file can be written, but
// changes and creates nothing.
func (s *Sink) Open(context.Context) error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.probe()
	case err != nil:
		return s.fault("the file cannot be written", err)
	case info.IsDir():
		return &stream.Error{Code: stream.OutputFile, Where: s.cfg.Path, Why: "this is a directory, not a file", Fix: "name a file in it, such as " + filepath.Join(s.cfg.Path, "out.txt")}
	}
	s.device = !info.Mode().IsRegular()
	if s.direct.file, err = os.OpenFile(s.path, s.flags(), 0); err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// probe finds out whether a file can be created.
func (s *Sink) probe() error {
	dir := filepath.Dir(s.path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		dir = filepath.Dir(s.cfg.Path)
		return &stream.Error{Code: stream.OutputFile, Where: s.cfg.Path, Why: "the folder " + dir + " does not exist", Fix: "mkdir -p " + dir}
	}
	file, err := os.CreateTemp(dir, ".wasmill-*")
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err // the name of the file says nothing
		}
		return s.fault("no file can be created in "+dir, err)
	}
	file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return s.fault("no file can be removed in "+dir, err)
	}
	return nil
}

// begin gets ready for records, once: it creates or empties the file.
func (s *Sink) begin() error {
	if s.begun {
		return nil
	}
	switch {
	case s.transactional:
	case s.parts != nil:
		if err := s.parts.start(s.cfg.Append); err != nil {
			return err
		}
	default:
		if err := s.replace(); err != nil {
			return err
		}
	}
	s.begun = true
	return nil
}

// replace creates the file at the path or empties it.
func (s *Sink) replace() error {
	if s.direct.file == nil {
		perm, err := s.cfg.perm()
		if err == nil {
			s.direct.file, err = os.OpenFile(s.path, s.flags()|os.O_CREATE, os.FileMode(perm))
		}
		if err != nil {
			return s.fault("the file cannot be created", err)
		}
	}
	s.direct.off = atEnd
	info, err := s.direct.file.Stat()
	if err == nil && !s.cfg.Append && info.Mode().IsRegular() {
		err = s.direct.file.Truncate(0)
		s.direct.off = 0
	}
	if err != nil {
		return s.fault("the file cannot be emptied", err)
	}
	return nil
}

// Write implements stream.Sink.
func (s *Sink) Write(_ context.Context, b *stream.Batch) error {
	if err := s.begin(); err != nil || b.Len() == 0 {
		return err
	}
	t, err := s.tray()
	if err != nil {
		return err
	}
	before := len(t.buf)
	for i := range b.Records {
		if s.cfg.Format == envelope.JSON {
			t.buf = envelope.Append(t.buf, b, i)
		} else {
			t.buf = append(t.buf, b.Value(i)...)
		}
		t.buf = append(t.buf, '\n')
	}
	if err := t.take(len(t.buf)-before, s.cfg.BufferBytes); err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// tray returns what the next lines go to.
func (s *Sink) tray() (*tray, error) {
	if s.parts == nil {
		return &s.direct, nil
	}
	if err := s.roll(); err != nil {
		return nil, err
	}
	if err := s.parts.begin(); err != nil {
		return nil, err
	}
	s.parts.cur.dirty = true
	return &s.parts.cur.tray, nil
}

// roll ends the current part if it is due. Without checkpoints it is shown at once.
func (s *Sink) roll() error {
	if s.parts.due() {
		if err := s.parts.finish(); err != nil {
			return err
		}
	}
	if s.transactional {
		return nil
	}
	return s.parts.showNow()
}

// Flush implements stream.Sink: the file has all data afterwards, and with the
// setting sync the disk too. A run without records makes an empty file.
func (s *Sink) Flush(context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	t := &s.direct
	if s.parts != nil {
		if err := s.roll(); err != nil || s.parts.cur == nil {
			return err
		}
		t = &s.parts.cur.tray
	}
	err := t.spill()
	if err == nil && s.cfg.Sync {
		err = s.disk.sync(t.file, "flush: sync")
	}
	if err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// Close implements stream.Sink. What was not flushed is lost; with checkpoints,
// what is in none that was committed stays hidden.
func (s *Sink) Close() error {
	if s.parts != nil {
		if !s.transactional {
			return s.parts.showLast()
		}
		return s.parts.close()
	}
	if s.direct.file == nil {
		return nil
	}
	if err := s.direct.file.Close(); err != nil {
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

func (s *Sink) fault(why string, err error) error { return writeError(s.cfg.Path, why, err) }
