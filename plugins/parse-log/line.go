package main

import "bytes"

// line is an access-log line, cut into pieces that are still as the server wrote them:
//
//	192.0.2.1 - ann [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 2326 "-" "curl/8.5.0"
type line struct {
	remote, user           []byte
	time                   stamp
	method, path, protocol []byte // only path if the request is not one of HTTP
	status, bytes          []byte // bytes is empty for "-"
	referer, agent         []byte // only in the combined format
}

// parse cuts a line. It is false for a line that does not have the format from its first
// byte to its last.
func parse(s []byte, combined bool) (line, bool) {
	var l line
	c := cutter{rest: s, ok: true}
	l.remote = c.word()
	c.word() // the identity by RFC 1413, which nobody sends
	l.user = c.word()
	l.time = c.stamp()
	request := c.quoted()
	c.literal(' ')
	l.status = c.number()
	c.literal(' ')
	if l.bytes = nil; !c.dash() {
		l.bytes = c.number()
	}
	if combined {
		c.literal(' ')
		l.referer = c.quoted()
		c.literal(' ')
		l.agent = c.quoted()
	}
	l.method, l.path, l.protocol = cutRequest(request)
	return l, c.ok && len(c.rest) == 0 && len(l.status) == 3 && l.status[0] >= '1' && l.status[0] <= '5'
}

// cutRequest takes `GET /path HTTP/1.1` apart. Servers log whatever a client sent: what
// does not start with a method is all path; the protocol came with HTTP/1.0.
func cutRequest(r []byte) (method, path, protocol []byte) {
	n := 0
	for n < len(r) && r[n] >= 'A' && r[n] <= 'Z' {
		n++
	}
	if n == 0 || n == len(r) || r[n] != ' ' {
		return nil, r, nil
	}
	method, path = r[:n], r[n+1:]
	if i := bytes.LastIndexByte(path, ' '); i >= 0 && bytes.HasPrefix(path[i+1:], []byte("HTTP/")) {
		path, protocol = path[:i], path[i+1:]
	}
	return method, path, protocol
}

// cutter takes pieces off the front of a line. Once something is not as it should be, ok is
// false for good and the pieces mean nothing.
type cutter struct {
	rest []byte
	ok   bool
}

// take returns the first n bytes and drops `then` bytes more.
func (c *cutter) take(n, then int) []byte {
	if n < 0 || n+then > len(c.rest) {
		c.ok, c.rest = false, nil
		return nil
	}
	piece := c.rest[:n]
	c.rest = c.rest[n+then:]
	return piece
}

func (c *cutter) literal(b byte) {
	if piece := c.take(1, 0); len(piece) == 0 || piece[0] != b {
		c.ok = false
	}
}

// word takes what is before the next space, and the space.
func (c *cutter) word() []byte {
	piece := c.take(bytes.IndexByte(c.rest, ' '), 1)
	c.ok = c.ok && len(piece) > 0
	return piece
}

func (c *cutter) dash() bool {
	if len(c.rest) == 0 || c.rest[0] != '-' {
		return false
	}
	c.take(1, 0)
	return true
}

// number takes the digits of a number of JSON: without leading zeros.
func (c *cutter) number() []byte {
	n := 0
	for n < len(c.rest) && isDigit(c.rest[n]) {
		n++
	}
	piece := c.take(n, 0)
	c.ok = c.ok && n > 0 && n <= 18 && (n == 1 || piece[0] != '0')
	return piece
}

// quoted takes a string in double quotes, in which a backslash escapes the next byte.
func (c *cutter) quoted() []byte {
	c.literal('"')
	end := bytes.IndexByte(c.rest, '"')
	if end > 0 && bytes.IndexByte(c.rest[:end], '\\') >= 0 {
		end = 0
		for end < len(c.rest) && c.rest[end] != '"' {
			if c.rest[end] == '\\' {
				end++
			}
			end++
		}
	}
	return c.take(end, 1)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
