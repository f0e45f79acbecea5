package stdio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/wasmill/wasmill/host/connector/internal/lines"
	"github.com/wasmill/wasmill/host/stream"
)

// Source reads a record per line. It is a stream.Source and a stream.Locator.
type Source struct {
	cfg   SourceConfig
	pump  *pump
	split *lines.Splitter
	line  int64 // lines given out
	err   error // how the input ended; nil before
}

// NewSource returns a source with valid settings that reads in. It does not
// close in.
func NewSource(cfg SourceConfig, in io.Reader) *Source {
	return &Source{
		cfg:   cfg,
		pump:  newPump(in),
		split: lines.NewSplitter(lines.Limits{Line: cfg.MaxRecordBytes, Records: cfg.BatchRecords, Bytes: cfg.BatchBytes}),
	}
}

// Open implements stream.Source. It starts the pump. A position changes nothing
// apart from having to be one.
func (s *Source) Open(_ context.Context, after stream.Position) error {
	if after != nil {
		if _, err := parsePosition(after); err != nil {
			return err
		}
	}
	go s.pump.run()
	return nil
}

// Read implements stream.Source.
func (s *Source) Read(ctx context.Context, b *stream.Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.take(b); err != nil || b.Len() > 0 {
			return err
		}
		if s.err != nil {
			return s.err
		}
		select {
		case <-ctx.Done():
		case c := <-s.pump.full:
			s.add(c)
		}
	}
}

// take moves the lines at hand into a batch.
func (s *Source) take(b *stream.Batch) error {
	now := time.Now().UnixNano()
	cut, err := s.split.Cut(b, now)
	if err == nil && len(cut) == 0 && s.err == io.EOF {
		_, err = s.split.Last(b, now)
	}
	if err != nil {
		return &stream.Error{
			Code:  stream.RecordSize,
			Where: where(s.line + 1),
			Why:   "the line is longer than " + strconv.Itoa(s.cfg.MaxRecordBytes) + " bytes",
			Fix:   "raise maxRecordBytes of the source, or shorten the line",
		}
	}
	s.line += int64(b.Len())
	return nil
}

// add takes over what the pump read.
func (s *Source) add(c chunk) {
	for data := c.data; len(data) > 0; {
		n := copy(s.split.Space(), data)
		s.split.Filled(n)
		data = data[n:]
	}
	switch {
	case c.err == io.EOF:
		s.err = io.EOF
	case c.err != nil:
		s.err = &stream.Error{Code: stream.InputUnreadable, Where: where(s.line + 1), Why: "standard input cannot be read", Err: c.err}
	default:
		s.pump.empty <- c.data[:cap(c.data)]
	}
}

// Position implements stream.Source.
func (s *Source) Position(dst []byte) stream.Position {
	dst = strconv.AppendInt(append(dst, `{"line":`...), s.line, 10)
	return append(dst, '}')
}

// Ack implements stream.Source.
func (s *Source) Ack(context.Context, stream.Position) error { return nil }

// Close implements stream.Source. It does not wait for a read that blocks.
func (s *Source) Close() error {
	s.pump.stop()
	return nil
}

// Locate implements stream.Locator: "stdin:1234".
func (s *Source) Locate(after stream.Position, back int) string {
	line, err := parsePosition(after)
	if err != nil || line <= int64(back) {
		return "stdin"
	}
	return where(line - int64(back))
}

func where(line int64) string { return "stdin:" + strconv.FormatInt(line, 10) }

// parsePosition reads what Position wrote.
func parsePosition(p stream.Position) (line int64, err error) {
	var pos struct {
		Line *int64 `json:"line"`
	}
	d := json.NewDecoder(bytes.NewReader(p))
	d.DisallowUnknownFields()
	err = d.Decode(&pos)
	if err == nil && (pos.Line == nil || *pos.Line < 0 || d.InputOffset() != int64(len(p))) {
		err = errors.New("not a line number alone")
	}
	if err != nil {
		return 0, &stream.Error{
			Code: stream.PositionInvalid,
			Why:  "the stored position is not that of a stdin source",
			Fix:  "if the source was another one before, make a fresh start",
			Err:  err,
		}
	}
	return *pos.Line, nil
}
