package wasm

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tail keeps the last of what a guest prints, which is where its language's
// runtime says why it gave up. It implements io.Writer.
type tail struct{ last []byte }

const maxTail = 1 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last, p[max(0, len(p)-maxTail):]...)
	if over := len(t.last) - maxTail; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return len(p), nil
}

// text returns the first lines of the tail on one line, fit for a terminal.
func (t *tail) text() string { return printable(t.last, 300) }

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
