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

// prefixBytes at the beginning of a file, and as many before the place where it
// was read to, tell it from another one.
const prefixBytes = 1 << 10

// positionVersion is that of the positions that are written. The first one had no
// number, and no Tail.
const positionVersion = 2

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark says how far one file has been read.
type mark struct {
	Path   string `json:"path"`
	Dev    uint64 `json:"dev"` // 0, as Ino, where the system has none
	Ino    uint64 `json:"ino"`
	Offset int64  `json:"offset"` // bytes given out, decompressed
	Line   int64  `json:"line"`   // lines given out
	Sum    uint32 `json:"sum"`    // CRC-32C of the first min(Offset, prefixBytes) bytes
	Tail   uint32 `json:"tail"`   // CRC-32C of the last min(Offset, prefixBytes) bytes before Offset
	Done   bool   `json:"done"`   // nothing is left to read

	noTail bool   // of the first version
	window []byte // what Tail is of
}

// advance moves the mark over content that was given out.
func (m *mark) advance(content []byte, lines int) {
	if len(content) > 0 {
		m.slide(content)
	}
	if left := prefixBytes - m.Offset; left > 0 {
		m.Sum = crc32.Update(m.Sum, castagnoli, content[:min(int64(len(content)), left)])
	}
	m.Offset += int64(len(content))
	m.Line += int64(lines)
}

// slide moves the window to the end of content.
func (m *mark) slide(content []byte) {
	if over := len(m.window) + len(content) - prefixBytes; over > 0 {
		m.window = m.window[:copy(m.window, m.window[min(over, len(m.window)):])]
		content = content[max(0, len(content)-prefixBytes):]
	}
	m.window = append(m.window, content...)
	m.Tail = crc32.Checksum(m.window, castagnoli)
}

// restart moves the mark to the beginning.
func (m *mark) restart() {
	m.Offset, m.Line, m.Sum, m.Tail, m.window = 0, 0, 0, 0, m.window[:0]
}

// prefix is how many bytes Sum covers.
func (m *mark) prefix() int64 { return min(m.Offset, prefixBytes) }

// isOf says whether a file holds what the mark was made of, as far as it can tell.
func (m *mark) isOf(file io.ReaderAt) bool {
	same := func(off int64, sum uint32) bool {
		part := make([]byte, m.prefix())
		_, err := file.ReadAt(part, off)
		return (err == nil || err == io.EOF) && crc32.Checksum(part, castagnoli) == sum
	}
	return same(0, m.Sum) && (m.noTail || same(m.Offset-m.prefix(), m.Tail))
}

// position is a mark of the file that the last record came from, and of the
// other files that are followed. In a source that does not follow, files named
// before it are done and those after it are not begun.
type position struct {
	mark
	Others  []mark `json:"others"`
	Version int    `json:"version"`
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
	if err == nil && (pos.Version < 0 || pos.Version > positionVersion) {
		err = errors.New("it has version " + strconv.Itoa(pos.Version) + ", known are those up to " + strconv.Itoa(positionVersion))
	}
	pos.noTail = pos.Version < 2
	for i := range pos.Others {
		pos.Others[i].noTail = pos.noTail
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
	dst = strconv.AppendInt(append(dst, `],"version":`...), positionVersion, 10)
	return append(dst, '}')
}

func (m *mark) append(dst []byte) []byte {
	dst = appendQuoted(append(dst, `{"path":`...), m.Path)
	dst = strconv.AppendUint(append(dst, `,"dev":`...), m.Dev, 10)
	dst = strconv.AppendUint(append(dst, `,"ino":`...), m.Ino, 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), m.Offset, 10)
	dst = strconv.AppendInt(append(dst, `,"line":`...), m.Line, 10)
	dst = strconv.AppendUint(append(dst, `,"sum":`...), uint64(m.Sum), 10)
	dst = strconv.AppendUint(append(dst, `,"tail":`...), uint64(m.Tail), 10)
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
