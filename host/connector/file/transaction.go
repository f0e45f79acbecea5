package file

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
)

var _ stream.Transactional = (*Sink)(nil)

// Prepare is that of stream.Transactional: everything written is on the disk, and
// hidden until Commit. A device or pipe cannot be hidden from its reader: it has
// the data when Prepare returns. After an error Prepare may be called again.
func (s *Sink) Prepare(ctx context.Context, epoch stream.Epoch) ([]byte, error) {
	if !s.transactional { // and so at the beginning: Recover refuses anything else
		if err := s.Recover(ctx, nil); err != nil {
			return nil, err
		}
	}
	s.begun = true
	if s.device {
		if err := s.prepareDevice(); err != nil {
			return nil, err
		}
		return (&commit{Version: commitVersion, Path: s.path, Epoch: uint64(epoch), Parts: []part{}}).append(), nil
	}
	c, err := s.parts.prepare(uint64(epoch))
	if err != nil {
		return nil, err
	}
	return c.append(), nil
}

func (s *Sink) prepareDevice() error {
	if err := s.direct.spill(); err != nil {
		return s.fault("the file cannot be written", err)
	}
	return nil
}

// Commit is that of stream.Transactional: it shows what was prepared, by this
// process or an earlier one, and all that was prepared before and not shown. It
// may be called while another goroutine writes.
func (s *Sink) Commit(_ context.Context, text []byte) error {
	c, err := parseCommit(text)
	if err != nil {
		return err
	}
	s.showing.Lock()
	defer s.showing.Unlock()
	if own, err := s.show(c); err != nil || !own || s.parts == nil {
		return err
	}
	return s.parts.committed(c)
}

// pathOf is where the parts of a commit belong: at the path that it was made for,
// which is another one after the settings were changed. If there is no such
// folder, it was moved here.
func (s *Sink) pathOf(c *commit) string {
	if c.Path != s.path && filepath.Base(c.Path) == filepath.Base(s.path) {
		if _, err := os.Stat(filepath.Dir(c.Path)); errors.Is(err, fs.ErrNotExist) {
			return s.path
		}
	}
	return c.Path
}

// Recover is that of stream.Transactional. It has to come before the first Write
// and makes the sink a transactional one. Without a commit of its path a run
// begins anew, and what it replaces is replaced by the first commit.
func (s *Sink) Recover(_ context.Context, commits [][]byte) error {
	switch {
	case s.begun:
		return &stream.Error{Code: stream.Internal, Where: s.cfg.Path, Why: "the file sink was written to before it was told of checkpoints"}
	case !utf8.ValidString(s.path):
		return &stream.Error{Code: stream.OutputFile, Where: s.cfg.Path, Why: "the file name is not valid UTF-8", Fix: "choose another name"}
	}
	s.showing.Lock()
	defer s.showing.Unlock()
	newest, err := s.showAll(commits)
	if err != nil {
		return err
	}
	s.transactional = true
	if s.device {
		s.direct.off = atEnd
		return nil
	}
	s.parts = newParts(s.placeAt(s.path), s.cfg.Roll)
	if newest == nil {
		err = s.parts.start(s.cfg.Append)
	} else {
		err = s.parts.resume(newest)
	}
	if err == nil && s.direct.file != nil {
		err = s.direct.file.Close()
		s.direct.file = nil
	}
	if err != nil {
		return personalOutput(s.cfg.Path, err)
	}
	return nil
}

// showAll shows what commits say, and returns the newest one of the sink's path.
func (s *Sink) showAll(commits [][]byte) (newest *commit, err error) {
	all := make([]*commit, len(commits))
	for i, text := range commits {
		if all[i], err = parseCommit(text); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b *commit) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for i, c := range all {
		own, err := s.show(c)
		if err != nil {
			return nil, err
		}
		if own {
			newest = c
		} else if i == len(all)-1 && len(c.Parts) > 0 {
			err = s.leave(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return newest, nil
}

// leave ends the writing at the path of a commit, which the settings no longer name.
func (s *Sink) leave(c *commit) error {
	old := newParts(s.placeAt(c.Path), Roll{})
	return errors.Join(old.resume(c), old.close())
}

// show shows what a commit says, and tells whether it is of the sink's path. A
// device has shown it already.
func (s *Sink) show(c *commit) (own bool, err error) {
	at := s.placeAt(s.pathOf(c))
	own = at.path == s.path
	if own && s.device {
		return true, nil
	}
	return own, at.show(c.Parts)
}
