package file

import (
	"context"
	"strconv"

	"github.com/wasmill/wasmill/host/connector/internal/lines"
	"github.com/wasmill/wasmill/host/stream"
)

// Source reads records from files. It is a stream.Source and a stream.Locator.
type Source struct {
	cfg    SourceConfig
	reader reader
}

// reader is the part of a Source that differs between following and not.
type reader interface {
	open(after *position) error
	read(ctx context.Context, b *stream.Batch) error
	appendPosition(dst []byte) []byte
	close()
}

// NewSource returns a source with valid settings. It tells notice, which may be
// nil, of what it saw happen to the files and went on from.
func NewSource(cfg SourceConfig, notice func(text string)) *Source {
	if notice == nil {
		notice = func(string) {}
	}
	split := lines.NewSplitter(lines.Limits{Line: cfg.MaxRecordBytes, Records: cfg.BatchRecords, Bytes: cfg.BatchBytes})
	if cfg.Follow {
		return &Source{cfg: cfg, reader: &tail{cfg: cfg, notice: notice, split: split}}
	}
	return &Source{cfg: cfg, reader: &sequence{cfg: cfg, notice: notice, split: split}}
}

// Open implements stream.Source.
func (s *Source) Open(_ context.Context, after stream.Position) error {
	if after == nil {
		return s.reader.open(nil)
	}
	pos, err := parsePosition(after)
	if err != nil {
		return err
	}
	for _, m := range append(pos.Others, pos.mark) {
		if !covers(s.cfg.Path, m.Path) {
			return &stream.Error{
				Code:  stream.InputChanged,
				Where: s.cfg.Path,
				Why:   "the source stands in " + m.Path + ", which its path does not stand for any more",
				Fix:   "set the path back, or run with a fresh start",
			}
		}
	}
	return s.reader.open(&pos)
}

// Read implements stream.Source. It does not wait for a full batch: what one
// read of the file gave is given out.
func (s *Source) Read(ctx context.Context, b *stream.Batch) error { return s.reader.read(ctx, b) }

// Position implements stream.Source. It allocates only to grow dst.
func (s *Source) Position(dst []byte) stream.Position { return s.reader.appendPosition(dst) }

// Ack implements stream.Source. Files are never removed, so nothing happens.
func (s *Source) Ack(context.Context, stream.Position) error { return nil }

// Close implements stream.Source.
func (s *Source) Close() error {
	s.reader.close()
	return nil
}

// Locate implements stream.Locator: "access.log:1234", or the path alone for
// whole files.
func (s *Source) Locate(after stream.Position, back int) string {
	pos, err := parsePosition(after)
	if err != nil {
		return s.cfg.Path
	}
	line := pos.Line - int64(back)
	if s.cfg.Mode == ModeWhole || line < 1 {
		return pos.Path
	}
	return at(pos.Path, line)
}

func at(path string, line int64) string { return path + ":" + strconv.FormatInt(line, 10) }
