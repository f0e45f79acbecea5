package join

import (
	"encoding/base64"
	"unicode/utf8"
)

// appendText appends a value as JSON: one that is JSON without the space between its
// parts, another one that is UTF-8 as a string, and else a string of its base64.
func appendText(dst, value []byte) (text []byte, inBase64 bool) {
	if !utf8.Valid(value) {
		return appendBase64(dst, value), true
	}
	if text, ok := appendJSON(dst, value); ok {
		return text, false
	}
	return appendString(dst, value), false
}

func appendBase64(dst, value []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), value), '"')
}

// appendString appends text that is UTF-8 as a JSON string.
func appendString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for at, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:at]...)
		from = at + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, text[from:]...), '"')
}

// maxDepth is how far arrays and objects may be nested in each other.
const maxDepth = 10_000

// appendJSON appends a JSON value as it is written, but without the space between
// its parts, and reports whether it is one. It checks what RFC 8259 says but for
// UTF-8. dst is unchanged if it is not.
func appendJSON(dst, value []byte) ([]byte, bool) {
	c := compactor{src: value, dst: dst}
	c.space()
	if !c.value(0) {
		return dst, false
	}
	if c.space(); c.at < len(value) {
		return dst, false
	}
	return append(c.dst, value[c.from:]...), true
}

// compactor copies src to dst in runs between space. src[from:at] is checked and
// not copied yet.
type compactor struct {
	src, dst []byte
	from, at int
}

// is takes the next byte if it is b.
func (c *compactor) is(b byte) bool {
	if c.at < len(c.src) && c.src[c.at] == b {
		c.at++
		return true
	}
	return false
}

func (c *compactor) space() {
	if c.at < len(c.src) && c.src[c.at] > ' ' {
		return
	}
	c.dst = append(c.dst, c.src[c.from:c.at]...)
	for c.is(' ') || c.is('\n') || c.is('\t') || c.is('\r') {
	}
	c.from = c.at
}

func (c *compactor) value(depth int) bool {
	if c.at >= len(c.src) {
		return false
	}
	switch b := c.src[c.at]; b {
	case '{':
		return depth < maxDepth && c.list('}', true, depth+1)
	case '[':
		return depth < maxDepth && c.list(']', false, depth+1)
	case '"':
		return c.text()
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	}
	return c.number()
}

// list takes an object or array up to its end.
func (c *compactor) list(end byte, named bool, depth int) bool {
	c.at++
	if c.space(); c.is(end) {
		return true
	}
	for {
		if named {
			if c.at >= len(c.src) || c.src[c.at] != '"' || !c.text() {
				return false
			}
			if c.space(); !c.is(':') {
				return false
			}
			c.space()
		}
		if !c.value(depth) {
			return false
		}
		if c.space(); c.is(end) {
			return true
		}
		if !c.is(',') {
			return false
		}
		c.space()
	}
}

// plain is the bytes of a string that stand for themselves and do not end it.
var plain = func() (t [256]bool) {
	for b := ' '; b < 256; b++ {
		t[b] = b != '"' && b != '\\'
	}
	return t
}()

func (c *compactor) text() bool {
	src, at := c.src, c.at+1
	for at < len(src) {
		b := src[at]
		at++
		switch {
		case plain[b]:
		case b == '"':
			c.at = at
			return true
		case b != '\\' || at >= len(src):
			return false
		case src[at] == 'u':
			if at+4 >= len(src) || !hexDigits(src[at+1:at+5]) {
				return false
			}
			at += 5
		default:
			switch src[at] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				at++
			default:
				return false
			}
		}
	}
	return false
}

func hexDigits(d []byte) bool {
	for _, b := range d {
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') && (b < 'A' || b > 'F') {
			return false
		}
	}
	return true
}

func (c *compactor) word(w string) bool {
	if len(c.src)-c.at < len(w) || string(c.src[c.at:c.at+len(w)]) != w {
		return false
	}
	c.at += len(w)
	return true
}

func (c *compactor) number() bool {
	c.is('-')
	if !c.is('0') && !c.digits() {
		return false
	}
	if c.is('.') && !c.digits() {
		return false
	}
	if c.is('e') || c.is('E') {
		if !c.is('+') {
			c.is('-')
		}
		return c.digits()
	}
	return true
}

// digits takes one digit or more.
func (c *compactor) digits() bool {
	from := c.at
	for c.at < len(c.src) && c.src[c.at] >= '0' && c.src[c.at] <= '9' {
		c.at++
	}
	return c.at > from
}
