package lines_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/connector/internal/lines"
	"github.com/wasmill/wasmill/host/stream"
)

// split feeds text in chunks and returns the records of all batches.
func split(t testing.TB, text []byte, limits lines.Limits, chunk int) ([]string, error) {
	s := lines.NewSplitter(limits)
	var got []string
	var b stream.Batch
	var taken int
	collect := func(cut []byte) {
		if len(cut) == 0 {
			return
		}
		if b.Len() == 0 || b.Len() > limits.Records {
			t.Fatalf("batch of %d records with a limit of %d", b.Len(), limits.Records)
		}
		if b.Len() > 1 && len(cut) > limits.Bytes {
			t.Fatalf("batch of %d bytes with a limit of %d", len(cut), limits.Bytes)
		}
		if !bytes.Equal(cut, text[taken:taken+len(cut)]) {
			t.Fatalf("took %q at %d", cut, taken)
		}
		taken += len(cut)
		for i := range b.Len() {
			got = append(got, string(b.Value(i)))
		}
	}
	for rest := text; ; {
		b.Reset()
		cut, err := s.Cut(&b, 1)
		if err != nil {
			return got, err
		}
		collect(cut)
		if len(cut) > 0 {
			continue
		}
		if len(rest) == 0 {
			cut, err := s.Last(&b, 1)
			collect(cut)
			if err == nil && taken != len(text) {
				t.Fatalf("took %d of %d bytes", taken, len(text))
			}
			return got, err
		}
		space := s.Space()
		n := copy(space[:min(len(space), chunk)], rest)
		s.Filled(n)
		rest = rest[n:]
	}
}

// reference is what the records of a text are, one after the other.
func reference(text []byte, limit int) ([]string, error) {
	var want []string
	parts := bytes.Split(text, []byte("\n"))
	for i, line := range parts {
		if last := i == len(parts)-1; !last {
			line = bytes.TrimSuffix(line, []byte("\r"))
		} else if len(line) == 0 {
			break
		}
		if len(line) > limit {
			return want, lines.ErrTooLong
		}
		want = append(want, string(line))
	}
	return want, nil
}

func TestSplitter(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		want []string
		err  error
	}{
		{name: "an empty text has no records"},
		{name: "line ends do not belong to lines", text: "a\nb\r\n", want: []string{"a", "b"}},
		{name: "an empty line is a record", text: "\n\r\n\n", want: []string{"", "", ""}},
		{name: "a last line without an end is a record", text: "a\nb", want: []string{"a", "b"}},
		{name: "a carriage return inside a line stays", text: "a\rb\n\r\r\n", want: []string{"a\rb", "\r"}},
		{name: "a line of just the limit passes", text: "12345678\r\n12345678\n", want: []string{"12345678", "12345678"}},
		{name: "batches stay small after a long line", text: "12345678\na\nb\nc\nd\ne\n", want: []string{"12345678", "a", "b", "c", "d", "e"}},
		{name: "a line over the limit is an error after the lines before it", text: "a\n123456789\nb\n", want: []string{"a"}, err: lines.ErrTooLong},
		{name: "a last line over the limit is an error", text: "a\n123456789", want: []string{"a"}, err: lines.ErrTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			for chunk := 1; chunk <= len(test.text)+1; chunk++ {
				for _, records := range []int{1, 2, 100} {
					got, err := split(t, []byte(test.text), lines.Limits{Line: 8, Records: records, Bytes: 4}, chunk)
					if !errors.Is(err, test.err) || !slices.Equal(got, test.want) {
						t.Fatalf("in chunks of %d and batches of %d: got %q, %v; want %q, %v", chunk, records, got, err, test.want, test.err)
					}
				}
			}
		})
	}
}

func TestSplitterHoldsNoMoreOfALongLineThanItMust(t *testing.T) {
	s := lines.NewSplitter(lines.Limits{Line: 100, Records: 10, Bytes: 64})
	var b stream.Batch
	for {
		if _, err := s.Cut(&b, 0); err != nil {
			break
		}
		s.Filled(copy(s.Space(), strings.Repeat("x", 1000)))
	}
	if s.Buffered() > 100+2*64 {
		t.Errorf("holds %d bytes of a line with a limit of 100", s.Buffered())
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\nbb\r\n\nccc"), uint8(3), uint8(2), uint8(4), uint8(10))
	f.Add([]byte("\r\n\r\r\n"), uint8(1), uint8(1), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, chunk, records, size, line uint8) {
		limits := lines.Limits{Line: int(line) + 1, Records: int(records) + 1, Bytes: int(size) + 1}
		got, err := split(t, text, limits, int(chunk)+1)
		want, wantErr := reference(text, limits.Line)
		if !errors.Is(err, wantErr) || !slices.Equal(got, want) {
			t.Fatalf("got %q, %v; want %q, %v", got, err, want, wantErr)
		}
	})
}
