package drop

import (
	"context"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// SinkConfig is the settings of a sink: there are none.
type SinkConfig struct{}

// DefaultSink returns the settings that hold where the user set none.
func DefaultSink() SinkConfig { return SinkConfig{} }

// Validate finds no fault.
func (SinkConfig) Validate(func(path, why, fix string)) {}

// Sink counts records. The counts may be read from any goroutine.
type Sink struct{ records, bytes atomic.Uint64 }

// NewSink returns a sink that has counted nothing.
func NewSink(SinkConfig) *Sink { return &Sink{} }

// Records returns how many records were written.
func (s *Sink) Records() uint64 { return s.records.Load() }

// Bytes returns the size of all values that were written.
func (s *Sink) Bytes() uint64 { return s.bytes.Load() }

// Open implements stream.Sink.
func (s *Sink) Open(context.Context) error { return nil }

// Write implements stream.Sink.
func (s *Sink) Write(_ context.Context, b *stream.Batch) error {
	var bytes uint64
	for i := range b.Records {
		bytes += uint64(b.Records[i].Value.Len)
	}
	s.records.Add(uint64(b.Len()))
	s.bytes.Add(bytes)
	return nil
}

// Flush implements stream.Sink.
func (s *Sink) Flush(context.Context) error { return nil }

// Close implements stream.Sink.
func (s *Sink) Close() error { return nil }
