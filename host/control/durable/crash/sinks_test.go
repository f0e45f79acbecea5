package crash_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// hiding is the file sink, where the worker comes by steps.
type hiding struct {
	*file.Sink
	steps *steps
}

var _ stream.Transactional = (*hiding)(nil)

func (s *hiding) Write(ctx context.Context, b *stream.Batch) error {
	s.steps.by("before a write")
	err := s.Sink.Write(ctx, b)
	s.steps.by("after a write")
	return err
}

func (s *hiding) Prepare(ctx context.Context, e stream.Epoch) ([]byte, error) {
	s.steps.by("before a prepare")
	commit, err := s.Sink.Prepare(ctx, e)
	s.steps.by("after a prepare")
	return commit, err
}

func (s *hiding) Commit(ctx context.Context, commit []byte) error {
	s.steps.by("before a commit")
	err := s.Sink.Commit(ctx, commit)
	s.steps.by("after a commit")
	return err
}

func (s *hiding) Recover(ctx context.Context, commits [][]byte) error {
	s.steps.by("before a recovery")
	err := s.Sink.Recover(ctx, commits)
	s.steps.by("after a recovery")
	return err
}

// again is a sink without transactions: it appends to a file what it got, with its
// life, when it is flushed.
type again struct {
	*worker
	file *os.File
	buf  []byte
}

func (s *again) Open(context.Context) (err error) {
	s.file, err = os.OpenFile(filepath.Join(outName, againName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func (s *again) Write(_ context.Context, b *stream.Batch) error {
	for i := range b.Records {
		s.buf = fmt.Appendf(s.buf, "\n%d %d .", s.Life, s.numberOf(b, i))
	}
	return nil
}

func (s *again) Flush(context.Context) error {
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.file.Write(s.buf)
	s.buf = s.buf[:0]
	s.steps.by("after a flush")
	return err
}

func (s *again) Close() error {
	if s.file == nil { // Open was not called
		return nil
	}
	return s.file.Close()
}
