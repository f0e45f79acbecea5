package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/wasmill/wasmill/host/stream"
)

// prefixBytes of a file's content tell it from another one.
const prefixBytes = 1 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark says how far one file has been read.
type mark struct {
	Path   string `json:"path"`
	Dev    uint64 `json:"dev"` // 0, as Ino, where the system has none
	Ino    uint64 `json:"ino"`
	Offset int64  `json:"offset"` // bytes given out, decompressed
	Line   int64  `json:"line"`   // lines given out
	Sum    uint32 `json:"sum"`    // CRC-32C of the first min(Offset, prefixBytes) bytes
	Done   bool   `json:"done"`   // nothing is left to read
}

// advance moves the mark over content that was given out.
func (m *mark) advance(content []byte, lines int) {
	if left := prefixBytes - m.Offset; left > 0 {
		m.Sum = crc32.Update(m.Sum, castagnoli, content[:min(int64(len(content)), left)])
	}
	m.Offset += int64(len(content))
	m.Line += int64(lines)
}

// prefix is how many bytes Sum covers.
func (m *mark) prefix() int64 { return min(m.Offset, prefixBytes) }

// begins says whether a file's content begins as it did for the mark.
func (m *mark) begins(file io.ReaderAt) bool {
	prefix := make([]byte, m.prefix())
	_, err := file.ReadAt(prefix, 0)
	return (err == nil || err == io.EOF) && crc32.Checksum(prefix, castagnoli) == m.Sum
}

// position is a mark of the file that the last record came from, and of the
// other files that are followed. In a source that does not follow, files named
// before it are done and those after it are not begun.
type position struct {
	mark
	Others []mark `json:"others"`
}

// parsePosition reads what appendPosition wrote.
func parsePosition(p stream.Position) (position, error) {
	var pos position
	d := json.NewDecoder(bytes.NewReader(p))
	d.DisallowUnknownFields()
	err := d.Decode(&pos)
	if err == nil && d.InputOffset() != int64(len(p)) {
		err = errors.New("bytes after the end")
	}
	for _, m := range append(pos.Others, pos.mark) {
		if err == nil && (m.Path == "" || m.Offset < 0 || m.Line < 0) {
			err = errors.New("a mark out of range")
		}
	}
	if err != nil {
		return position{}, &stream.Error{
			Code: stream.PositionInvalid,
			Why:  "the stored position is not that of a file source",
			Fix:  "if the source was another one before, make a fresh start",
			Err:  err,
		}
	}
	return pos, nil
}

// appendPosition adds a position as JSON: first, and the marks of the files
// apart from the one that first is of.
func appendPosition(dst []byte, first *mark, files []*followed) []byte {
	dst = first.append(dst)
	dst = append(dst[:len(dst)-1], `,"others":[`...)
	more := false
	for _, f := range files {
		if &f.mark == first {
			continue
		}
		if more {
			dst = append(dst, ',')
		}
		dst, more = f.mark.append(dst), true
	}
	return append(dst, "]}"...)
}

func (m *mark) append(dst []byte) []byte {
	dst = appendQuoted(append(dst, `{"path":`...), m.Path)
	dst = strconv.AppendUint(append(dst, `,"dev":`...), m.Dev, 10)
	dst = strconv.AppendUint(append(dst, `,"ino":`...), m.Ino, 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), m.Offset, 10)
	dst = strconv.AppendInt(append(dst, `,"line":`...), m.Line, 10)
	dst = strconv.AppendUint(append(dst, `,"sum":`...), uint64(m.Sum), 10)
	if m.Done {
		dst = append(dst, `,"done":true`...)
	}
	return append(dst, '}')
}

// appendQuoted adds a JSON string; s is valid UTF-8.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
