package main

import (
	"encoding/binary"
	"unicode/utf8"
)

func (l *line) appendJSON(to []byte, combined bool) []byte {
	to = appendString(append(to, `{"remote":`...), l.remote)
	to = appendString(append(to, `,"user":`...), l.user)
	to = l.time.append(append(to, `,"time":"`...))
	to = appendString(append(to, `","method":`...), l.method)
	to = appendString(append(to, `,"path":`...), l.path)
	to = appendString(append(to, `,"protocol":`...), l.protocol)
	to = append(append(to, `,"status":`...), l.status...)
	to = append(to, `,"bytes":`...)
	if len(l.bytes) == 0 {
		to = append(to, "null"...)
	}
	to = append(to, l.bytes...)
	if combined {
		to = appendString(append(to, `,"referer":`...), l.referer)
		to = appendString(append(to, `,"agent":`...), l.agent)
	}
	return append(to, '}')
}

// appendString writes a piece of a line as a string of JSON: the escapes of the server are
// undone, what is not UTF-8 becomes \ufffd.
func appendString(to, piece []byte) []byte {
	to = append(to, '"')
	for {
		n := plain(piece)
		to = append(to, piece[:n]...)
		if piece = piece[n:]; len(piece) == 0 {
			return append(to, '"')
		}
		to, n = appendSpecial(to, piece)
		piece = piece[n:]
	}
}

// plain returns how many bytes at the start of s can be copied as they are.
func plain(s []byte) int {
	// Eight bytes at a time. The lowest byte that is not ASCII, a control character, a quote
	// or a backslash has its top bit set in one of the four terms; without one, none is set.
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(s); n += 8 {
		w := binary.LittleEndian.Uint64(s[n:])
		quote, backslash := w^ones*'"', w^ones*'\\'
		if (w|(w-ones*' ')|(quote-ones)|(backslash-ones))&tops != 0 {
			break
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] < utf8.RuneSelf && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}

// appendSpecial writes the character at the start of s and returns how long it is there. A
// character in UTF-8 may be escaped byte by byte, as in \xc3\xa9.
func appendSpecial(to, s []byte) ([]byte, int) {
	var char [utf8.UTFMax]byte
	first, n := unescape(s)
	char[0] = first
	if first < utf8.RuneSelf {
		return appendControl(to, first), n
	}
	for size, used := 1, n; size < utf8.UTFMax && used < len(s); size++ {
		b, m := unescape(s[used:])
		char[size] = b
		used += m
		if _, width := utf8.DecodeRune(char[:size+1]); width == size+1 {
			return append(to, char[:size+1]...), used
		}
	}
	return append(to, `\ufffd`...), n
}

// unescape returns the byte at the start of s and how many bytes say it: Apache escapes as
// C does, nginx writes \x22. A backslash before anything else is a backslash.
func unescape(s []byte) (b byte, n int) {
	if s[0] != '\\' || len(s) < 2 {
		return s[0], 1
	}
	switch s[1] {
	case '"', '\\':
		return s[1], 2
	case 'b':
		return '\b', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case 'x':
		if len(s) >= 4 {
			if high, low := hex(s[2]), hex(s[3]); high >= 0 && low >= 0 {
				return byte(high<<4 | low), 4
			}
		}
	}
	return '\\', 1
}

// appendControl writes a byte of ASCII inside a string of JSON.
func appendControl(to []byte, b byte) []byte {
	const digits = "0123456789abcdef"
	switch {
	case b == '"' || b == '\\':
		return append(to, '\\', b)
	case b == '\b':
		return append(to, `\b`...)
	case b == '\f':
		return append(to, `\f`...)
	case b == '\n':
		return append(to, `\n`...)
	case b == '\r':
		return append(to, `\r`...)
	case b == '\t':
		return append(to, `\t`...)
	case b < ' ':
		return append(to, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
	}
	return append(to, b)
}

func hex(b byte) int {
	switch {
	case isDigit(b):
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}
