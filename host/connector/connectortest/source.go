package connectortest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Source is a source under test.
type Source struct {
	// New returns an instance that is not open, over outside data that is the
	// same at each call.
	New func(t *testing.T) stream.Source
	// Want is the values of all records, in order: at least three.
	Want []string
	// Endless says that no end follows Want: Read waits for more.
	Endless bool
	// Forgets says that the outside system gives each byte once, so that
	// reading again from a position is not possible.
	Forgets bool
}

// TestSource runs the suite.
func TestSource(t *testing.T, s Source) {
	t.Run("every record is read once and in order", func(t *testing.T) {
		values, _ := s.read(t, s.open(t, nil), len(s.Want))
		equal(t, values, s.Want)
	})
	t.Run("the end is final", func(t *testing.T) {
		if s.Endless {
			t.Skip("this source has no end")
		}
		src := s.open(t, nil)
		s.read(t, src, len(s.Want))
		for range 3 {
			var b stream.Batch
			if err := src.Read(t.Context(), &b); err != io.EOF || b.Len() != 0 {
				t.Fatalf("after the end: %d records, %v", b.Len(), err)
			}
		}
	})
	t.Run("every position resumes with exactly the rest", func(t *testing.T) {
		if s.Forgets {
			t.Skip("this source forgets")
		}
		_, stops := s.read(t, s.open(t, nil), len(s.Want))
		stops = append(stops, stop{0, s.open(t, nil).Position(nil)})
		for _, stop := range stops {
			values, _ := s.read(t, s.open(t, stop.position), len(s.Want)-stop.records)
			equal(t, values, s.Want[stop.records:])
		}
	})
	t.Run("a source that is stopped again and again loses and doubles nothing", func(t *testing.T) {
		if s.Forgets {
			t.Skip("this source forgets")
		}
		for batches := range 3 {
			s.stopAgainAndAgain(t, batches+1)
		}
	})
	t.Run("a position of a resumed source counts from the start", func(t *testing.T) {
		if s.Forgets {
			t.Skip("this source forgets")
		}
		_, stops := s.read(t, s.open(t, nil), len(s.Want))
		_, again := s.read(t, s.open(t, stops[0].position), len(s.Want)-stops[0].records)
		if len(again) > 0 {
			last := again[len(again)-1]
			values, _ := s.read(t, s.open(t, last.position), 0)
			equal(t, values, nil)
		}
	})
	t.Run("a position is added to what is there and holds no reference to it", func(t *testing.T) {
		src := s.open(t, nil)
		dst := make([]byte, 4, 4096)
		copy(dst, "keep")
		first := src.Position(dst)
		if !bytes.HasPrefix(first, []byte("keep")) || len(first) == 4 {
			t.Fatalf("position %q", first)
		}
		want := bytes.Clone(first[4:])
		clear(first)
		if got := src.Position(nil); !bytes.Equal(got, want) {
			t.Errorf("the position of the same place changed from %q to %q", want, got)
		}
	})
	t.Run("a position that is garbage is an error", func(t *testing.T) {
		for _, garbage := range []string{"", "x", "{}x", `{"unknown":1}`, "[]", "\x00"} {
			src := s.New(t)
			if err := src.Open(t.Context(), stream.Position(garbage)); err == nil {
				t.Errorf("opened after %q", garbage)
			}
			src.Close()
		}
	})
	t.Run("a source that is told to stop returns so, with an empty batch", func(t *testing.T) {
		src := s.open(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		if s.Endless {
			s.read(t, src, len(s.Want))
			go cancel() // while Read waits
		} else {
			cancel()
		}
		var b stream.Batch
		if err := src.Read(ctx, &b); !errors.Is(err, context.Canceled) || b.Len() != 0 || b.Bytes() != 0 {
			t.Errorf("told to stop: %d records, %v", b.Len(), err)
		}
	})
	t.Run("acknowledged positions are accepted", func(t *testing.T) {
		src := s.open(t, nil)
		_, stops := s.read(t, src, len(s.Want))
		for _, stop := range stops {
			if err := src.Ack(t.Context(), stop.position); err != nil {
				t.Errorf("ack: %v", err)
			}
		}
	})
}

// stop is a position and how many records stand before it.
type stop struct {
	records  int
	position stream.Position
}

// stopAgainAndAgain reads everything with a source for every so many batches. Each is
// told to stop before its last Read, as a caller may whose context has ended, and
// what is left in it is thrown away.
func (s Source) stopAgainAndAgain(t *testing.T, batches int) {
	t.Helper()
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	var values []string
	var after stream.Position
	for ended := false; !ended; {
		src := s.New(t)
		if err := src.Open(t.Context(), after); err != nil {
			t.Fatalf("open after %q: %v", after, err)
		}
		for range batches {
			var b stream.Batch
			if s.Endless && len(values) >= len(s.Want) {
				ended = true
				break
			}
			if err := src.Read(stopped, &b); err == nil || b.Len() != 0 {
				t.Fatalf("told to stop: %d records, %v", b.Len(), err)
			}
			err := src.Read(t.Context(), &b)
			if ended = err == io.EOF; ended {
				break
			}
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			for i := range b.Len() {
				values = append(values, string(b.Value(i)))
			}
		}
		after = bytes.Clone(src.Position(nil))
		if err := src.Ack(t.Context(), after); err != nil {
			t.Fatalf("ack: %v", err)
		}
		if err := src.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	equal(t, values, s.Want)
}

// open returns an open source that is closed at the end of the test.
func (s Source) open(t *testing.T, after stream.Position) stream.Source {
	t.Helper()
	src := s.New(t)
	if err := src.Open(t.Context(), after); err != nil {
		t.Fatalf("open after %q: %v", after, err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return src
}

// read reads n records, and the end if there is one. It uses one batch again
// and again, as a caller may. The positions are copies, as after storage.
func (s Source) read(t *testing.T, src stream.Source, n int) (values []string, stops []stop) {
	t.Helper()
	var b stream.Batch
	before := len(s.Want) - n
	for !s.Endless || len(values) < n {
		b.Reset()
		err := src.Read(t.Context(), &b)
		if err == io.EOF && !s.Endless {
			if b.Len() != 0 || b.Bytes() != 0 {
				t.Fatalf("the end came with %d records and %d bytes", b.Len(), b.Bytes())
			}
			return values, append(stops, stop{before + len(values), bytes.Clone(src.Position(nil))})
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		checkBatch(t, &b)
		for i := range b.Len() {
			values = append(values, string(b.Value(i)))
		}
		stops = append(stops, stop{before + len(values), bytes.Clone(src.Position(nil))})
	}
	return values, stops
}

// checkBatch checks what holds for every batch that a source returns.
func checkBatch(t *testing.T, b *stream.Batch) {
	t.Helper()
	if b.Len() == 0 {
		t.Fatal("read an empty batch without an error")
	}
	for i, r := range b.Records {
		for _, span := range []stream.Span{r.Key, r.Value, r.Headers} {
			if uint64(span.Off)+uint64(span.Len) > uint64(b.Bytes()) {
				t.Fatalf("record %d: span %v is outside the arena of %d bytes", i, span, b.Bytes())
			}
		}
		if !abi.ValidHeaders(b.Headers(i)) {
			t.Fatalf("record %d: header block %q is malformed", i, b.Headers(i))
		}
		if r.Time == 0 {
			t.Fatalf("record %d has no time", i)
		}
		if r.Tag != stream.Untagged {
			t.Fatalf("record %d has a tag", i)
		}
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("record %d is %q, want %q; %d records, want %d", i, got[i], want[i], len(got), len(want))
		}
	}
	t.Fatalf("got %d records, want %d", len(got), len(want))
}
