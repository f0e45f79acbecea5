package stdio

import (
	"bufio"
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/wasmill/wasmill/host/stream"
)

// Sink writes the value of each record and a line end to a stream. A value with
// line ends in it is written as it is.
type Sink struct{ out *bufio.Writer }

// NewSink returns a sink with valid settings that writes to out. It does not
// close out.
func NewSink(cfg SinkConfig, out io.Writer) *Sink {
	return &Sink{out: bufio.NewWriterSize(out, cfg.BufferBytes)}
}

// Open implements stream.Sink.
func (s *Sink) Open(context.Context) error { return nil }

// Write implements stream.Sink.
func (s *Sink) Write(_ context.Context, b *stream.Batch) error {
	for i := range b.Records {
		s.out.Write(b.Value(i))
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
