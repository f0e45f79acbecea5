package wasm

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// head keeps the first that a guest prints in a call, which is where its
// language's runtime says why it gives up. It implements io.Writer.
type head struct{ first []byte }

const maxHead = 1 << 10

func (h *head) Write(p []byte) (int, error) {
	h.first = append(h.first, p[:min(len(p), maxHead-len(h.first))]...)
	return len(p), nil
}

func (h *head) reset() { h.first = h.first[:0] }

// text returns the start of what was printed on one line, fit for a terminal.
func (h *head) text() string { return printable(h.first, 300) }

// cut returns a line of a guest's log, and how much of it was left out if it is
// longer than limit bytes.
func cut(line []byte, limit int) string {
	if len(line) <= limit {
		return string(line)
	}
	at := limit
	for at > 0 && at > limit-utf8.UTFMax && !utf8.RuneStart(line[at]) {
		at--
	}
	return fmt.Sprintf("%s… (%d bytes left out, limits.logBytes)", line[:at], len(line)-at)
}

// printable returns at most limit bytes of text from a guest, with line breaks
// and tabs turned into spaces, and other control and broken characters escaped.
func printable(text []byte, limit int) string {
	short := text[:min(len(text), limit)]
	var s strings.Builder
	for _, r := range strings.TrimSpace(string(short)) {
		switch {
		case r == '\n' || r == '\t':
			s.WriteByte(' ')
		case r == utf8.RuneError || !unicode.IsPrint(r):
			q := strconv.QuoteRune(r)
			s.WriteString(q[1 : len(q)-1])
		default:
			s.WriteRune(r)
		}
	}
	if len(text) > limit {
		s.WriteString("…")
	}
	return s.String()
}
