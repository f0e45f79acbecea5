package fetch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// Request is what to ask.
type Request struct {
	Method  string // "" = GET
	URL     string
	Header  []Header
	Body    []byte        // never changed afterwards: it may be read after the answer is there
	Timeout time.Duration // 0, and what is longer, = that of the policy
}

// Header is a name and one value.
type Header struct{ Name, Value string }

// Response is an answer. Names in its header are spelled as net/http does.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

const maxHeader = 64 << 10 // bytes of a request's header

// ours are the headers that belong to the connection, or say what is said elsewhere.
var ours = map[string]bool{
	"Connection": true, "Content-Length": true, "Expect": true, "Host": true, "Keep-Alive": true,
	"Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// build checks a request and makes one of net/http of it.
func (r *Request) build(ctx context.Context) (*http.Request, target, *Error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if !token(method) || method == http.MethodConnect || method == http.MethodTrace {
		return nil, target{}, invalid("the method %.20q is not one to use", method)
	}
	u, t, err := parseURL(r.URL)
	if err != nil {
		refused := invalid("%v", err)
		if errors.Is(err, errSpelling) {
			refused.Reason = Denied
		}
		return nil, t, refused
	}
	header, size := http.Header{"User-Agent": {"wasmill"}}, 0
	own := make(map[string]bool) // names that the request has a value for
	for _, h := range r.Header {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		size += len(h.Name) + len(h.Value)
		switch {
		case !token(h.Name):
			return nil, t, invalid("%.50q is not the name of a header", h.Name)
		case ours[name]:
			return nil, t, invalid("the header %s is not for plugins to set", name)
		case strings.ContainsFunc(h.Value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			return nil, t, invalid("the value of the header %.50s has control characters", name)
		case size > maxHeader:
			return nil, t, invalid("the headers have more than %d bytes", maxHeader)
		}
		if !own[name] {
			own[name], header[name] = true, nil
		}
		header[name] = append(header[name], h.Value)
	}
	q, err := http.NewRequestWithContext(ctx, method, "", bytes.NewReader(r.Body))
	if err != nil {
		return nil, t, invalid("%v", err)
	}
	q.URL, q.Host, q.Header = u, u.Host, header
	return q, t, nil
}

// token says whether s is one by RFC 9110, 5.6.2.
func token(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
