package stdio

import (
	"bufio"
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/wasmill/wasmill/host/connector/internal/envelope"
	"github.com/wasmill/wasmill/host/stream"
)

// Sink writes the value of each record and a line end to a stream, or all of the
// record as JSON. A value with line ends in it is written as it is; in JSON it is
// one line.
type Sink struct {
	cfg  SinkConfig
	out  *bufio.Writer
	line []byte // scratch
}

// NewSink returns a sink with valid settings that writes to out. It does not
// close out.
func NewSink(cfg SinkConfig, out io.Writer) *Sink {
	return &Sink{cfg: cfg, out: bufio.NewWriterSize(out, cfg.BufferBytes)}
}

// Open implements stream.Sink.
func (s *Sink) Open(context.Context) error { return nil }

// Write implements stream.Sink.
func (s *Sink) Write(_ context.Context, b *stream.Batch) error {
	for i := range b.Records {
		v := b.Value(i)
		if s.cfg.Format == envelope.JSON {
			s.line = envelope.Append(s.line[:0], b, i)
			v = s.line
		}
		s.out.Write(v)
		if err := s.out.WriteByte('\n'); err != nil { // keeps the error of Write
			return fault(err)
		}
	}
	return nil
}

// Flush implements stream.Sink.
func (s *Sink) Flush(context.Context) error {
	if err := s.out.Flush(); err != nil {
		return fault(err)
	}
	return nil
}

// Close implements stream.Sink.
func (s *Sink) Close() error { return nil }

// fault explains an error of the stream. One that is EPIPE, of a reader that
// has seen enough, can be told by errors.Is.
func fault(err error) error {
	e := &stream.Error{Code: stream.OutputFile, Where: "stdout", Why: "standard output cannot be written", Err: err}
	if errors.Is(err, syscall.EPIPE) {
		e.Why = "nobody reads standard output any more"
		e.Fix = "keep the program that reads it running, or write to a file sink"
	}
	return e
}
