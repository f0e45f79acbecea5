package connectortest

import (
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// Sink is a sink under test.
type Sink struct {
	// New returns an instance that is not open, and what reads back the values
	// that the outside system holds: nil if it holds none.
	New func(t *testing.T) (sink stream.Sink, stored func() []string)
}

// TestSink runs the suite.
func TestSink(t *testing.T, s Sink) {
	t.Run("flushed records are there, in order", func(t *testing.T) {
		sink, check := s.open(t)
		var want []string
		for range 3 {
			for range 5 {
				want = write(t, sink, want, 7)
			}
			flush(t, sink)
			check(t, want)
		}
		closeSink(t, sink)
		check(t, want)
	})
	t.Run("a batch may be changed as soon as it is written", func(t *testing.T) {
		sink, check := s.open(t)
		want := write(t, sink, nil, 3) // write spoils its batch
		flush(t, sink)
		check(t, want)
		closeSink(t, sink)
	})
	t.Run("a batch without records and a second flush change nothing", func(t *testing.T) {
		sink, check := s.open(t)
		want := write(t, sink, nil, 2)
		write(t, sink, nil, 0)
		flush(t, sink)
		flush(t, sink)
		check(t, want)
		closeSink(t, sink)
	})
	t.Run("a run without records ends well", func(t *testing.T) {
		sink, check := s.open(t)
		flush(t, sink)
		closeSink(t, sink)
		check(t, nil)
	})
	t.Run("a sink can be closed without having been used", func(t *testing.T) {
		sink, _ := s.open(t)
		closeSink(t, sink)
	})
}

// open returns an open sink, and what checks which values are stored.
func (s Sink) open(t *testing.T) (stream.Sink, func(t *testing.T, want []string)) {
	t.Helper()
	sink, stored := s.New(t)
	if err := sink.Open(t.Context()); err != nil {
		t.Fatalf("open: %v", err)
	}
	return sink, func(t *testing.T, want []string) {
		t.Helper()
		if stored != nil {
			equal(t, stored(), want)
		}
	}
}

// write sends n records on, spoils the batch, and returns all values so far.
func write(t *testing.T, sink stream.Sink, values []string, n int) []string {
	t.Helper()
	var b stream.Batch
	b.Store([]byte("not part of any record"))
	for range n {
		value := fmt.Sprintf("value %d", len(values))
		values = append(values, value)
		b.Append(1, []byte("key"), []byte(value), nil)
	}
	if err := sink.Write(t.Context(), &b); err != nil {
		t.Fatalf("write: %v", err)
	}
	if b.Len() != n {
		t.Fatalf("write changed a batch of %d records into one of %d", n, b.Len())
	}
	clear(b.Arena())
	return values
}

func flush(t *testing.T, sink stream.Sink) {
	t.Helper()
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

func closeSink(t *testing.T, sink stream.Sink) {
	t.Helper()
	if err := sink.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}
