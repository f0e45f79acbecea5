package stdio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/stdio"
	"github.com/wasmill/wasmill/host/stream"
)

func TestSourceConformance(t *testing.T) {
	for _, test := range []struct {
		name string
		in   func(io.Reader) io.Reader
	}{
		{"a reader that gives all", func(r io.Reader) io.Reader { return r }},
		{"a reader that gives one byte at a time", iotest.OneByteReader},
		{"a reader that gives the end with the last bytes", iotest.DataErrReader},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := stdio.DefaultSource()
			cfg.BatchRecords = 2
			connectortest.TestSource(t, connectortest.Source{
				New: func(*testing.T) stream.Source {
					return stdio.NewSource(cfg, test.in(strings.NewReader("one\r\n\ntwo\nthree")))
				},
				Want:    []string{"one", "", "two", "three"},
				Forgets: true,
			})
		})
	}
}

func TestSinkConformance(t *testing.T) {
	connectortest.TestSink(t, connectortest.Sink{New: func(*testing.T) (stream.Sink, func() []string) {
		var out bytes.Buffer
		return stdio.NewSink(stdio.DefaultSink(), &out), func() []string {
			values := strings.Split(out.String(), "\n")
			return values[:len(values)-1]
		}
	}})
}

func TestSinkWritesWholeRecordsAsJSON(t *testing.T) {
	cfg := stdio.DefaultSink()
	cfg.Format = "json"
	var out bytes.Buffer
	sink := stdio.NewSink(cfg, &out)
	var b stream.Batch
	b.Append(1e9, []byte("k"), []byte("a\nb"), nil)
	b.Append(2e9, nil, []byte("c"), nil)
	if err := errors.Join(sink.Write(t.Context(), &b), sink.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	const want = `{"time":"1970-01-01T00:00:01Z","key":"k","value":"a\nb"}
{"time":"1970-01-01T00:00:02Z","value":"c"}
`
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func TestReadGivesWhatThereIsAndStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, keyboard := io.Pipe()
		src := stdio.NewSource(stdio.DefaultSource(), in)
		if err := src.Open(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go keyboard.Write([]byte("one\ntw"))
		var b stream.Batch
		if err := src.Read(ctx, &b); err != nil || b.Len() != 1 || string(b.Value(0)) != "one" {
			t.Fatalf("got %d records, %v", b.Len(), err)
		}
		go func() {
			synctest.Wait() // until Read waits for a line
			cancel()
		}()
		b.Reset()
		if err := src.Read(ctx, &b); err != context.Canceled || b.Len() != 0 {
			t.Fatalf("told to stop: %d records, %v", b.Len(), err)
		}
		src.Close()
		in.Close() // the pump ends, or the bubble would not
	})
}

func TestCloseEndsThePumpBetweenReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := stdio.NewSource(stdio.DefaultSource(), strings.NewReader(strings.Repeat("line\n", 100_000)))
		if err := src.Open(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		src.Close()
	})
}

func TestReadErrorsComeAfterTheLinesBefore(t *testing.T) {
	for _, test := range []struct {
		name string
		in   io.Reader
		code stream.Code
		says string
	}{
		{"a line that is too long is named", strings.NewReader("1\n2\n" + strings.Repeat("x", 9) + "\n"), stream.RecordSize, "stdin:3: the line is longer than 8 bytes"},
		{"an input that breaks is an error", io.MultiReader(strings.NewReader("1\n2\n"), iotest.ErrReader(errors.New("broken"))), stream.InputUnreadable, "broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := stdio.DefaultSource()
			cfg.MaxRecordBytes = 8
			src := stdio.NewSource(cfg, test.in)
			defer src.Close()
			if err := src.Open(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			var values []string
			var b stream.Batch
			var err error
			for err == nil {
				b.Reset()
				err = src.Read(t.Context(), &b)
				for i := range b.Len() {
					values = append(values, string(b.Value(i)))
				}
			}
			if !slices.Equal(values, []string{"1", "2"}) {
				t.Errorf("got %q before", values)
			}
			if stream.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			if again := src.Read(t.Context(), &b); again == nil || again.Error() != err.Error() {
				t.Errorf("read again: %v", again)
			}
		})
	}
}

// askedFor notes how much each read asked for, and gives one byte.
type askedFor struct{ sizes []int }

func (a *askedFor) Read(p []byte) (int, error) {
	a.sizes = append(a.sizes, len(p))
	if len(a.sizes) > 10 {
		return 0, io.EOF
	}
	p[0] = '\n'
	return 1, nil
}

func TestBuffersDoNotShrink(t *testing.T) {
	var in askedFor
	src := stdio.NewSource(stdio.DefaultSource(), &in)
	defer src.Close()
	if err := src.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var b stream.Batch
	for src.Read(t.Context(), &b) == nil {
		b.Reset()
	}
	if slices.Min(in.sizes) != slices.Max(in.sizes) {
		t.Errorf("reads asked for %v bytes", in.sizes)
	}
}

func TestLocate(t *testing.T) {
	src := stdio.NewSource(stdio.DefaultSource(), nil)
	for back, want := range []string{"stdin:2", "stdin:1", "stdin"} {
		if got := src.Locate(stream.Position(`{"line":2}`), back); got != want {
			t.Errorf("%d back: %s, want %s", back, got, want)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestABrokenPipeIsAnErrorForPeople(t *testing.T) {
	cfg := stdio.DefaultSink()
	cfg.BufferBytes = 16
	sink := stdio.NewSink(cfg, brokenPipe{})
	var b stream.Batch
	b.Append(1, nil, []byte(strings.Repeat("x", 32)), nil)
	err := sink.Write(t.Context(), &b)
	if stream.CodeOf(err) != stream.OutputFile || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: %v", err)
	}
	if err := sink.Flush(t.Context()); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("flush: %v", err)
	}
}

func TestValidate(t *testing.T) {
	var got []string
	report := func(path, _, _ string) { got = append(got, path) }
	stdio.DefaultSource().Validate(report)
	stdio.DefaultSink().Validate(report)
	if len(got) > 0 {
		t.Errorf("the defaults have faults at %v", got)
	}
	stdio.SourceConfig{}.Validate(report)
	stdio.SinkConfig{}.Validate(report)
	if want := []string{"maxRecordBytes", "batchBytes", "batchRecords", "format", "bufferBytes"}; !slices.Equal(got, want) {
		t.Errorf("faults at %v, want %v", got, want)
	}
}

func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"line":12}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		src := stdio.NewSource(stdio.DefaultSource(), strings.NewReader(""))
		defer src.Close()
		if err := src.Open(t.Context(), p); err != nil && stream.CodeOf(err) != stream.PositionInvalid {
			t.Errorf("got %v", err)
		}
		src.Locate(p, 1)
	})
}
